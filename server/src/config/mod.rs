//! Configuration: defaults < file < environment < flags, merged field by field.

mod layer;

use std::path::{Path, PathBuf};

use serde::Serialize;

pub use layer::{Layer, Role};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: std::io::Error,
    },
    /// The file is not valid, or has an unknown key.
    #[error("{path}: {detail}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        detail: String,
    },
    /// An environment variable has a value that does not fit.
    #[error("the environment variable {name}={value:?} is not valid: {detail}")]
    Environment {
        /// The variable.
        name: String,
        /// Its value.
        value: String,
        /// What is wrong.
        detail: String,
    },
    /// The values contradict each other.
    #[error("{0}")]
    Inconsistent(String),
}

/// The whole configuration of one process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Config {
    /// What this process does.
    pub roles: Vec<Role>,
    /// Where it keeps its own state.
    pub data: PathBuf,
    /// The directories of its disks.
    pub disks: Vec<PathBuf>,
    /// Where S3 clients connect.
    pub s3_addr: String,
    /// Where the admin API, metrics and health are.
    pub admin_addr: String,
    /// Where other roles connect. A process with all roles does not listen there.
    pub rpc_addr: String,
    /// The address that other nodes reach [`Config::rpc_addr`] under, if it is another.
    pub rpc_advertise: String,
    /// The metadata members' RPC addresses; empty where the metadata role is in this process.
    pub metadata_addrs: Vec<String>,
    /// This process's number as a member of the metadata service.
    pub metadata_id: u64,
    /// The members that form a new metadata service, as `NUMBER=HOST:PORT`; only this process where none are named. A
    /// member that is not among them waits until it is added to the cluster that they form.
    pub metadata_members: Vec<String>,
    /// Whether every page of the metadata's files is verified before a member starts.
    pub metadata_verify_at_start: bool,
    /// Where the metadata is backed up on a schedule, by the member that leads; nowhere unless it is set.
    pub metadata_backup_dir: Option<PathBuf>,
    /// Seconds between two backups of the metadata.
    pub metadata_backup_interval_s: u64,
    /// Backups of the metadata that are kept.
    pub metadata_backups_kept: u32,
    /// Backups of the metadata that are kept in the store itself, made at the same interval; 0 for none.
    pub metadata_backups_in_store: u32,
    /// The file with the secret that all roles of the cluster share.
    pub cluster_secret_file: PathBuf,
    /// This node's name for people.
    pub node_name: String,
    /// The zone it stands in.
    pub zone: String,
    /// The rack it stands in.
    pub rack: String,
    /// The level that may hold at most `m` shards of an extent: `disk`, `node`, `rack` or `zone`.
    pub failure_domain: String,
    /// The S3 region.
    pub region: String,
    /// Suffixes for virtual-host style requests (`bucket.SUFFIX`).
    pub domains: Vec<String>,
    /// Seconds between the deletion of an object and the reclaiming of its space.
    pub reclaim_grace_s: u64,
    /// Seconds between two searches for shards that nobody refers to.
    pub collect_interval_s: u64,
    /// Seconds without a sign of life after which a gateway's session is ended.
    pub session_lease_s: u64,
    /// Seconds without a heartbeat after which a node's disks count as unavailable.
    pub node_silence_s: u64,
    /// Seconds after which the shards of a disk that is away are made anew on others.
    pub repair_grace_s: u64,
    /// Bytes per second that repair, drains and the like write at most for each node that takes shards, while no client is
    /// at work.
    pub repair_bytes_per_s_max: u64,
    /// The same while clients are at work.
    pub repair_bytes_per_s_busy_max: u64,
    /// Bytes per second that they write for each node however busy the disks are.
    pub repair_bytes_per_s_min: u64,
    /// Seconds between the begins of two passes over the buckets with lifecycle rules.
    pub lifecycle_interval_s: u64,
    /// Seconds of the day that lifecycle rules count in. For tests only, and the same in all processes.
    pub lifecycle_day_s: u64,
    /// Bytes of free space below which a disk takes no new shards; 0 for the default of 1 % but at least 256 MiB.
    pub reserve_bytes: u64,
    /// Seconds within which every shard is verified again; 0 for never.
    pub scrub_period_s: u64,
    /// Bytes per second at which a scrub reads a disk at most.
    pub scrub_bytes_per_s_max: u64,
    /// Percent of a volume that must be dead before what lives in it is copied and its file removed: 1 to 100.
    pub compact_dead_percent: u8,
    /// Bytes per second that compaction copies on a disk at most; 0 for no compaction.
    pub compact_bytes_per_s_max: u64,
    /// Bytes that the bodies of all requests together may hold.
    pub memory_bytes: u64,
    /// Bytes of the metadata state's pages that are kept in memory.
    pub metadata_cache_bytes: u64,
    /// What is logged, in the syntax of `RUST_LOG`.
    pub log: String,
    /// Whether log lines are JSON.
    pub log_json: bool,
    /// The root user's access key, if it is not generated.
    #[serde(skip)]
    pub root_access_key: Option<String>,
    /// The root user's secret key, if it is not generated.
    #[serde(skip)]
    pub root_secret_key: Option<String>,
}

