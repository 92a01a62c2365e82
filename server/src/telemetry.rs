//! Logging.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// A log filter that cannot be parsed.
#[derive(Debug, thiserror::Error)]
#[error("log = {filter:?} is not a log filter: {detail}; try log = \"info\"")]
pub struct LogFilterError {
    filter: String,
    detail: String,
}

/// Sends log lines to standard error. A second call in one process changes nothing.
pub(crate) fn init(filter: &str, json: bool) -> Result<(), LogFilterError> {
    let parsed =
        EnvFilter::try_new(filter).map_err(|e| LogFilterError { filter: filter.to_owned(), detail: e.to_string() })?;
    let builder = tracing_subscriber::fmt().with_env_filter(parsed).with_writer(std::io::stderr);
    let _ = if json {
        builder.json().try_init()
    } else {
        builder.with_ansi(std::io::stderr().is_terminal()).with_target(false).try_init()
    };
    Ok(())
}
