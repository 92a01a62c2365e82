//! What the responses of several operations have in common.

pub(crate) mod body_stream;
pub(crate) mod expiration;
pub(crate) mod object;
pub(crate) mod owner;
pub(crate) mod respond;
pub(crate) mod version;
