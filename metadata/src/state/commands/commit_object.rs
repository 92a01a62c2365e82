//! See [`CommitObject`].

use crate::state::stored::CommitObject;
use cairn_core::version::VersionKind;
use cairn_protocol::metadata::Outcome;
use cairn_protocol::metadata::command::ObjectCommitted;
use cairn_protocol::metadata::content::Content;
use cairn_protocol::metadata::settings::SettingKind;

use super::body::{self, Known};
use super::context::Context;
use super::key_versions::KeyVersions;
use super::precondition::check_precondition;
use super::revision::check_revision;
use crate::error::Refused;
use crate::state::tables::versions::VersionRow;
use crate::state::tables::{Tables, buckets, usage};

pub(super) fn apply(tables: &mut Tables<'_>, command: &CommitObject, context: Context) -> Result<Outcome, Refused> {
    let bucket = buckets::get(&tables.buckets, &command.bucket)?;
    let key = KeyVersions::of(&bucket, command.key.as_str().as_bytes());
    let lifecycle = bucket.document(SettingKind::LIFECYCLE);
    let body_content = command.body.as_ref().map_or(Content::Empty, |body| Content::Run(body.run));

    if body::check(tables, command.session, command.body.as_ref())? == Known::Committed {
        // The answer to the first attempt was lost. If another version has replaced it since, it was still committed.
        let first = key.find_content(tables, &body_content)?;
        let (sequence, last_modified_ms, version) = match first {
            Some((sequence, row)) => (sequence, row.last_modified_ms, key.id(row.kind, sequence)),
            None => (context.sequence, context.now_ms, None),
        };
        return Ok(Outcome::ObjectCommitted(ObjectCommitted { sequence, last_modified_ms, lifecycle, version }));
    }
    check_revision(&bucket, command.revision)?;
    let current = key.current(tables)?;
    check_precondition(&command.precondition, current.as_ref().map(|(_, row)| &row.etag))?;

    if let Some(body) = &command.body {
        body::record(tables, body)?;
    }
    let row = VersionRow {
        size: command.body.as_ref().map_or(0, |body| body.run.size),
        etag: command.etag,
        last_modified_ms: context.now_ms,
        content: body_content,
        headers: command.headers.clone(),
        checksum: command.checksum.clone(),
        parts: None,
        storage_class: command.storage_class,
        kind: VersionKind::Null,
    };
    let made = key.put(tables, (context, 0), current, row)?;
    usage::add(&mut tables.usage, bucket.id, made.change)?;
    let (sequence, last_modified_ms, version) = (context.sequence, context.now_ms, made.id);
    Ok(Outcome::ObjectCommitted(ObjectCommitted { sequence, last_modified_ms, lifecycle, version }))
}

#[cfg(test)]
mod tests {
    use cairn_core::cluster_map::{DiskEvent, DiskState};
    use cairn_core::etag::ETag;
    use cairn_core::id::{DiskNumber, SessionId};
    use cairn_protocol::metadata::Rejection;
    use cairn_protocol::metadata::command::{ChangeDisks, CommitObject, EndSession, Precondition, SetDiskStates};

    use crate::state::commands::testing::{State, disk_id, registration};
    use crate::state::tables::disk_extents;

    #[test]
    fn a_commit_replaces_and_releases_the_old_content() {
        let state = State::with_bucket();
        let first = state.put("a", 1000);
        assert_eq!(state.usage(), (1, 1000, 0));
        let second = state.put("a", 30);
        assert_eq!(state.usage(), (1, 30, 0));
        assert_eq!(state.reclaim_runs(), [first.run]);
        assert_eq!(state.newest("a").unwrap().1.size, 30);
        assert_eq!(state.located(&second.run), second.run.count());
        assert_eq!(state.located(&first.run), first.run.count(), "the extents stay until they are deleted");
    }

    #[test]
    fn the_fence_refuses_ended_unknown_and_foreign_sessions() {
        let state = State::with_bucket();
        let body = state.body(10);
        let commit = state.commit("a", Some(body.clone()));
        let foreign = CommitObject { session: SessionId(77), ..commit.clone() };
        assert_eq!(state.refused(foreign), Rejection::SessionEnded(SessionId(77)));
        let other = state.open_session(2);
        let stolen = CommitObject { session: other, ..commit.clone() };
        assert!(matches!(state.refused(stolen), Rejection::Topology(_)));
        state.apply(EndSession { session: state.session() }).unwrap();
        assert_eq!(state.refused(commit), Rejection::SessionEnded(state.session()));
        assert_eq!(state.extents(), 0);
    }

