//! The configuration of a process: defaults < file < environment < flags, merged key by key.

use std::path::Path;

use super::checks;
use super::error::{ConfigError, Warning};
use super::sections::{Config, Layer};
use super::source::Source;

/// A configuration that can be used.
#[derive(Debug)]
pub struct Loaded {
    pub config: Config,
    /// What an operator should change in it.
    pub warnings: Vec<Warning>,
}

impl Config {
    /// Merges flags over the environment over the file that the flags name, over the defaults.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
        flags: Layer,
    ) -> Result<Loaded, ConfigError> {
        let file = file.map(Source::from_file).transpose()?.unwrap_or_default();
        let environment = Source::from_environment(environment)?;
        let config = flags.over(environment.layer).over(file.layer).resolve();
        checks::check(&config)?;
        Ok(Loaded { config, warnings: [file.warnings, environment.warnings].concat() })
    }
}
