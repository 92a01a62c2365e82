//! The server as a process of its own.

use crate::config::{Config, ConfigError, Loaded, Role};
use crate::data_dir::DataDir;
use crate::error::ServerError;
use crate::reload::{self, Reread};
use crate::system::System;
use crate::telemetry;

use super::announce::Announce;
use super::member_failure::member_failed;
use super::running::Process;
use super::shutdown_signal::shutdown_signal;

/// Runs the roles of `config` until SIGTERM or SIGINT, then drains requests and stops.
///
/// At SIGHUP it reads the configuration again with `reread`, and takes further disks into service.
pub fn run(
    loaded: &Loaded,
    reread: impl Fn() -> Result<Loaded, ConfigError> + Send + Sync + 'static,
) -> Result<(), ServerError> {
    let config = &loaded.config;
    telemetry::init(&config.log.filter, config.log.json)?;
    reload::log_warnings(&loaded.warnings);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(ServerError::Runtime)?;
    runtime.block_on(serve_until_stopped(config, Box::new(reread)))
}

async fn serve_until_stopped(config: &Config, reread: Reread) -> Result<(), ServerError> {
    let data_dir = DataDir::open(&config.server.data)?;
    let hangups = reload::receive().map_err(ServerError::Signals)?;
    let process = Process::start(config, &data_dir, System::real(), Announce::Banner).await?;
    if let Some(hangups) = hangups {
        process.spawn_task(reload::run(hangups, process.storage(), config.clone(), reread));
    }
    let disks_go_on = config.server.has(Role::StorageNode) && !config.server.is_all_in_one();
    let ended = tokio::select! {
        stopped = shutdown_signal() => stopped.map_err(ServerError::Signals),
        reason = member_failed(process.metadata(), disks_go_on) => {
            tracing::error!(reason, "the metadata member has failed; stopping the process");
            Err(ServerError::MemberFailed(reason))
        }
    };
    tracing::info!("stopping: requests under way may end");
    process.stop().await;
    tracing::info!("stopped");
    ended
}
