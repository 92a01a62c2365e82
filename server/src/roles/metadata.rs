//! The start of the metadata member, and the way to the metadata service.

use std::sync::Arc;
use std::time::Duration;

use cairn_core::id::MemberId;
use cairn_core::profile::FailureDomain;
use cairn_metadata::{Dependencies, Handle, MetadataService, Options};
use cairn_protocol::metadata::OperatedMetadata;
use cairn_protocol::rpc::HttpMetadata;

use super::shared::Shared;
use crate::config::Config;
use crate::error::ServerError;
use crate::layout;

/// Seconds of a day. Any other length of `lifecycle_day_s` is for tests.
const STANDARD_DAY_S: u64 = 24 * 3600;

pub(crate) async fn start(config: &Config, shared: &Shared) -> Result<Handle, ServerError> {
    let mut options = Options::new(layout::metadata_dir(config));
    options.member_id = MemberId(config.metadata_id);
    options.members = config.founders().into_iter().map(|(id, addr)| (MemberId(id), addr)).collect();
    options.advertise.clone_from(&config.rpc_advertise);
    options.known_cluster = cairn_storage_node::known_cluster(&layout::storage_node_dir(config))?;
    options.failure_domain = failure_domain(&config.failure_domain);
    options.reclaim_grace = Duration::from_secs(config.reclaim_grace_s);
    options.session_lease = Duration::from_secs(config.session_lease_s);
    options.cache_bytes = usize::try_from(config.metadata_cache_bytes).unwrap_or(usize::MAX);
    options.verify_at_start = config.metadata_verify_at_start;
    options.repair_grace = Duration::from_secs(config.repair_grace_s);
    options.repair.bytes_per_s_max = config.repair_bytes_per_s_max;
    options.repair.bytes_per_s_busy_max = config.repair_bytes_per_s_busy_max;
    options.repair.bytes_per_s_min = config.repair_bytes_per_s_min;
    options.node_silence = Duration::from_secs(config.node_silence_s);
    options.lifecycle_interval = Duration::from_secs(config.lifecycle_interval_s);
    options.lifecycle_day = Duration::from_secs(config.lifecycle_day_s);
    if config.lifecycle_day_s != STANDARD_DAY_S {
        let day_s = config.lifecycle_day_s;
        tracing::warn!(
            day_s,
            "lifecycle_day_s is set: lifecycle rules count days of that length, which is for tests only"
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
pub(crate) fn connect(config: &Config, shared: &Shared, member: Option<&Handle>) -> Arc<dyn OperatedMetadata> {
    match member {
        Some(member) => Arc::new(member.clone()),
        None => Arc::new(HttpMetadata::new(shared.rpc.clone(), config.metadata_addrs.clone(), &*shared.system.random)),
    }
}

/// The level by name; the configuration has checked the name.
pub(crate) fn failure_domain(name: &str) -> FailureDomain {
    match name {
        "node" => FailureDomain::Node,
        "rack" => FailureDomain::Rack,
        "zone" => FailureDomain::Zone,
        _ => FailureDomain::Disk,
    }
}
