//! The flags that every admin verb takes.

use std::sync::Arc;

use cairn_server::SystemClock;
use clap::Args;

use super::CommandError;
use crate::admin::{AdminClient, discover_endpoint, discover_keys};

/// Flags of every admin verb.
#[derive(Debug, Args)]
pub struct AdminArgs {
    /// The admin endpoint [default: CAIRN_ENDPOINT, else http://127.0.0.1:9001].
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,
    /// Print JSON instead of a table.
    #[arg(long)]
    pub json: bool,
}

impl AdminArgs {
    /// A client for the endpoint and keys from flags, environment and files.
    pub fn client(&self) -> Result<AdminClient, CommandError> {
        let environment = |name: &str| std::env::var(name).ok();
        let endpoint = discover_endpoint(self.endpoint.as_deref(), environment)?;
        let keys = discover_keys(environment, std::path::Path::new("."))?;
        Ok(AdminClient::new(endpoint, keys, Arc::new(SystemClock::new())))
    }
}
