//! The runtime of client verbs.

use super::CommandError;

/// Runs a client verb: one thread is enough for one request at a time.
pub(super) fn block_on<T>(future: impl Future<Output = Result<T, CommandError>>) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CommandError::Runtime)?;
    runtime.block_on(future)
}
