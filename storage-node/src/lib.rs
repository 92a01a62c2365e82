//! Durable erasure-coded shards on local disks.
//!
//! A storage node owns disks. Each disk is a log-structured [`store`]: shards are appended to volumes and acknowledged
//! after an fdatasync that they share with others, deletions are appended too, and an index, which is only a cache, finds
//! shards again. The [`service`] gives the disks identities, reports them to the metadata service and collects shards that
//! are provably garbage. [`format`] is the on-disk format byte by byte; all file operations go through [`disk_io`].

pub mod disk_io;
mod durable_file;
pub mod format;
pub mod service;
pub mod store;

pub use store::inspect;

pub use service::{
    Dependencies, Handle, NOT_OPENED_YET, Options, SlowDiskOptions, StartError, StorageNodeService, known_cluster,
    router,
};
