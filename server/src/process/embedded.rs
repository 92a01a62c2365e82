//! The server inside another process.

use crate::config::Config;
use crate::data_dir::DataDir;
use crate::error::ServerError;
use crate::system::System;

use super::announce::Announce;
use super::running::Process;

/// A server inside another process, which may hold several: each has its own data directory.
pub struct EmbeddedServer {
    process: Process,
    /// Locked while the server runs.
    _data_dir: DataDir,
}

impl EmbeddedServer {
    /// Starts the roles of `config`. It serves once `GET /health` on its admin address answers 200.
    pub async fn start(config: &Config) -> Result<Self, ServerError> {
        Self::start_on(config, System::real()).await
    }

    /// The same with time, randomness, threads and sockets of the caller.
    pub async fn start_on(config: &Config, system: System) -> Result<Self, ServerError> {
        let data_dir = DataDir::open(&config.server.data)?;
        let process = Process::start(config, &data_dir, system, Announce::Nothing).await?;
        Ok(Self { process, _data_dir: data_dir })
    }

    /// Lets requests under way end, then stops the roles.
    pub async fn stop(self) {
        self.process.stop().await;
    }
}
