//! A new life of a cluster, begun by one member from a state that others may have gone beyond.
//!
//! Commits, sessions and buckets of the life before may exist of which this state knows nothing: shards on disks carry
//! their session's number, storage nodes remember the newest commit. So the new life leaves a wide gap in all numbers
//! before it gives out its own. And it deletes nothing that the life before may have written, until somebody says that
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
use crate::raft::log_store::LogStore;
use crate::state::commands;
use crate::state::tables::history::History;
use crate::state::tables::members::{self, MembershipRecord};
use crate::state::tables::{Tables, cluster_map, counters, meta};
use cairn_core::id::Incarnation;
use cairn_core::id::MemberId;

/// Log entries left out: more than any life has, and 48 bits of them last for 65,536 lives.
pub(super) const LOG_GAP: u64 = 1 << 32;
/// Epochs of the cluster map left out.
pub(super) const EPOCH_GAP: u64 = 1 << 20;
/// Sessions and buckets left out.
const COUNTER_GAP: u64 = 1 << 20;

/// Who begins the new life.
pub(super) struct Beginner<'a> {
    pub(super) member: MemberId,
    pub(super) addr: &'a str,
    pub(super) incarnation: Incarnation,
}

/// Turns the state in `database` into the beginning of a new life, and writes a log that goes with it to `dir`. Nothing
/// counts before the identity is written, which comes last.
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
        meta::put(&mut tables.meta, meta::HISTORY, &History::begin(commands::sequence(applied.index, 0)))?;
        // Every gateway opens a session anew, with a number behind the gap.
        tables.sessions.retain(|_, _| false)?;
        tables.findings.retain(|_, _| false)?;
        // Whoever has a newer map of the life before must take the ones that come now.
        let map = cluster_map::get(&tables.cluster_map)?;
        let map = map.map(|map| ClusterMap { epoch: Epoch(map.epoch.0 + EPOCH_GAP), ..map });
        if let Some(map) = &map {
            cluster_map::put(&mut tables.cluster_map, map)?;
        }
        map.map(|map| map.cluster)
    };
    transaction.commit()?;
    let damaged = |detail: &str| StoreError::Damaged { table: "cluster_map", detail: detail.to_owned() };
    let cluster = cluster.ok_or_else(|| damaged("the state is of no cluster"))?;
    LogStore::begin_at(&dir.join("log.redb"), applied, Vote::new(term, beginner.member))?;
    directory::write_formed(dir, beginner.member, cluster, beginner.incarnation)
}
