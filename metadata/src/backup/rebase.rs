//! Restarts a cluster on one member, from a state that the lost members may have gone beyond.
//!
//! Commits, sessions and buckets may exist that this state does not know: shards on disks carry their session's
//! number, and storage nodes remember the newest commit. So the restarted cluster leaves a wide gap in all numbers
//! before it issues its own. It deletes nothing that may have been written before, until an operator confirms that
//! the state has been compared with the disks (I13, I15).

use std::collections::BTreeMap;
use std::path::Path;

use cairn_core::cluster_map::ClusterMap;
use cairn_core::id::{CommitSequence, Epoch};
use cairn_protocol::metadata::query::RestoreHold;
use openraft::{BasicNode, CommittedLeaderId, LogId, Membership, StoredMembership};
use redb::{Database, Durability};

use crate::directory;
use crate::error::StoreError;
use crate::raft::Vote;
use crate::raft::codec::{LogIdRow, MembershipRow};
use crate::raft::fitness::check_level;
use crate::raft::log_store::LogStore;
use crate::state::commands::place;
use crate::state::tables::history::History;
use crate::state::tables::members::{self, MembershipRecord};
use crate::state::tables::{Tables, counters, meta};
use cairn_core::id::Incarnation;
use cairn_core::id::MemberId;

/// Log entries skipped: more than a cluster ever writes between two recoveries. 42 bits last for 1,024 recoveries.
pub(super) const LOG_GAP: u64 = 1 << 32;
/// Epochs of the cluster map skipped.
pub(super) const EPOCH_GAP: u64 = 1 << 20;
/// Sessions and buckets skipped.
const COUNTER_GAP: u64 = 1 << 20;

/// The member on which the cluster restarts.
pub(super) struct Beginner<'a> {
    pub(super) member: MemberId,
    pub(super) addr: &'a str,
    pub(super) incarnation: Incarnation,
}

/// Turns the state in `database` into the start of a recovered cluster, and writes a matching log to `dir`. Nothing
/// is valid until the identity file is written, which comes last.
pub(super) fn rebase(
    dir: &Path,
    database: &Database,
    beginner: &Beginner<'_>,
    before: LogIdRow,
    backup_commit: CommitSequence,
) -> Result<(), StoreError> {
    let before = LogId::from(before);
    let term = before.leader_id.term + 1;
    let applied = LogId::new(CommittedLeaderId::new(term, beginner.member), before.index + LOG_GAP);
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    let cluster = {
        let mut tables = Tables::open(&transaction)?;
        check_level("the metadata", tables.map()?.as_deref())?;
        let nodes = BTreeMap::from([(beginner.member, BasicNode::new(beginner.addr))]);
        let membership = Membership::new(vec![[beginner.member].into()], nodes);
        let membership = StoredMembership::new(Some(applied), membership);
        meta::put(&mut tables.meta, meta::APPLIED, &LogIdRow::from(applied))?;
        meta::put(&mut tables.meta, meta::MEMBERSHIP, &MembershipRow::from(&membership))?;
        let recoveries = members::record(&tables.meta)?.recoveries() + 1;
        let record =
            MembershipRecord { members: vec![(beginner.member, beginner.incarnation)], recoveries: Some(recoveries) };
        members::put_record(&mut tables.meta, &record)?;
        for counter in [counters::BUCKET, counters::SESSION] {
            let next = counters::get(&tables.counters, counter)? + COUNTER_GAP;
            tables.counters.insert(counter, next)?;
        }
        let sessions_before = counters::get(&tables.counters, counters::SESSION)? + 1;
        meta::put(&mut tables.meta, meta::RESTORED, &RestoreHold::new(backup_commit, sessions_before))?;
        let began = place(meta::group(&tables.meta)?, applied.index, 0)?;
        meta::put(&mut tables.meta, meta::HISTORY, &History::begin(began))?;
        // The time of the outage is nobody's absence.
        tables.meta.remove(meta::ABSENCES)?;
        // Every gateway opens a new session, numbered after the gap.
        tables.sessions.retain(|_, _| false)?;
        tables.findings.retain(|_, _| false)?;
        // Whoever holds a newer map from before must accept the maps that follow.
        let map = tables.map()?;
        if let Some(map) = &map {
            tables.set_map(ClusterMap { epoch: Epoch(map.epoch.0 + EPOCH_GAP), ..map.as_ref().clone() })?;
        }
        map.map(|map| map.cluster)
    };
    transaction.commit()?;
    let damaged = |detail: &str| StoreError::Damaged { table: "cluster_map", detail: detail.to_owned() };
    let cluster = cluster.ok_or_else(|| damaged("the state is of no cluster"))?;
    LogStore::begin_at(&dir.join("log.redb"), applied, Vote::new(term, beginner.member))?;
    directory::write_formed(dir, beginner.member, cluster, beginner.incarnation)
}
