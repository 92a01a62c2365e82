//! The start of the gateway.

use std::sync::Arc;

use cairn_gateway::Gateway;
use cairn_protocol::metadata::Metadata;
use cairn_protocol::sigv4::Credentials;

use super::shared::Shared;
use crate::config::{self, Lifecycle};
use crate::data_dir::DataDir;
use crate::error::ServerError;

pub(crate) fn start(
    gateway: &config::Gateway,
    lifecycle: &Lifecycle,
    data_dir: &DataDir,
    shared: &Shared,
    root: Credentials,
    metadata: Arc<dyn Metadata>,
) -> Result<Gateway, ServerError> {
    let options = cairn_gateway::Options {
        id: data_dir.gateway_id(&*shared.system.random)?,
        name: format!("{} on {}", gateway.s3_addr, config::host_name()),
        region: gateway.region.clone(),
        domains: gateway.domains.clone(),
        root,
        memory_bytes: gateway.memory.bytes(),
        lifecycle_day: lifecycle.day,
    };
    let (clock, random) = (Arc::clone(&shared.system.clock), Arc::clone(&shared.system.random));
    Ok(Gateway::start(options, metadata, shared.directory.clone(), clock, random))
}