/// Disk directories that are made under the data directory unless disks are named.
const DEFAULT_DISKS: u32 = 6;

impl Config {
    /// Merges flags over the environment over the file that the flags name, over the defaults.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
        flags: Layer,
    ) -> Result<Self, ConfigError> {
        let file = file.map(Layer::from_file).transpose()?.unwrap_or_default();
        let config = Self::from_layer(flags.over(Layer::from_environment(environment)?).over(file));
        config.check()?;
        Ok(config)
    }

    fn from_layer(layer: Layer) -> Self {
        let data = layer.data.unwrap_or_else(|| PathBuf::from("cairn-data"));
        let count = layer.disk_count.unwrap_or(DEFAULT_DISKS);
        let disks = layer.disks.unwrap_or_else(|| (1..=count).map(|n| data.join(format!("disk{n}"))).collect());
        let roles = layer.roles.unwrap_or_else(|| Role::ALL.to_vec());
        let rpc_addr = layer.rpc_addr.unwrap_or_else(|| "0.0.0.0:9002".into());
        let single = roles.len() == Role::ALL.len();
        let metadata_members = layer.metadata_members.unwrap_or_default();
        Self {
            rpc_advertise: layer.rpc_advertise.unwrap_or_else(|| if single { String::new() } else { rpc_addr.clone() }),
            s3_addr: layer.s3_addr.unwrap_or_else(|| "0.0.0.0:9000".into()),
            admin_addr: layer.admin_addr.unwrap_or_else(|| "0.0.0.0:9001".into()),
            rpc_addr,
            metadata_addrs: layer
                .metadata_addrs
                .unwrap_or_else(|| metadata_members.iter().filter_map(|m| Some(parse_member(m)?.1)).collect()),
            metadata_id: layer.metadata_id.unwrap_or(1),
            metadata_members,
            metadata_verify_at_start: layer.metadata_verify_at_start.unwrap_or(true),
            metadata_backup_dir: layer.metadata_backup_dir,
            metadata_backup_interval_s: layer.metadata_backup_interval_s.unwrap_or(3600).max(1),
            metadata_backups_kept: layer.metadata_backups_kept.unwrap_or(48).max(1),
            metadata_backups_in_store: layer.metadata_backups_in_store.unwrap_or(4),
            cluster_secret_file: layer.cluster_secret_file.unwrap_or_else(|| data.join("cluster-secret")),
            node_name: layer.node_name.unwrap_or_else(host_name),
            zone: layer.zone.unwrap_or_default(),
            rack: layer.rack.unwrap_or_default(),
            failure_domain: layer.failure_domain.unwrap_or_else(|| if single { "disk" } else { "node" }.into()),
            region: layer.region.unwrap_or_else(|| "us-east-1".into()),
            domains: layer.domains.unwrap_or_default(),
            reclaim_grace_s: layer.reclaim_grace_s.unwrap_or(60),
            collect_interval_s: layer.collect_interval_s.unwrap_or(900),
            session_lease_s: layer.session_lease_s.unwrap_or(30),
            node_silence_s: layer.node_silence_s.unwrap_or(5),
            repair_grace_s: layer.repair_grace_s.unwrap_or(600),
            repair_bytes_per_s_max: layer.repair_bytes_per_s_max.unwrap_or(256 << 20),
            repair_bytes_per_s_busy_max: layer.repair_bytes_per_s_busy_max.unwrap_or(32 << 20),
            repair_bytes_per_s_min: layer.repair_bytes_per_s_min.unwrap_or(8 << 20),
            lifecycle_interval_s: layer.lifecycle_interval_s.unwrap_or(3600).max(1),
            lifecycle_day_s: layer.lifecycle_day_s.unwrap_or(24 * 3600).max(1),
            reserve_bytes: layer.reserve_bytes.unwrap_or(0),
            scrub_period_s: layer.scrub_period_s.unwrap_or(30 * 24 * 3600),
            scrub_bytes_per_s_max: layer.scrub_bytes_per_s_max.unwrap_or(64 << 20),
            compact_dead_percent: layer.compact_dead_percent.unwrap_or(50),
            compact_bytes_per_s_max: layer.compact_bytes_per_s_max.unwrap_or(32 << 20),
            memory_bytes: layer.memory_bytes.unwrap_or(128 << 20),
            metadata_cache_bytes: layer.metadata_cache_bytes.unwrap_or(64 << 20),
            log: layer.log.unwrap_or_else(|| "info,openraft=warn".into()),
            log_json: layer.log_json.unwrap_or(false),
            root_access_key: layer.root_access_key,
            root_secret_key: layer.root_secret_key,
            roles,
            disks,
            data,
        }
    }

    /// Whether this process has `role`.
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether everything is in this process, so that nothing needs the network.
    pub fn is_all_in_one(&self) -> bool {
        Role::ALL.iter().all(|r| self.has(*r))
    }

    /// The members that form a new metadata service, with their addresses.
    pub fn founders(&self) -> Vec<(u64, String)> {
        let named: Vec<_> = self.metadata_members.iter().filter_map(|member| parse_member(member)).collect();
        if named.is_empty() { vec![(self.metadata_id, self.rpc_advertise.clone())] } else { named }
    }

    fn check(&self) -> Result<(), ConfigError> {
        let inconsistent = |text: String| Err(ConfigError::Inconsistent(text));
        if self.roles.is_empty() {
            return inconsistent("roles is empty: name at least one of gateway, metadata, storage-node".into());
        }
        if !self.has(Role::Metadata) && self.metadata_addrs.is_empty() {
            return inconsistent(
                "metadata_addrs is empty: a process without the metadata role must know where it is".into(),
            );
        }
        if let Some(wrong) = self.metadata_members.iter().find(|member| parse_member(member).is_none()) {
            return inconsistent(format!(
                "metadata_members has {wrong:?}: expected NUMBER=HOST:PORT, such as 2=10.0.0.2:9002"
            ));
        }
        if self.has(Role::Metadata) && self.is_all_in_one() && !self.metadata_members.is_empty() {
            return inconsistent(
                "metadata_members is set, but a process with all roles is a cluster of its own: name its roles".into(),
            );
        }
        if self.has(Role::StorageNode) && self.disks.is_empty() {
            return inconsistent("disks is empty: a storage node needs at least one disk directory".into());
        }
        if !(1..=100).contains(&self.compact_dead_percent) {
            return inconsistent(format!("compact_dead_percent is {}: expected 1 to 100", self.compact_dead_percent));
        }
        if !["disk", "node", "rack", "zone"].contains(&self.failure_domain.as_str()) {
            return inconsistent(format!(
                "failure_domain is {:?}: expected disk, node, rack or zone",
                self.failure_domain
            ));
        }
        if self.root_access_key.is_some() != self.root_secret_key.is_some() {
            return inconsistent("set both CAIRN_ROOT_ACCESS_KEY and CAIRN_ROOT_SECRET_KEY, or neither".into());
        }
        if self.root_secret_key.as_ref().is_some_and(|s| s.len() < 8) {
            return inconsistent("CAIRN_ROOT_SECRET_KEY has fewer than 8 characters: choose a longer one".into());
        }
        let mut sorted = self.disks.clone();
        sorted.sort();
        if let Some(pair) = sorted.windows(2).find(|w| w[0] == w[1]) {
            return inconsistent(format!("the disk {} is named twice", pair[0].display()));
        }
        Ok(())
    }
}

