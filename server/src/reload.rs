//! What a running server takes over when it is told to read its configuration again: SIGHUP, as other servers have it.

use std::io::IsTerminal;
use std::path::PathBuf;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::config::{Config, ConfigError};

/// Reads the configuration again, with the flags and the environment that the process was started with.
pub(crate) type Reread = Box<dyn Fn() -> Result<Config, ConfigError> + Send + Sync>;

/// Receives SIGHUP from here on, which ends a process that does not. A process in a terminal is to end with its terminal,
/// as people expect: nothing for that.
pub(crate) fn receive() -> Result<Option<Signal>, std::io::Error> {
    if std::io::stdin().is_terminal() { Ok(None) } else { signal(SignalKind::hangup()).map(Some) }
}

/// Takes further disks into service whenever the process is told to.
pub(crate) async fn run(
    mut told: Signal,
    node: Option<cairn_storage_node::Handle>,
    begun_with: Config,
    reread: Reread,
) {
    let mut current = begun_with;
    while told.recv().await.is_some() {
        let config = match reread() {
            Ok(config) => config,
            Err(error) => {
                tracing::error!(%error, "the configuration cannot be read again, and everything stays as it is");
                continue;
            }
        };
        report(&current, &config);
        let (node, disks) = (node.clone(), config.disks.clone());
        // Directories are looked at, which may take its time.
        let taken = tokio::task::spawn_blocking(move || node.map(|node| node.add_disks(&disks))).await;
        match taken {
            Ok(Some(Ok(new))) => new.iter().for_each(|path| tracing::info!(path = %path.display(), "a further disk")),
            Ok(Some(Err(error))) => tracing::error!(%error, "the further disks are not taken into service"),
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "the further disks are not taken into service"),
        }
        current = config;
    }
}

/// Says what of a new configuration does not take effect now.
fn report(old: &Config, new: &Config) {
    let gone: Vec<String> =
        old.disks.iter().filter(|disk| !new.disks.contains(disk)).map(|disk| disk.display().to_string()).collect();
    if !gone.is_empty() {
        tracing::warn!(
            disks = gone.join(", "),
            "disks that are not named any more are served until the next start: `cairn disk drain` empties one first"
        );
    }
    let rest = |config: &Config| Config { disks: Vec::<PathBuf>::new(), ..config.clone() };
    if rest(old) != rest(new) {
        tracing::warn!("only further disks are taken over now: the other changes take effect at the next start");
    }
}
