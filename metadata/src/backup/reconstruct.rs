//! Creates a member with an empty namespace from the disks alone. The objects come back when the service started on
//! it is compared with the disks.

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
use crate::space::Space;
use crate::state::tables::members::{self, MembershipRecord};
use crate::state::tables::{Tables, counters, meta};
use cairn_core::id::MemberId;

/// Page cache in bytes.
const CACHE_BYTES: usize = 16 << 20;

/// What is known of the lost cluster.
#[derive(Debug, Clone)]
pub struct ReconstructOptions {
    /// The member's directory: empty or absent.
    pub dir: PathBuf,
    /// The member, which will be the only one.
    pub member: MemberId,
    /// `host:port` under which others reach it; empty if nobody does.
    pub addr: String,
    /// The cluster id found on the disks.
    pub cluster: ClusterId,
    /// The newest commit that any storage node has seen of the group.
    pub commit: CommitSequence,
    /// The highest session number of which any disk holds a shard.
    pub session_number: u64,
    /// From now on at most `m` shards of an extent may be in one domain of this level.
    pub failure_domain: FailureDomain,
}

/// A failed attempt leaves only files that have no effect.
pub fn reconstruct(options: &ReconstructOptions, random: &dyn RandomSource) -> Result<(), BackupError> {
    let dir = &options.dir;
    super::restore::expect_empty(dir)?;
    let database = Loader::create(&dir.join("state.redb"), CACHE_BYTES, &Space::of(dir, 0))?.finish()?;
    let index = options.commit.index();
    // Each recovery begins with a gap in the log, so there were at most this many.
    let recoveries = index / LOG_GAP;
    let transaction = database.begin_write().map_err(StoreError::from)?;
    {
        let mut tables = Tables::open(&transaction)?;
        meta::put(&mut tables.meta, meta::GROUP, &options.commit.group())?;
        members::put_record(&mut tables.meta, &MembershipRecord { members: Vec::new(), recoveries: Some(recoveries) })?;
        tables.counters.insert(counters::SESSION, options.session_number).map_err(StoreError::from)?;
        let map = ClusterMap::empty(options.cluster, Profile::defaults(options.failure_domain));
        tables.set_map(ClusterMap { epoch: Epoch(recoveries * EPOCH_GAP + 1), ..map })?;
    }
    transaction.commit().map_err(StoreError::from)?;
    let beginner = Beginner { member: options.member, addr: &options.addr, incarnation: Incarnation::draw(random) };
    let before = LogId::new(CommittedLeaderId::new(0, options.member), index);
    Ok(rebase(dir, &database, &beginner, before.into(), CommitSequence(0))?)
}
