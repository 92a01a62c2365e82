//! Why a configuration cannot be used, and what an operator should change in one that can.

use std::fmt;
use std::path::PathBuf;

use super::checks::Inconsistency;

/// Where a value was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    File(PathBuf),
    Environment,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Environment => f.write_str("the environment"),
        }
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read the configuration file {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    /// Not TOML; `detail` names line and column.
    #[error("{}: {detail}", path.display())]
    Syntax { path: PathBuf, detail: String },
    #[error("{place}: there is no key {key}; {advice}")]
    UnknownKey { place: Place, key: String, advice: String },
    #[error("{place}: {key} = {value} is not allowed: expected {allowed}")]
    Value { place: Place, key: String, value: String, allowed: String },
    #[error("{place} sets both {flat} and {key}, which are two names of one key: remove {flat}, the old one")]
    TwoNames { place: Place, flat: String, key: String },
    #[error(transparent)]
    Inconsistent(#[from] Inconsistency),
}

/// What an operator should change in a configuration that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// A name that the next release does not read.
    OldName { place: Place, flat: String, key: String },
    /// A variable that looks like a key's and is none.
    UnknownVariable { name: String },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OldName { place, flat, key } => {
                write!(f, "{place}: {flat} is an old name, which the next release will refuse: write {key}")
            }
            Self::UnknownVariable { name } => {
                write!(f, "the environment variable {name} is ignored: no key has this name (docs/configuration.md)")
            }
        }
    }
}
