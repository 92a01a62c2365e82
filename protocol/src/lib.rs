//! What Cairn's roles say to each other: the messages, their encoding, and clients that speak them over HTTP.
//!
//! Each role is one narrow trait ([`storage::StorageNode`], [`metadata::Metadata`]). Inside one process the trait is
//! implemented by the role itself and calls are direct; between processes the clients in [`rpc`] implement the same
//! trait over signed HTTP/1.1. Messages are CBOR with numbered fields, so that releases N and N-1 understand each other.

pub mod metadata;
pub mod net;
pub mod rpc;
pub mod sigv4;
pub mod storage;
