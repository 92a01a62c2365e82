//! See [`AdoptObject`].

use crate::state::stored::AdoptObject;
use cairn_core::id::{BucketId, CommitSequence, UploadId};
use cairn_core::version::VersionKind;
use cairn_protocol::metadata::command::{AdoptedBody, AdoptedPart, Adoption};
use cairn_protocol::metadata::content::Content;
use cairn_protocol::metadata::query::{Finding, FindingKind, RestoreHold};
use cairn_protocol::metadata::{Outcome, Rejection};
use redb::ReadableTable;

use super::body::Needed;
use super::key_versions::{Current, KeyVersions, Made};
use super::{Context, body};
use crate::error::{Refused, StoreError};
use crate::state::tables::buckets::BucketRow;
use crate::state::tables::parts::PartRow;
use crate::state::tables::versions::VersionRow;
use crate::state::tables::{Row, Tables, buckets, counters, extents, findings, meta, parts, usage};

pub(super) fn apply(tables: &mut Tables<'_>, command: &AdoptObject, context: Context) -> Result<Outcome, Refused> {
    let hold = held(tables)?;
    let mut known = false;
    for placed in command.body.runs() {
        body::check_shape(placed.run.first.session, placed)?;
        known |= extents::get(&tables.extents, placed.run.first)?.is_some();
    }
    let first = command.body.runs().next().map(|placed| placed.run.first);
    let first = first.ok_or_else(|| Rejection::Topology("a body without extents is adopted".to_owned()))?;
    if known {
        return Ok(Outcome::Adopted(Adoption::Known));
    }
    for placed in command.body.runs() {
        body::check_places(tables, placed, Needed::Readable)?;
    }
    let bucket = existing_bucket(tables, command)?;
    let key = command.key.as_str().as_bytes();
    let newest = match &bucket {
        Some(bucket) => KeyVersions::of(bucket, key).current(tables)?,
        None => None,
    };
    let is_newer = match &newest {
        Some((sequence, old)) => is_newer(tables, &hold, *sequence, old, command)?,
        None => false,
    };
    let adoption = if is_newer || knows_upload(tables, bucket.as_ref().map(|bucket| bucket.id), command)? {
        Adoption::Superseded
    } else {
        Adoption::Adopted
    };
    if adoption == Adoption::Adopted {
        let bucket = match bucket {
            Some(bucket) => bucket,
            None => make_bucket(tables, command, context)?,
        };
        let made = put(tables, command, context, KeyVersions::of(&bucket, key), newest)?;
        if let Some(old) = made.dropped {
            give_way(tables, old.content)?;
        }
        usage::add(&mut tables.usage, bucket.id, made.change)?;
    }
    let (kind, detail) = match (&adoption, &command.body) {
        (Adoption::Superseded, _) => (FindingKind::Superseded, "the key holds something newer"),
        (_, AdoptedBody::Run(_)) => (FindingKind::Recovered, ""),
        (_, AdoptedBody::Parts(..)) => {
            (FindingKind::Recovered, "from the parts of an upload: whether it was completed, the disks do not say")
        }
    };
    let finding = Finding {
        extent: first,
        kind,
        bucket: Some(command.bucket.clone()),
        key: Some(command.key.clone()),
        bytes: command.body.size(),
        written_ms: command.written_ms,
        detail: detail.to_owned(),
    };
    findings::put(&mut tables.findings, finding)?;
    Ok(Outcome::Adopted(adoption))
}

/// Whether the key's version is newer than the body to adopt. A version written after the restore is newer than
/// everything from before. Among those from before, the writers' clocks decide, because nothing else is left to
/// compare.
fn is_newer(
    tables: &Tables<'_>,
    hold: &RestoreHold,
    sequence: CommitSequence,
    version: &VersionRow,
    command: &AdoptObject,
) -> Result<bool, StoreError> {
    let of_this_life = sequence > hold.backup_commit && adopted_as(tables, version.content)?.is_none();
    Ok(of_this_life || (version.last_modified_ms > command.written_ms && !command.replaces_unreadable))
}

/// The finding under which a content was adopted.
fn adopted_as(tables: &Tables<'_>, content: Content) -> Result<Option<Finding>, StoreError> {
    let first = match content {
        Content::Empty => None,
        Content::Run(run) => Some(run.first),
        Content::Parts(upload) => parts::from(&tables.parts, upload, 0)?
            .next()
            .transpose()?
            .and_then(|(_, part)| part.run)
            .map(|run| run.first),
    };
    match first {
        Some(extent) => findings::get(&tables.findings, extent),
        None => Ok(None),
    }
}