    #[test]
    fn a_repeated_commit_returns_the_same_even_after_its_session_ended() {
        let state = State::with_bucket();
        let commit = state.commit("a", Some(state.body(10)));
        let first = state.apply(commit.clone()).unwrap();
        state.apply(EndSession { session: state.session() }).unwrap();
        assert_eq!(state.apply(commit), Ok(first));
        assert_eq!((state.usage(), state.reclaim_runs().len()), ((1, 10, 0), 0));
    }

    #[test]
    fn a_late_repetition_never_brings_replaced_content_back() {
        let state = State::with_bucket();
        let commit = state.commit("a", Some(state.body(10)));
        state.apply(commit.clone()).unwrap();
        state.put("a", 20);
        state.apply(commit).unwrap();
        assert_eq!(state.newest("a").unwrap().1.size, 20);
        assert_eq!(state.usage(), (1, 20, 0));
    }

    #[test]
    fn missing_shards_are_queued_for_repair_in_the_same_transaction() {
        let state = State::with_bucket();
        let mut body = state.body(10);
        body.extents[0].locations[1] = None;
        state.apply(state.commit("a", Some(body.clone()))).unwrap();
        assert_eq!(state.repair(), [(body.run.first, 1)]);
        let mut lost = state.body(10);
        lost.extents[0].locations.fill(None);
        assert!(matches!(state.refused(state.commit("b", Some(lost))), Rejection::Topology(_)));
    }

    /// I27: a write that takes long ends after a disk that it wrote to was drained, found empty and removed.
    #[test]
    fn a_shard_on_a_disk_that_has_left_is_missing_and_below_the_quorum_the_commit_is_refused() {
        let state = State::with_bucket();
        state.apply(registration(1, 4)).unwrap();
        let commits = ["a", "b"].map(|key| state.commit(key, Some(state.body(10))));
        let leave = |disk| {
            for event in [DiskEvent::Drain, DiskEvent::Remove] {
                state.apply(ChangeDisks { changes: vec![(disk_id(1, disk), event)], force: false }).unwrap();
            }
        };
        leave(1);
        let [first, second] = commits;
        let extent = first.body.as_ref().unwrap().run.first;
        state.apply(first.clone()).unwrap();
        assert_eq!(state.repair(), [(extent, 1)], "queued in the same commit");
        let table = state.view().disk_extents().unwrap();
        assert!(disk_extents::is_empty(&table, DiskNumber(2)).unwrap(), "nothing refers to a removed disk");
        leave_failed(&state, 2);
        assert!(matches!(state.refused(second), Rejection::Topology(_)), "one shard of three is below the quorum");
        state.apply(first).expect("what was committed stays committed");
        let upload = state.create_upload("m");
        assert!(matches!(state.refused(state.part("m", upload, 1, Some(state.body(10)))), Rejection::Topology(_)));
    }

    /// The disk is away for longer than the grace.
    fn leave_failed(state: &State, disk: u8) {
        state.apply(SetDiskStates { states: vec![(disk_id(1, disk), DiskState::Unavailable)] }).unwrap();
        let changes = vec![(disk_id(1, disk), DiskEvent::GraceOver)];
        state.apply(ChangeDisks { changes, force: false }).unwrap();
    }

    #[test]
    fn a_conditional_write_has_one_winner() {
        let state = State::with_bucket();
        let absent = Precondition { must_not_exist: true, ..Precondition::default() };
        let attempt = || CommitObject { precondition: absent.clone(), ..state.commit("a", Some(state.body(5))) };
        state.apply(attempt()).unwrap();
        assert_eq!(state.refused(attempt()), Rejection::PreconditionFailed);
        let other_tag = Precondition { if_match: vec![ETag::single([0xee; 16])], ..Precondition::default() };
        let conditional = |key| CommitObject { precondition: other_tag.clone(), ..state.commit(key, None) };
        assert_eq!(state.refused(conditional("a")), Rejection::PreconditionFailed);
        assert_eq!(state.refused(conditional("nothing")), Rejection::NoSuchKey);
        assert_eq!(state.usage(), (1, 5, 0), "a refused command leaves no trace");
    }
}
