//! The table of all keys. A new key is one entry here; its role takes it from its section.

use std::path::PathBuf;
use std::time::Duration;

use cairn_core::id::MemberId;
use cairn_core::profile::FailureDomain;
use cairn_core::unit::{ByteRate, ByteSize};

use super::declare::sections;
use super::defaults;
use super::founder::Founder;
use super::key::{Key, Section, check_range, range_text, read, shown};
use super::role::Role;
use super::secret::Secret;
use super::value::Value;

sections! { |layer|
    /// The process: what it does, where it keeps its state, where it listens.
    [server] Server {
        /// What the process does: any of `gateway`, `metadata`, `storage-node`.
        roles: Vec<Role> = Role::ALL.to_vec(), shown "all", flat roles;
        /// Directory for the process's own state.
        data: PathBuf = defaults::data(), flat data, flag "--data";
        /// Where the admin API and health listen.
        admin_addr: String = "0.0.0.0:9001".into(), flat admin_addr, flag "--admin-addr";
        /// Where internal RPC listens. A process with all roles does not open it.
        rpc_addr: String = defaults::rpc_addr(), flat rpc_addr, flag "--rpc-addr";
        /// The address under which other nodes reach `rpc_addr`: set it wherever that is `0.0.0.0`.
        rpc_advertise: String = defaults::rpc_advertise(layer.server.roles.as_ref(), layer.server.rpc_addr.as_ref()),
            shown "`server.rpc_addr`; empty with all roles", flat rpc_advertise;
    }

    /// How a process joins the cluster. The same for all processes.
    [cluster] Cluster {
        /// File with the secret that all roles share, 16 characters or more.
        secret_file: PathBuf = defaults::in_data(layer.server.data.as_ref(), "cluster-secret"),
            shown "`cluster-secret` in `server.data`", flat cluster_secret_file;
        /// RPC addresses of metadata members, any of them. Processes without that role need them.
        metadata_addrs: Vec<String> = defaults::metadata_addrs(layer.metadata.members.as_ref()),
            shown "those of `metadata.members`", flat metadata_addrs;
    }

    /// The root user's keys. Set both or neither; without them they are generated at the first start. They are never
    /// printed.
    [root] Root {
        /// Access key.
        access_key: Option<Secret> = None, shown "generated", flat root_access_key;
        /// Secret key, 8 characters or more.
        secret_key: Option<Secret> = None, shown "generated", flat root_secret_key;
    }

    /// The S3 front end.
    [gateway] Gateway {
        /// Where S3 clients connect.
        s3_addr: String = "0.0.0.0:9000".into(), flat s3_addr, flag "--s3-addr";
        /// The region that S3 signatures must name.
        region: String = "us-east-1".into(), flat region;
        /// The names of the gateway, under which buckets are hosts as well: `bucket.DOMAIN`. A request to any other name with a
        /// dot is refused, because it may be meant for a bucket.
        domains: Vec<String> = vec!["localhost".into()], flat domains;
        /// Memory for the bodies of all requests together. Beyond it requests wait, then get `503 SlowDown`. At least what
        /// one large copy takes: see [Memory](performance.md#memory).
        memory: ByteSize = ByteSize::from_mib(128), flat memory_bytes;
    }

    /// A member of the metadata service.
    [metadata] Metadata {
        /// This process's member number. Two members never use the same one at the same time.
        id: MemberId = MemberId(1), flat metadata_id;
        /// The members that form a new metadata service, as `NUMBER=HOST:PORT`. A member that is not listed waits until
        /// it is added: see [Metadata members](operations.md#metadata-members).
        members: Vec<Founder> = Vec::new(), shown "this process", flat metadata_members;
        /// Whether a member verifies every page of its files before it starts.
        verify_at_start: bool = true, flat metadata_verify_at_start;
        /// Memory for pages of the metadata state.
        cache: ByteSize = ByteSize::from_mib(64), flat metadata_cache_bytes;
        /// Bytes of the Raft log that a member keeps for others that come back. The log takes at most a quarter of what its
        /// disk has room for, whatever is set here.
        log_kept: ByteSize = ByteSize::from_mib(256);
        /// Time for which an entry of the log is kept, while all fit into `log_kept`.
        log_kept_time: Duration = Duration::from_mins(10);
        /// Bytes of the log that are kept for a member with a snapshot on its way, until it has caught up. Beyond that it
        /// needs another snapshot.
        log_pinned: ByteSize = ByteSize::from_mib(1024);
        /// Space that a metadata member keeps free; below it nothing new is stored, and deletions and repair go on. 0 for
        /// 1 % of its filesystem, at least 64 MiB and at most 256 MiB.
        reserve: ByteSize = ByteSize::from_bytes(0);
        /// The level at which at most `m` shards of an extent lie together: `disk`, `node`, `rack` or `zone`. Read when
        /// the cluster is formed. Writes are refused while fewer than two such domains exist.
        failure_domain: FailureDomain = defaults::failure_domain(layer.server.roles.as_ref()),
            shown "`disk` with all roles in one process, else `node`", flat failure_domain;
        /// Time from the deletion of an object until its space is freed.
        reclaim_grace: Duration = Duration::from_mins(1), flat reclaim_grace_s;
        /// Time after which the session of a silent gateway is ended.
        session_lease: Duration = Duration::from_secs(30), flat session_lease_s;
        /// Time without a heartbeat after which a node's disks count as unavailable.
        node_silence: Duration = Duration::from_secs(5), flat node_silence_s;
    }

    /// Backups of the metadata, made by the member that leads: see
    /// [Backups of the metadata](operations.md#backups-of-the-metadata).
    [backup] Backup {
        /// Directory for scheduled backups; without it there are none outside the store.
        dir: Option<PathBuf> = None, flat metadata_backup_dir;
        /// Time between two backups.
        interval: Duration = Duration::from_hours(1), range Duration::from_secs(1).., flat metadata_backup_interval_s;
        /// Backups that are kept in the directory.
        kept: u32 = 48, range 1.., flat metadata_backups_kept;
        /// Backups that are kept in the store itself, made at the same interval; 0 for none.
        kept_in_store: u32 = 4, flat metadata_backups_in_store;
    }

    /// The owner of disks.
    [storage_node] StorageNode {
        /// The node's name, for people.
        name: String = defaults::host_name(), shown "the host's name", flat node_name;
        /// The zone that the node stands in.
        zone: String = String::new(), flat zone;
        /// The rack that the node stands in.
        rack: String = String::new(), flat rack;
        /// One directory for each disk.
        disks: Vec<PathBuf> =
            defaults::disks(layer.server.data.as_ref(), layer.storage_node.disk_count),
            shown "`disk1` … in `server.data`", flat disks, flag "--disk";
        /// Number of directories to create where `disks` is not set.
        disk_count: u32 = defaults::disk_count(layer.storage_node.disks.as_ref()), flat disk_count, flag "--disks";
        /// Free space below which a disk takes no new shards; 0 for 1 % of the disk, at least 256 MiB.
        reserve: ByteSize = ByteSize::from_bytes(0), flat reserve_bytes;
        /// Time between two searches for shards that nothing references.
        collect_interval: Duration = Duration::from_mins(15), flat collect_interval_s;
    }

    /// Verification of what lies on the disks, by the storage node.
    [scrub] Scrub {
        /// Time within which every shard is verified again; 0 for never.
        period: Duration = Duration::from_hours(30 * 24), flat scrub_period_s;
        /// The fastest that a scrub reads one disk.
        rate_max: ByteRate = ByteRate::from_mib_per_s(64), flat scrub_bytes_per_s_max;
    }

    /// Compaction of sparse volumes, by the storage node.
    [compaction] Compaction {
        /// Percentage of dead bytes from which a volume is compacted. Less frees space sooner and copies more.
        dead_percent: u8 = 50, range 1..=100, flat compact_dead_percent;
        /// The fastest that compaction copies on one disk; 0 for no compaction.
        rate_max: ByteRate = ByteRate::from_mib_per_s(32), flat compact_bytes_per_s_max;
    }

    /// Repair, drains and rebalancing, by the metadata member that leads. The rates count for each node that takes shards.
    [repair] Repair {
        /// Time after which the shards of an absent disk are rebuilt on others.
        grace: Duration = Duration::from_mins(10), flat repair_grace_s;
        /// The fastest that a node writes repaired shards while no client is at work.
        rate_max: ByteRate = ByteRate::from_mib_per_s(256), flat repair_bytes_per_s_max;
        /// The same while clients are at work: within two seconds of a request for an object.
        rate_max_busy: ByteRate = ByteRate::from_mib_per_s(32), flat repair_bytes_per_s_busy_max;
        /// The rate that a node is granted however busy its disks are.
        rate_min: ByteRate = ByteRate::from_mib_per_s(8), flat repair_bytes_per_s_min;
        /// Time within which every disk's list of shards is compared with the metadata, both ways.
        comparison_period: Duration = Duration::from_hours(7 * 24), range Duration::from_secs(1)..;
    }

    /// Lifecycle rules: see [Lifecycle rules](operations.md#lifecycle-rules).
    [lifecycle] Lifecycle {
        /// Time between the starts of two passes over the buckets that have rules.
        interval: Duration = Duration::from_hours(1), range Duration::from_secs(1).., flat lifecycle_interval_s;
        /// Length of the day that rules count in. For tests only: a shorter day deletes early. The same in all processes.
        day: Duration = Duration::from_hours(24), range Duration::from_secs(1).., flat lifecycle_day_s;
    }

    /// The log, on standard error.
    [log] Log {
        /// What is logged, in the syntax of `RUST_LOG`.
        filter: String = "info,openraft=warn".into(), flat log;
        /// Whether log lines are JSON.
        json: bool = false, flat log_json;
    }
}
