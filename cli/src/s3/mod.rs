//! A lean S3 client: path-style requests signed by header, one connection, nothing retried.
//!
//! [`Client`] sends one request at a time and leaves retries to its caller, because its two callers have to see every
//! failure: the load benchmark counts them, and the tests decide from them what may have happened.

mod account;
mod answer;
mod client;
mod error;
mod listing;
mod multipart;
mod object;
mod request;
mod versions;
mod xml;

pub use account::Account;
pub use client::Client;
pub use error::{S3Error, ServiceError};
pub use listing::{ListPage, ListQuery, ListedObject};
pub use multipart::{CompletedPart, ListedUpload, UploadPage};
pub use object::{ObjectBody, ObjectInfo};
pub use request::S3Request;
pub use versions::{Deleted, ListedVersion, VersionMarker, VersionPage, VersionQuery};
