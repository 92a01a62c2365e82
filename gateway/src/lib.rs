//! The S3 front end: the only place that knows HTTP's S3 dialect, XML, SigV4's S3 flavour and S3's errors.
//!
//! A request passes through three layers. [`service`](crate::gateway::Gateway::router) authenticates it and finds its
//! operation; one file in `ops` per operation converts it to calls on the metadata service and the data path, and the
//! result back to HTTP; [`data`] moves the bytes. A gateway keeps no state that a restart would miss.

pub mod auth;
pub mod body;
pub mod data;
pub mod error;
mod gateway;
mod ops;
mod reencode;
mod service;
pub mod xml;

pub use gateway::{Gateway, Options};
