//! What responses have in common: their headers, their bodies, their end.

pub(crate) mod body_stream;
pub(crate) mod expiration;
pub(crate) mod object;
pub(crate) mod owner;
pub(crate) mod respond;
pub(crate) mod version;
