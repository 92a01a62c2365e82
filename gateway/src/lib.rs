//! The S3 front end: the only crate that knows HTTP's S3 dialect, XML, SigV4's S3 flavour and S3's errors.
//!
//! A request passes through three layers. `http` authenticates it, finds its operation and parses its input into a
//! typed call. One file in `ops` per operation converts the call into calls on the metadata service and the data path,
//! and the result back to HTTP. [`data`] moves the bytes. A gateway keeps no state that a restart
//! would miss; [`buckets`] is what it remembers of the settings of buckets.

pub mod auth;
pub mod body;
pub mod buckets;
mod client_ids;
mod context;
pub mod data;
pub mod error;
mod gateway;
mod http;
mod http_date;
mod ops;
mod reencode;
mod request;
mod response;
pub mod xml;

pub use gateway::{Gateway, Options};
