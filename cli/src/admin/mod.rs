//! The client of the admin API, which the verbs are made of.

mod client;
mod discovery;

pub use cairn_server::admin::model::{
    ClusterStatus, CycleEntry, DiskCounts, DiskEntry, FindingEntry, MetadataMember, MetadataMembers, NodeEntry,
    ProfileNames, ScrubEntry, ScrubProgress, ScrubStarted,
};
pub use client::{AdminClient, AdminError};
pub use discovery::{DiscoveryError, KeySource, Keys, discover_endpoint, discover_keys};
