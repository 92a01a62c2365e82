//! SIGHUP: a running server reads its configuration again and takes further disks into service.

use std::io::IsTerminal;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::config::{Config, ConfigError, Loaded, StorageNode, Warning};

/// Reads the configuration again, with the flags and the environment of the start.
pub(crate) type Reread = Box<dyn Fn() -> Result<Loaded, ConfigError> + Send + Sync>;

/// Receives SIGHUP from here on; it would end a process that does not receive it. `None` in a terminal: there a process
/// should end with its terminal.
pub(crate) fn receive() -> Result<Option<Signal>, std::io::Error> {
    if std::io::stdin().is_terminal() { Ok(None) } else { signal(SignalKind::hangup()).map(Some) }
}

/// Takes further disks into service at every SIGHUP.
pub(crate) async fn run(
    mut hangups: Signal,
    node: Option<cairn_storage_node::Handle>,
    started_with: Config,
    reread: Reread,
) {
    let mut current = started_with;
    while hangups.recv().await.is_some() {
        let config = match reread() {
            Ok(Loaded { config, warnings }) => {
                log_warnings(&warnings);
                config
            }
            Err(error) => {
                tracing::error!(%error, "cannot read the configuration again; nothing changes");
                continue;
            }
        };
        report(&current, &config);
        let (node, disks) = (node.clone(), config.storage_node.disks.clone());
        // Reading directories may block.
        let taken = tokio::task::spawn_blocking(move || node.map(|node| node.add_disks(&disks))).await;
        match taken {
            Ok(Some(Ok(new))) => {
                for path in new {
                    tracing::info!(path = %path.display(), "taking a further disk into service");
                }
            }
            Ok(Some(Err(error))) => tracing::error!(%error, "cannot take further disks into service"),
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "cannot take further disks into service"),
        }
        current = config;
    }
}

/// Logs which changes of the configuration do not take effect now.
fn report(old: &Config, new: &Config) {
    let (old_disks, new_disks) = (&old.storage_node.disks, &new.storage_node.disks);
    let gone: Vec<String> =
        old_disks.iter().filter(|disk| !new_disks.contains(disk)).map(|disk| disk.display().to_string()).collect();
    if !gone.is_empty() {
        tracing::warn!(
            disks = gone.join(", "),
            "disks were taken out of the configuration; serving them until the next start: empty them first with `cairn disk drain`"
        );
    }
    let rest = |config: &Config| {
        let storage_node = StorageNode { disks: Vec::new(), disk_count: 0, ..config.storage_node.clone() };
        Config { storage_node, ..config.clone() }
    };
    if rest(old) != rest(new) {
        tracing::warn!("the configuration has other changes than further disks; they take effect at the next start");
    }
}

/// Logs what an operator should change in the configuration.
pub(crate) fn log_warnings(warnings: &[Warning]) {
    for warning in warnings {
        tracing::warn!("{warning}");
    }
}
