//! The roles' traits over HTTP/1.1 on authenticated connections, shard bytes streamed as bodies.
//!
//! Before the first request both ends of a connection prove that they know the cluster's secret, and agree on a key; every
//! request carries a tag under it. Every request is a POST. A small message is the body, in CBOR, which the tag covers. A
//! request that streams a shard carries its message in the header [`X_CAIRN_MESSAGE`], which the tag covers; the stream
//! itself is covered by the BLAKE3 of each cell. An answer is 200 with a CBOR message or raw cells; any other status comes
//! with the CBOR of the trait's own error, or with a plain text if the request was refused before it reached the role.

mod channel;
mod client;
mod metadata_call;
mod metadata_client;
mod metadata_message;
mod names;
mod pool;
mod refusal;
mod rights;
mod roles;
mod server;
mod shard_body;
mod shard_sender;
mod storage_client;
mod storage_message;
pub mod testing;
#[cfg(test)]
mod tests;

pub use channel::{Acceptor, Channel, ChannelError, Origin};
pub use client::{Identity, RpcClient, RpcError, encode};
pub use metadata_call::{CallTag, Calls, ClientId, OpenCall};
pub use metadata_client::HttpMetadata;
pub use metadata_message::{Execute, GroupPath, LeaderMessage, MetadataFailure, MetadataPath};
pub use names::{CBOR, X_CAIRN_MESSAGE, X_CAIRN_TAG};
pub use pool::RpcBody;
pub use refusal::Refusal;
pub use rights::Rights;
pub use roles::Roles;
pub use server::{answer, receive, receive_allowed, receive_head};
pub use storage_client::HttpStorageNode;
pub use storage_message::{
    DeleteShards, DescribeShard, EndDoubt, Inventory, PutShard, ReadCells, ShardDescription, ShardPage, StartScrub,
    StatusRequest, StoragePath,
};
