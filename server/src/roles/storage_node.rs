//! The start of the storage node.

use std::sync::Arc;
use std::time::Duration;

use cairn_core::cluster_map::Labels;
use cairn_protocol::metadata::Metadata;
use cairn_storage_node::{Dependencies, Handle, Options, StorageNodeService};

use super::shared::Shared;
use crate::config::Config;
use crate::error::ServerError;
use crate::layout;

/// Starts it, and makes it known to the other roles of this process, which then reach it without a socket.
pub(crate) fn start(config: &Config, shared: &Shared, metadata: Arc<dyn Metadata>) -> Result<Handle, ServerError> {
    let mut options = Options::new(layout::storage_node_dir(config), config.disks.clone(), &config.node_name);
    options.rpc_addr.clone_from(&config.rpc_advertise);
    options.labels = Labels { zone: config.zone.clone(), rack: config.rack.clone() };
    options.collect_interval = Duration::from_secs(config.collect_interval_s);
    options.scrub.period = Duration::from_secs(config.scrub_period_s);
    options.scrub.bytes_per_s_max = config.scrub_bytes_per_s_max;
    options.compact_dead_percent = config.compact_dead_percent;
    options.compact_bytes_per_s_max = config.compact_bytes_per_s_max;
    options.reserve_bytes = (config.reserve_bytes > 0).then_some(config.reserve_bytes);
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
