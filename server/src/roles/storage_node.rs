//! The start of the storage node.

use std::sync::Arc;

use cairn_core::cluster_map::Labels;
use cairn_protocol::metadata::Metadata;
use cairn_storage_node::{Dependencies, Handle, Options, StorageNodeService};

use super::shared::Shared;
use crate::config::{Compaction, Scrub, Server, StorageNode};
use crate::error::ServerError;
use crate::layout;

/// Starts it, and makes it known to the other roles of this process, which then reach it without a socket.
pub(crate) fn start(
    server: &Server,
    node: &StorageNode,
    scrub: &Scrub,
    compaction: &Compaction,
    shared: &Shared,
    metadata: Arc<dyn Metadata>,
) -> Result<Handle, ServerError> {
    let mut options = Options::new(layout::storage_node_dir(server), node.disks.clone(), &node.name);
    options.rpc_addr.clone_from(&server.rpc_advertise);
    options.labels = Labels { zone: node.zone.clone(), rack: node.rack.clone() };
    options.collect_interval = node.collect_interval;
    options.scrub.period = scrub.period;
    options.scrub.bytes_per_s_max = scrub.rate_max.bytes_per_s();
    options.compact_dead_percent = compaction.dead_percent;
    options.compact_bytes_per_s_max = compaction.rate_max.bytes_per_s();
    options.reserve_bytes = Some(node.reserve.bytes()).filter(|bytes| *bytes > 0);
    let dependencies = Dependencies {
        clock: Arc::clone(&shared.system.clock),
        random: Arc::clone(&shared.system.random),
        threads: Arc::clone(&shared.system.threads),
        metadata,
        peers: shared.directory.clone(),
    };
    let handle = StorageNodeService::start(options, dependencies)?;
    shared.directory.add_local(handle.id(), Arc::new(handle.clone()));
    Ok(handle)
}
