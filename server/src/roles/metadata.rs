//! The start of the metadata member, and the way to the metadata service.

use std::sync::Arc;
use std::time::Duration;

use cairn_core::unit::format_duration;
use cairn_metadata::{Dependencies, Handle, LogRetention, MetadataService, Options};
use cairn_protocol::metadata::OperatedMetadata;
use cairn_protocol::rpc::HttpMetadata;

use super::shared::Shared;
use crate::config::{self, Cluster, Lifecycle, Repair, Server};
use crate::error::ServerError;
use crate::layout;

/// Any other `lifecycle.day` is for tests.
const STANDARD_DAY: Duration = Duration::from_hours(24);

pub(crate) async fn start(
    server: &Server,
    metadata: &config::Metadata,
    repair: &Repair,
    lifecycle: &Lifecycle,
    shared: &Shared,
) -> Result<Handle, ServerError> {
    let mut options = Options::new(layout::metadata_dir(server));
    options.member_id = metadata.id;
    options.members =
        metadata.founders(&server.rpc_advertise).into_iter().map(|founder| (founder.member, founder.addr)).collect();
    options.advertise.clone_from(&server.rpc_advertise);
    options.known_cluster = cairn_storage_node::known_cluster(&layout::storage_node_dir(server))?;
    options.failure_domain = metadata.failure_domain;
    options.reclaim_grace = metadata.reclaim_grace;
    options.session_lease = metadata.session_lease;
    options.cache_bytes = usize::try_from(metadata.cache.bytes()).unwrap_or(usize::MAX);
    options.verify_at_start = metadata.verify_at_start;
    options.log = LogRetention {
        bytes: metadata.log_kept.bytes(),
        time: metadata.log_kept_time,
        pinned_bytes: metadata.log_pinned.bytes(),
    };
    options.reserve_bytes = metadata.reserve.bytes();
    options.repair_grace = repair.grace;
    options.repair.bytes_per_s_max = repair.rate_max.bytes_per_s();
    options.repair.bytes_per_s_busy_max = repair.rate_max_busy.bytes_per_s();
    options.repair.bytes_per_s_min = repair.rate_min.bytes_per_s();
    options.comparison_period = repair.comparison_period;
    options.node_silence = metadata.node_silence;
    options.lifecycle_interval = lifecycle.interval;
    options.lifecycle_day = lifecycle.day;
    if lifecycle.day != STANDARD_DAY {
        tracing::warn!(
            day = format_duration(lifecycle.day),
            "lifecycle.day is set: lifecycle rules count days of that length, which is for tests only"
        );
    }
    let dependencies = Dependencies {
        clock: Arc::clone(&shared.system.clock),
        random: Arc::clone(&shared.system.random),
        threads: Arc::clone(&shared.system.threads),
        storage: shared.directory.clone(),
        rpc: shared.rpc.clone(),
    };
    Ok(MetadataService::start(options, dependencies).await?)
}

/// The metadata service: the member in this process, or over the network.
pub(crate) fn connect(cluster: &Cluster, shared: &Shared, member: Option<&Handle>) -> Arc<dyn OperatedMetadata> {
    match member {
        Some(member) => Arc::new(member.clone()),
        None => Arc::new(HttpMetadata::new(shared.rpc.clone(), cluster.metadata_addrs.clone(), &*shared.system.random)),
    }
}
