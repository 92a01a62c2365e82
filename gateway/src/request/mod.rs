//! What a request says, parsed once into types that cannot be wrong.
//!
//! An operation takes the type of [`call::Call`] that has what it needs. Mistakes in such input are found when the call
//! is parsed, in an order that clients can rely on.

pub(crate) mod call;
pub(crate) mod conditions;
pub(crate) mod host;
pub(crate) mod incoming;
pub(crate) mod ingest;
pub(crate) mod list_call;
pub(crate) mod name;
pub(crate) mod object_headers;
pub(crate) mod query;
pub(crate) mod range;
pub(crate) mod read_call;
pub(crate) mod target;
pub(crate) mod upload_call;
pub(crate) mod version;
