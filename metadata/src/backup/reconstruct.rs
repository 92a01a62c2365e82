//! From nothing but the disks to a member that begins a new life of the cluster with an empty namespace: what lies on the
//! disks comes back when the service that starts there is compared with them.

use std::path::PathBuf;

use cairn_core::cluster_map::ClusterMap;
use cairn_core::id::Incarnation;
use cairn_core::id::{ClusterId, CommitSequence, Epoch};
use cairn_core::profile::{FailureDomain, Profile};
use cairn_core::random::RandomSource;
use openraft::{CommittedLeaderId, LogId};

use super::BackupError;
use super::rebase::{Beginner, EPOCH_GAP, LOG_GAP, rebase};
use crate::error::StoreError;
use crate::raft::snapshot::Loader;
use crate::state::commands;
use crate::state::tables::members::{self, MembershipRecord};
use crate::state::tables::{Tables, cluster_map, counters};
use cairn_core::id::MemberId;

/// Bytes of pages that are kept in memory meanwhile.
const CACHE_BYTES: usize = 16 << 20;

/// What is known of the lost life.
#[derive(Debug, Clone)]
pub struct ReconstructOptions {
    /// The directory of the member; empty or not there.
    pub dir: PathBuf,
    /// The member, which will be the only one.
    pub member: MemberId,
    /// `host:port` under which others reach it; empty if nobody does.
    pub addr: String,
    /// The cluster, as the disks say.
    pub cluster: ClusterId,
    /// The newest commit that any storage node has seen.
    pub commit: CommitSequence,
    /// The highest number of a session of which any disk holds a shard.
    pub session_number: u64,
    /// The level at which at most `m` shards of an extent lie together from now on.
    pub failure_domain: FailureDomain,
}

/// Begins the new life. Nothing is left of an attempt that fails but files that do not count.
pub fn reconstruct(options: &ReconstructOptions, random: &dyn RandomSource) -> Result<(), BackupError> {
    let dir = &options.dir;
    super::restore::expect_empty(dir)?;
    let database = Loader::create(&dir.join("state.redb"), CACHE_BYTES)?.finish()?;
    let index = commands::index_of(options.commit);
    // Each life begins with a gap in the log: so many there were at most.
    let recoveries = index / LOG_GAP;
    let transaction = database.begin_write().map_err(StoreError::from)?;
    {
        let mut tables = Tables::open(&transaction)?;
        members::put_record(&mut tables.meta, &MembershipRecord { members: Vec::new(), recoveries: Some(recoveries) })?;
        tables.counters.insert(counters::SESSION, options.session_number).map_err(StoreError::from)?;
        let map = ClusterMap::empty(options.cluster, Profile::defaults(options.failure_domain));
        cluster_map::put(&mut tables.cluster_map, &ClusterMap { epoch: Epoch(recoveries * EPOCH_GAP + 1), ..map })?;
    }
    transaction.commit().map_err(StoreError::from)?;
    let beginner = Beginner { member: options.member, addr: &options.addr, incarnation: Incarnation::draw(random) };
    let before = LogId::new(CommittedLeaderId::new(0, options.member), index);
    Ok(rebase(dir, &database, &beginner, before.into(), CommitSequence(0))?)
}