/// Marks an adopted content as superseded, because a newer one replaces it in the namespace.
fn give_way(tables: &mut Tables<'_>, content: Content) -> Result<(), StoreError> {
    if let Some(finding) = adopted_as(tables, content)? {
        let detail = "something newer was found on the disks".to_owned();
        findings::put(&mut tables.findings, Finding { kind: FindingKind::Superseded, detail, ..finding })?;
    }
    Ok(())
}

/// The hold of a service that is being compared with the disks. Refused if there is none.
pub(super) fn held(tables: &Tables<'_>) -> Result<RestoreHold, Refused> {
    let hold: Option<RestoreHold> = meta::get(&tables.meta, meta::RESTORED)?;
    hold.ok_or_else(|| Rejection::Topology("the service is not being compared with the disks".to_owned()).into())
}

fn existing_bucket(tables: &Tables<'_>, command: &AdoptObject) -> Result<Option<BucketRow>, Refused> {
    match buckets::get(&tables.buckets, &command.bucket) {
        Ok(row) => Ok(Some(row)),
        Err(Refused::Rejected(Rejection::NoSuchBucket)) => Ok(None),
        Err(other) => Err(other),
    }
}

fn make_bucket(tables: &mut Tables<'_>, command: &AdoptObject, context: Context) -> Result<BucketRow, StoreError> {
    let id = BucketId::new(context.sequence.group(), counters::next(&mut tables.counters, counters::BUCKET)?);
    let row = BucketRow::new(id, context.sequence, context.now_ms, String::new());
    buckets::put(&mut tables.buckets, &command.bucket, &row)?;
    Ok(row)
}

/// Whether the state knows the upload. An upload that was in progress at the time of the backup is not mixed with
/// parts written after it.
fn knows_upload(tables: &Tables<'_>, bucket: Option<BucketId>, command: &AdoptObject) -> Result<bool, StoreError> {
    let AdoptedBody::Parts(upload, _) = &command.body else { return Ok(false) };
    let key = |bucket: BucketId| (bucket.0, command.key.as_str().as_bytes(), upload.0);
    let under_way = match bucket {
        Some(bucket) => tables.uploads.get(key(bucket))?.is_some(),
        None => false,
    };
    Ok(under_way || parts::from(&tables.parts, *upload, 0)?.next().transpose()?.is_some())
}

fn put(
    tables: &mut Tables<'_>,
    command: &AdoptObject,
    context: Context,
    versions: KeyVersions<'_>,
    current: Current,
) -> Result<Made, StoreError> {
    for placed in command.body.runs() {
        body::record(tables, placed)?;
    }
    let (body, parts) = match &command.body {
        AdoptedBody::Run(placed) => (Content::Run(placed.run), None),
        AdoptedBody::Parts(upload, parts) => {
            insert_parts(tables, *upload, parts, command.written_ms)?;
            (Content::Parts(*upload), Some(parts.len() as u32))
        }
    };
    let row = VersionRow {
        size: command.body.size(),
        etag: command.etag,
        last_modified_ms: command.written_ms,
        content: body,
        headers: command.headers.clone(),
        checksum: None,
        parts,
        storage_class: command.storage_class,
        kind: VersionKind::Null,
    };
    versions.put(tables, (context, 0), current, row)
}

