//! The roles' traits over HTTP/1.1: signed requests under the cluster's own secret, shard bytes streamed as bodies.
//!
//! Every request is a POST. A small message is the body, in CBOR, and its SHA-256 is signed. A request that streams a
//! shard carries its message in the signed header [`X_CAIRN_MESSAGE`]; the stream itself is covered by the BLAKE3 of
//! each cell. An answer is 200 with a CBOR message or raw cells; any other status comes with the CBOR of the trait's
//! own error, or with a plain text if the request was refused before it reached the role.

mod auth;
mod client;
mod connector;
mod metadata_call;
mod metadata_client;
mod metadata_message;
mod names;
mod server;
mod shard_body;
mod shard_sender;
mod storage_client;
mod storage_message;
#[cfg(test)]
mod tests;

pub use auth::{RpcAuth, RpcAuthError};
pub use client::{RpcBody, RpcClient, RpcError, encode};
pub use metadata_call::{CallTag, Calls, ClientId, OpenCall};
pub use metadata_client::HttpMetadata;
pub use metadata_message::{Execute, LeaderMessage, MetadataFailure, MetadataPath};
pub use names::{ACCESS_KEY, CBOR, REGION, SERVICE, X_CAIRN_MESSAGE};
pub use server::{Refusal, answer, receive, receive_head};
pub use storage_client::HttpStorageNode;
pub use storage_message::{
    DeleteShards, DescribeShard, Inventory, PutShard, ReadCells, ShardDescription, ShardPage, StartScrub,
    StatusRequest, StoragePath,
};
