//! How an operator stops the process.

use tokio::signal::unix::{SignalKind, signal};

/// Exit code of a process that a second signal ended: 128 + SIGINT.
const INTERRUPTED: i32 = 130;

/// Returns at the first SIGTERM or SIGINT. A second one ends the process at once, which loses nothing acknowledged.
pub(super) async fn shutdown_signal() -> Result<(), std::io::Error> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut either = async move || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    either().await;
    tokio::spawn(async move {
        either().await;
        std::process::exit(INTERRUPTED);
    });
    Ok(())
}