fn insert_parts(
    tables: &mut Tables<'_>,
    upload: UploadId,
    parts: &[AdoptedPart],
    last_modified_ms: u64,
) -> Result<(), StoreError> {
    let mut offset = 0;
    for part in parts {
        let run = Some(part.body.run);
        let row = PartRow { run, etag: part.etag, last_modified_ms, checksum: None, offset };
        tables.parts.insert((upload.0, part.number.get()), row.to_bytes().as_slice())?;
        offset += part.body.run.size;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use cairn_core::etag::ETag;
    use cairn_core::id::{DiskNumber, PartNumber};
    use cairn_core::name::{BucketName, ObjectKey};
    use cairn_core::storage_class::StorageClass;
    use cairn_protocol::metadata::PlacedRun;
    use cairn_protocol::metadata::command::{EndReconciliation, EndSession};
    use cairn_protocol::metadata::query::ReconcileTotals;

    use super::*;
    use crate::state::commands::testing::{State, disk_id, registration};
    use crate::state::queries::classify_shards::classify_shards;

    fn held_state() -> State {
        let state = State::with_bucket();
        state.put("old", 10);
        state.hold(CommitSequence(1 << 30));
        state
    }

    fn adoption(state: &State, key: &str, body: AdoptedBody, written_ms: u64) -> AdoptObject {
        AdoptObject {
            bucket: state.bucket(),
            key: ObjectKey::new(key).unwrap(),
            body,
            etag: ETag::single([9; 16]),
            headers: Vec::new(),
            written_ms,
            replaces_unreadable: false,
            storage_class: StorageClass::OnezoneIa,
        }
    }

    fn adopt(state: &State, key: &str, body: PlacedRun, written_ms: u64) -> Adoption {
        match state.apply(adoption(state, key, AdoptedBody::Run(body), written_ms)).unwrap() {
            Outcome::Adopted(adoption) => adoption,
            other => panic!("{other:?}"),
        }
    }

    /// I16: a body that is whole on the disks is listed in the namespace again, once, in place of an older one.
    #[test]
    fn an_adopted_body_is_a_version_like_any_other_and_listed() {
        let state = held_state();
        let body = state.body(30);
        assert_eq!(adopt(&state, "new", body.clone(), 5), Adoption::Adopted);
        assert_eq!(adopt(&state, "new", body.clone(), 5), Adoption::Known);
        let (_, row) = state.newest("new").unwrap();
        assert_eq!((row.last_modified_ms, row.storage_class), (5, StorageClass::OnezoneIa));
        assert_eq!(adopt(&state, "old", state.body(7), 0), Adoption::Superseded);
        assert_eq!(adopt(&state, "old", state.body(8), 1 << 50), Adoption::Adopted);
        assert_eq!((state.usage(), state.reclaim_runs().len()), ((2, 38, 0), 1));
        let found = findings::page(&state.view().findings().unwrap(), None, 10).unwrap();
        let kinds: Vec<_> = found.iter().map(|finding| finding.kind).collect();
        assert_eq!(kinds, [FindingKind::Recovered, FindingKind::Superseded, FindingKind::Recovered]);
        assert_eq!(adopt(&state, "old", state.body(9), 1 << 51), Adoption::Adopted, "newer than what was adopted");
        let found = findings::page(&state.view().findings().unwrap(), None, 10).unwrap();
        assert_eq!(found[2].kind, FindingKind::Superseded);
        let other = BucketName::new("another").unwrap();
        let command =
            AdoptObject { bucket: other.clone(), ..adoption(&state, "x", AdoptedBody::Run(state.body(1)), 1) };
        state.apply(command).unwrap();
        assert!(state.bucket_id(&other) > state.bucket_id(&state.bucket()), "its bucket is made");
    }

    #[test]
    fn an_unreadable_version_is_replaced_and_nothing_is_adopted_without_a_hold() {
        let state = held_state();
        let body = AdoptedBody::Run(state.body(3));
        let command = AdoptObject { replaces_unreadable: true, ..adoption(&state, "old", body, 0) };
        assert_eq!(state.apply(command.clone()), Ok(Outcome::Adopted(Adoption::Adopted)));
        state.write(|tables| drop(tables.meta.remove(meta::RESTORED).unwrap()));
        assert!(matches!(state.refused(command), Rejection::Topology(_)));
    }

    #[test]
    fn adopted_parts_become_one_object_in_part_order() {
        let state = held_state();
        let part = |n: u64, size| AdoptedPart {
            number: PartNumber::new(n).unwrap(),
            etag: ETag::single([n as u8; 16]),
            body: state.body(size),
        };
        let body = AdoptedBody::Parts(UploadId(77), vec![part(1, 100), part(2, 20)]);
        state.apply(adoption(&state, "big", body, 5)).unwrap();
        let (_, row) = state.newest("big").unwrap();
        assert_eq!((row.size, row.parts, row.content), (120, Some(2), Content::Parts(UploadId(77))));
        assert_eq!(row.storage_class, StorageClass::OnezoneIa);
        let second = parts::get(&state.view().parts().unwrap(), UploadId(77), PartNumber::new(2).unwrap());
        assert_eq!(second.unwrap().unwrap().offset, 100);
        let again = AdoptedBody::Parts(UploadId(77), vec![part(3, 5)]);
        let again = state.apply(adoption(&state, "big", again, u64::MAX));
        assert_eq!(again, Ok(Outcome::Adopted(Adoption::Superseded)));
    }

    /// I13: the hold keeps shards that may be from before the restore; on disks that were not compared, even after it
    /// is lifted.
    #[test]
    fn the_hold_keeps_shards_that_are_not_proven_garbage() {
        let state = State::with_bucket();
        state.apply(registration(1, 2)).unwrap();
        let unknown = cairn_core::shard::ShardId { extent: state.body(10).run.first, index: 0 };
        state.apply(EndSession { session: state.session() }).unwrap();
        let garbage = |disk| classify_shards(&state.view(), disk_id(1, disk), &[unknown]).unwrap()[0];
        assert!(garbage(0) && garbage(1));
        state.hold(CommitSequence(1 << 30));
        assert!(!garbage(0) && !garbage(1));
        let totals = ReconcileTotals::default();
        state.apply(EndReconciliation { totals, release_below: Some(DiskNumber(2)) }).unwrap();
        assert!(garbage(0), "its disk was compared");
        assert!(!garbage(1), "its disk came later");
    }
}
