//! The start of the gateway.

use std::sync::Arc;
use std::time::Duration;

use cairn_gateway::Gateway;
use cairn_protocol::metadata::Metadata;
use cairn_protocol::sigv4::Credentials;

use super::shared::Shared;
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::error::ServerError;

pub(crate) fn start(
    config: &Config,
    data_dir: &DataDir,
    shared: &Shared,
    root: Credentials,
    metadata: Arc<dyn Metadata>,
) -> Result<Gateway, ServerError> {
    let options = cairn_gateway::Options {
        id: data_dir.gateway_id(&*shared.system.random)?,
        region: config.region.clone(),
        domains: config.domains.clone(),
        root,
        memory_bytes: config.memory_bytes,
        lifecycle_day: Duration::from_secs(config.lifecycle_day_s),
    };
    let (clock, random) = (Arc::clone(&shared.system.clock), Arc::clone(&shared.system.random));
    Ok(Gateway::start(options, metadata, shared.directory.clone(), clock, random))
}
