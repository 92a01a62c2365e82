//! One source of configuration: every field may be absent.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// A role of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The S3 front end.
    Gateway,
    /// A member of the metadata service.
    Metadata,
    /// An owner of disks.
    StorageNode,
}

impl Role {
    /// All roles.
    pub const ALL: [Role; 3] = [Role::Gateway, Role::Metadata, Role::StorageNode];
}

macro_rules! layer {
    ($($(#[$doc:meta])* $field:ident: $type:ty,)*) => {
        /// The values that one source sets. See [`super::Config`] for what they mean.
        #[derive(Debug, Clone, Default, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Layer {
            $($(#[$doc])* pub $field: Option<$type>,)*
        }

        impl Layer {
            /// The values of `self`, and those of `below` where `self` sets none.
            #[must_use]
            pub fn over(self, below: Self) -> Self {
                Self { $($field: self.$field.or(below.$field),)* }
            }

            /// Reads `CAIRN_<FIELD>`, lists separated by commas. Other variables are not ours to judge: `CAIRN_ENDPOINT`
            /// and the like belong to the admin verbs.
            pub fn from_environment(
                variables: impl Iterator<Item = (String, String)>,
            ) -> Result<Self, ConfigError> {
                let mut layer = Self::default();
                for (name, value) in variables {
                    let Some(field) = name.strip_prefix("CAIRN_").map(str::to_ascii_lowercase) else { continue };
                    match field.as_str() {
                        $(stringify!($field) => layer.$field = Some(parse(&name, &value)?),)*
                        _ => {}
                    }
                }
                Ok(layer)
            }
        }
    };
}

layer! {
    /// See [`super::Config::roles`].
    roles: Vec<Role>,
    /// See [`super::Config::data`].
    data: PathBuf,
    /// See [`super::Config::disks`].
    disks: Vec<PathBuf>,
    /// Disk directories to make under the data directory, where none are named.
    disk_count: u32,
    /// See [`super::Config::s3_addr`].
    s3_addr: String,
    /// See [`super::Config::admin_addr`].
    admin_addr: String,
    /// See [`super::Config::rpc_addr`].
    rpc_addr: String,
    /// See [`super::Config::rpc_advertise`].
    rpc_advertise: String,
    /// See [`super::Config::metadata_addrs`].
    metadata_addrs: Vec<String>,
    /// See [`super::Config::metadata_id`].
    metadata_id: u64,
    /// See [`super::Config::metadata_members`].
    metadata_members: Vec<String>,
    /// See [`super::Config::metadata_verify_at_start`].
    metadata_verify_at_start: bool,
    /// See [`super::Config::metadata_backup_dir`].
    metadata_backup_dir: PathBuf,
    /// See [`super::Config::metadata_backup_interval_s`].
    metadata_backup_interval_s: u64,
    /// See [`super::Config::metadata_backups_kept`].
    metadata_backups_kept: u32,
    /// See [`super::Config::metadata_backups_in_store`].
    metadata_backups_in_store: u32,
    /// See [`super::Config::cluster_secret_file`].
    cluster_secret_file: PathBuf,
    /// See [`super::Config::node_name`].
    node_name: String,
    /// See [`super::Config::zone`].
    zone: String,
    /// See [`super::Config::rack`].
    rack: String,
    /// See [`super::Config::failure_domain`].
    failure_domain: String,
    /// See [`super::Config::region`].
    region: String,
    /// See [`super::Config::domains`].
    domains: Vec<String>,
    /// See [`super::Config::reclaim_grace_s`].
    reclaim_grace_s: u64,
    /// See [`super::Config::collect_interval_s`].
    collect_interval_s: u64,
    /// See [`super::Config::session_lease_s`].
    session_lease_s: u64,
    /// See [`super::Config::node_silence_s`].
    node_silence_s: u64,
    /// See [`super::Config::repair_grace_s`].
    repair_grace_s: u64,
    /// See [`super::Config::repair_bytes_per_s_max`].
    repair_bytes_per_s_max: u64,
    /// See [`super::Config::repair_bytes_per_s_busy_max`].
    repair_bytes_per_s_busy_max: u64,
    /// See [`super::Config::repair_bytes_per_s_min`].
    repair_bytes_per_s_min: u64,
    /// See [`super::Config::lifecycle_interval_s`].
    lifecycle_interval_s: u64,
    /// See [`super::Config::lifecycle_day_s`].
    lifecycle_day_s: u64,
    /// See [`super::Config::reserve_bytes`].
    reserve_bytes: u64,
    /// See [`super::Config::scrub_period_s`].
    scrub_period_s: u64,
    /// See [`super::Config::scrub_bytes_per_s_max`].
    scrub_bytes_per_s_max: u64,
    /// See [`super::Config::compact_dead_percent`].
    compact_dead_percent: u8,
    /// See [`super::Config::compact_bytes_per_s_max`].
    compact_bytes_per_s_max: u64,
    /// See [`super::Config::memory_bytes`].
    memory_bytes: u64,
    /// See [`super::Config::metadata_cache_bytes`].
    metadata_cache_bytes: u64,
    /// See [`super::Config::log`].
    log: String,
    /// See [`super::Config::log_json`].
    log_json: bool,
    /// See [`super::Config::root_access_key`].
    root_access_key: String,
    /// See [`super::Config::root_secret_key`].
    root_secret_key: String,
}

impl Layer {
    /// Reads a TOML file; a key that is not known is an error that names it.
    pub fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        toml::from_str(&text).map_err(|e| ConfigError::Invalid { path: path.to_owned(), detail: e.to_string() })
    }
}

/// Parses the text of an environment variable as TOML would: numbers and booleans bare, text without quotes, lists
/// separated by commas.
fn parse<T: FromText>(name: &str, value: &str) -> Result<T, ConfigError> {
    T::from_text(value).map_err(|detail| ConfigError::Environment {
        name: name.to_owned(),
        value: value.to_owned(),
        detail,
    })
}

trait FromText: Sized {
    fn from_text(text: &str) -> Result<Self, String>;
}

macro_rules! from_str {
    ($($type:ty),*) => {
        $(impl FromText for $type {
            fn from_text(text: &str) -> Result<Self, String> {
                text.trim().parse().map_err(|e: <$type as std::str::FromStr>::Err| e.to_string())
            }
        })*
    };
}

from_str!(u8, u32, u64, bool, PathBuf);

impl FromText for String {
    fn from_text(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

impl FromText for Role {
    fn from_text(text: &str) -> Result<Self, String> {
        match text.trim() {
            "gateway" => Ok(Role::Gateway),
            "metadata" => Ok(Role::Metadata),
            "storage-node" => Ok(Role::StorageNode),
            other => Err(format!("{other:?} is not a role: expected gateway, metadata or storage-node")),
        }
    }
}

impl<T: FromText> FromText for Vec<T> {
    fn from_text(text: &str) -> Result<Self, String> {
        text.split(',').filter(|item| !item.trim().is_empty()).map(T::from_text).collect()
    }
}