/// Takes `NUMBER=HOST:PORT` apart.
fn parse_member(text: &str) -> Option<(u64, String)> {
    let (number, addr) = text.trim().split_once('=')?;
    let number = number.trim().parse().ok().filter(|number| *number > 0)?;
    let addr = addr.trim();
    let port: u16 = addr.rsplit_once(':')?.1.parse().ok()?;
    (port > 0).then(|| (number, addr.to_owned()))
}

fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<Vec<_>>().into_iter()
    }

    #[test]
    fn the_defaults_are_one_process_with_six_disks() {
        let config = Config::load(None, env(&[]), Layer::default()).unwrap();
        assert!(config.is_all_in_one());
        assert_eq!(config.disks.len(), 6);
        assert_eq!(config.disks[0], Path::new("cairn-data/disk1"));
    }

    #[test]
    fn flags_win_over_the_environment_and_that_over_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("cairn.toml");
        std::fs::write(&file, "s3_addr = \"a:1\"\nadmin_addr = \"a:2\"\nregion = \"eu-1\"\n").unwrap();
        let env = env(&[("CAIRN_S3_ADDR", "b:1"), ("CAIRN_ADMIN_ADDR", "b:2"), ("CAIRN_DISK_COUNT", "3")]);
        let flags = Layer { s3_addr: Some("c:1".into()), ..Layer::default() };
        let config = Config::load(Some(&file), env, flags).unwrap();
        assert_eq!((&*config.s3_addr, &*config.admin_addr, &*config.region), ("c:1", "b:2", "eu-1"));
        assert_eq!(config.disks.len(), 3);
    }

    #[test]
    fn the_members_of_the_metadata_service_are_named_with_their_numbers() {
        let set =
            [("CAIRN_ROLES", "metadata"), ("CAIRN_METADATA_ID", "2"), ("CAIRN_METADATA_MEMBERS", "1=a:1,2=[::1]:2")];
        let config = Config::load(None, env(&set), Layer::default()).unwrap();
        assert_eq!(config.founders(), [(1, "a:1".to_owned()), (2, "[::1]:2".to_owned())]);
        assert_eq!(config.metadata_addrs, ["a:1", "[::1]:2"]);
        let alone = [("CAIRN_ROLES", "metadata"), ("CAIRN_RPC_ADVERTISE", "c:3")];
        assert_eq!(Config::load(None, env(&alone), Layer::default()).unwrap().founders(), [(1, "c:3".to_owned())]);
    }

    #[test]
    fn unknown_keys_and_contradictions_are_errors() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("cairn.toml");
        std::fs::write(&file, "s3_adr = \"a:1\"\n").unwrap();
        let error = Config::load(Some(&file), env(&[]), Layer::default()).unwrap_err().to_string();
        assert!(error.contains("s3_adr"), "{error}");
        let error = Config::load(None, env(&[("CAIRN_ROLES", "gateway")]), Layer::default()).unwrap_err();
        assert!(error.to_string().contains("metadata_addrs"));
        let members = [("CAIRN_ROLES", "metadata"), ("CAIRN_METADATA_MEMBERS", "1=a:9002,b:9002")];
        let error = Config::load(None, env(&members), Layer::default()).unwrap_err();
        assert!(error.to_string().contains("\"b:9002\""), "{error}");
        let error = Config::load(None, env(&[("CAIRN_DISK_COUNT", "many")]), Layer::default()).unwrap_err();
        assert!(error.to_string().contains("CAIRN_DISK_COUNT"));
        for percent in ["0", "101"] {
            let error = Config::load(None, env(&[("CAIRN_COMPACT_DEAD_PERCENT", percent)]), Layer::default());
            assert!(error.unwrap_err().to_string().contains(&format!("compact_dead_percent is {percent}")));
        }
    }
}
