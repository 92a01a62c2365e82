//! Configuration: defaults < file < environment < flags, merged key by key, in one typed section per role.
//!
//! `sections` is the table of all keys. Everything else, down to docs/configuration.md, is made from it.

mod checks;
mod declare;
mod defaults;
mod error;
mod founder;
mod key;
mod load;
mod print;
mod queries;
mod reference;
mod role;
mod secret;
mod sections;
mod source;
#[cfg(test)]
mod tests;
mod value;

pub use checks::Inconsistency;
pub(crate) use defaults::host_name;
pub use error::{ConfigError, Place, Warning};
pub use founder::Founder;
pub use key::Key;
pub use load::Loaded;
pub use reference::reference;
pub use role::Role;
pub use secret::Secret;
pub use sections::{
    Backup, Cluster, Compaction, Config, Gateway, KEYS, Layer, Lifecycle, Log, Metadata, Repair, Root, Scrub, Server,
    StorageNode, partial,
};
