//! One step of a walk over everything that lifecycle rules are about.

use cairn_core::id::{BucketId, CommitSequence, UploadId};
use cairn_core::lifecycle::{self, Lifecycle, Moment, Place, Prefixes, Verdict, VersionFacts};
use cairn_core::name::BucketName;
use cairn_protocol::metadata::command::{ApplyLifecycle, EndedUpload, EndedVersion};

use crate::error::{Refused, StoreError};
use crate::state::queries::object_key;
use crate::state::tables::AllVersions;
use crate::state::tables::bucket_settings::next_lifecycle;
use crate::state::tables::uploads::UploadRow;
use crate::state::tables::versions::VersionRow;
use crate::state::tables::{Row, View, buckets, uploads};

/// Rows that one step looks at.
const ROWS_PER_STEP: usize = 2000;
/// Versions or uploads that one step removes, in one command.
const ENDED_PER_STEP: usize = 256;
/// Runs of keys that one step looks at: each costs a search, also where it is empty.
const SEEKS_PER_STEP: usize = 256;

/// Where a walk stands: before the row at (bucket, key, item). Buckets come in the order of their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    bucket: Vec<u8>,
    table: Walked,
    key: Vec<u8>,
    /// The complement of a version's sequence, or an upload.
    item: u64,
    /// The key's newer versions, seen earlier in the walk.
    newer: Option<Newer>,
}

/// The tables that are walked over, in this order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Walked {
    #[default]
    Versions,
    Uploads,
}

/// The version that replaced the next one of the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Newer {
    sequence: CommitSequence,
    last_modified_ms: u64,
    /// Versions that are newer than the next one and replaced themselves.
    noncurrent: u32,
}

/// The result of a step.
#[derive(Debug)]
pub(super) struct Step {
    /// What has expired.
    pub(super) ended: Option<ApplyLifecycle>,
    /// Where to go on.
    pub(super) next: Cursor,
    /// Versions and uploads that were looked at.
    pub(super) looked_at: u64,
    /// Those that would have to go if the service had been there for longer.
    pub(super) waiting: u64,
    /// For how much longer at most, in milliseconds.
    pub(super) short_ms_max: u64,
}

/// Reads the next rows from `cursor`; `None` at the end of the walk.
pub(super) fn step(view: &View, cursor: Cursor, moment: &Moment<'_>) -> Result<Option<Step>, StoreError> {
    let Some((name, lifecycle)) = next_lifecycle(&view.bucket_settings()?, &cursor.bucket)? else { return Ok(None) };
    let bucket = id(view, &name)?;
    let goes_on = name.as_str().as_bytes() == cursor.bucket;
    let cursor = if goes_on { cursor } else { Cursor { bucket: name.as_str().into(), ..Cursor::default() } };
    let walk = Walk {
        name,
        bucket,
        lifecycle: &lifecycle,
        moment,
        rows: ROWS_PER_STEP,
        versions: Vec::new(),
        uploads: Vec::new(),
        waiting: 0,
        short_ms_max: 0,
    };
    match cursor.table {
        Walked::Versions => walk.versions(view, cursor).map(Some),
        Walked::Uploads => walk.uploads(view, cursor).map(Some),
    }
}

/// The id of a bucket that has rules.
fn id(view: &View, name: &BucketName) -> Result<BucketId, StoreError> {
    match buckets::get(&view.buckets()?, name) {
        Ok(row) => Ok(row.id),
        Err(Refused::Store(error)) => Err(error),
        Err(Refused::Rejected(_)) => {
            let detail = format!("bucket {name} has rules and does not exist");
            Err(StoreError::Damaged { table: "bucket_settings", detail })
        }
    }
}

struct Walk<'a> {
    name: BucketName,
    bucket: BucketId,
    lifecycle: &'a Lifecycle,
    moment: &'a Moment<'a>,
    /// Rows that may still be looked at.
    rows: usize,
    versions: Vec<EndedVersion>,
    uploads: Vec<EndedUpload>,
    waiting: u64,
    short_ms_max: u64,
}

impl Walk<'_> {
    fn is_full(&self) -> bool {
        self.rows == 0 || self.versions.len() + self.uploads.len() >= ENDED_PER_STEP
    }

    fn wait(&mut self, short_ms: u64) {
        self.waiting += 1;
        self.short_ms_max = self.short_ms_max.max(short_ms);
    }

    fn conclude(self, next: Cursor) -> Step {
        let revision = self.lifecycle.revision;
        let Self { name: bucket, versions, uploads, .. } = self;
        let any = !versions.is_empty() || !uploads.is_empty();
        Step {
            ended: any.then_some(ApplyLifecycle { bucket, revision, versions, uploads }),
            next,
            looked_at: (ROWS_PER_STEP - self.rows) as u64,
            waiting: self.waiting,
            short_ms_max: self.short_ms_max,
        }
    }

    fn versions(self, view: &View, from: Cursor) -> Result<Step, StoreError> {
        let prefixes = Prefixes::of_versions(&self.lifecycle.rules);
        let bucket = self.name.as_str().into();
        let uploads = Cursor { bucket, table: Walked::Uploads, ..Cursor::default() };
        self.runs(&prefixes, from, uploads, |walk, at| walk.run_of_versions(view, &prefixes, at))
    }

    fn uploads(self, view: &View, from: Cursor) -> Result<Step, StoreError> {
        let prefixes = Prefixes::of_uploads(&self.lifecycle.rules);
        let table = view.uploads()?;
        // The first name after this one.
        let bucket = [self.name.as_str().as_bytes(), &[0]].concat();
        let next_bucket = Cursor { bucket, ..Cursor::default() };
        self.runs(&prefixes, from, next_bucket, |walk, at| walk.run_of_uploads(&table, &prefixes, at))
    }

    /// Looks at one run of neighbouring rows after the other; `end` is where to go on after the last.
    fn runs(
        mut self,
        prefixes: &Prefixes,
        from: Cursor,
        end: Cursor,
        mut run: impl FnMut(&mut Self, &Cursor) -> Result<Option<Run>, StoreError>,
    ) -> Result<Step, StoreError> {
        let mut at = from;
        for _ in 0..SEEKS_PER_STEP {
            let Some(key) = prefixes.seek(&at.key) else { return Ok(self.conclude(end)) };
            if key != at.key {
                at = Cursor { key: key.to_vec(), item: 0, newer: None, ..at };
            }
            match run(&mut self, &at)? {
                Some(Run::Goes(next)) => at = next,
                Some(Run::Stops(next)) => return Ok(self.conclude(next)),
                None => return Ok(self.conclude(end)),
            }
        }
        Ok(self.conclude(at))
    }

    /// Reads the next versions; returns where to continue, or `None` at the end of the bucket.
    fn run_of_versions(&mut self, view: &View, prefixes: &Prefixes, from: &Cursor) -> Result<Option<Run>, StoreError> {
        let end = (self.bucket.0 + 1, [].as_slice(), 0);
        let mut rows = AllVersions::range(view, (self.bucket.0, from.key.as_slice(), from.item)..end)?.peekable();
        let mut newer = from.newer;
        let mut last_key = from.key.clone();
        while let Some(entry) = rows.next() {
            let (place, row) = entry?;
            let (_, key, item) = place.value();
            if key != last_key {
                newer = None;
            }
            let here = || Cursor { key: key.to_vec(), item, newer, ..from.clone() };
            if prefixes.seek(key) != Some(key) {
                return Ok(Some(Run::Goes(here())));
            }
            if self.is_full() {
                return Ok(Some(Run::Stops(here())));
            }
            self.rows -= 1;
            let is_last = match rows.peek() {
                Some(Ok((next, _))) => next.value().1 != key,
                Some(Err(_)) | None => true,
            };
            let sequence = CommitSequence(!item);
            let row = VersionRow::read(row.value())?;
            self.version(key, sequence, &row, newer, is_last)?;
            let noncurrent = newer.map_or(0, |newer| newer.noncurrent + 1);
            newer = Some(Newer { sequence, last_modified_ms: row.last_modified_ms, noncurrent });
            last_key.clear();
            last_key.extend_from_slice(key);
        }
        Ok(None)
    }

    fn version(
        &mut self,
        key: &[u8],
        sequence: CommitSequence,
        row: &VersionRow,
        newer: Option<Newer>,
        is_last: bool,
    ) -> Result<(), StoreError> {
        let key = object_key(key)?;
        let version = VersionFacts {
            key: key.as_str(),
            sequence,
            last_modified_ms: row.last_modified_ms,
            size: row.size,
            // Objects have no tags yet.
            tags: &[],
            is_marker: row.kind.is_marker(),
        };
        let place = match newer {
            None => Place::Current { is_alone: is_last },
            Some(Newer { sequence, last_modified_ms, noncurrent }) => {
                Place::Noncurrent { successor: sequence, since_ms: last_modified_ms, newer: noncurrent }
            }
        };
        match lifecycle::decide(self.lifecycle, &version, place, self.moment) {
            Verdict::Keep => {}
            Verdict::Wait { short_ms } => self.wait(short_ms),
            verdict @ (Verdict::Expire | Verdict::Remove) => {
                let is_current = verdict == Verdict::Expire;
                self.versions.push(EndedVersion { key, sequence, is_current });
            }
        }
        Ok(())
    }

    /// Reads the next uploads; returns where to continue, or `None` at the end of the bucket.
    fn run_of_uploads(
        &mut self,
        table: &redb::ReadOnlyTable<uploads::Key, uploads::Value>,
        prefixes: &Prefixes,
        from: &Cursor,
    ) -> Result<Option<Run>, StoreError> {
        let end = (self.bucket.0 + 1, [].as_slice(), 0);
        for entry in table.range((self.bucket.0, from.key.as_slice(), from.item)..end)? {
            let (place, row) = entry?;
            let (_, key, item) = place.value();
            let here = || Cursor { key: key.to_vec(), item, ..from.clone() };
            if prefixes.seek(key) != Some(key) {
                return Ok(Some(Run::Goes(here())));
            }
            if self.is_full() {
                return Ok(Some(Run::Stops(here())));
            }
            self.rows -= 1;
            let (upload, row) = (UploadId(item), UploadRow::read(row.value())?);
            let key = object_key(key)?;
            // An upload is named after the commit that began it.
            let began = CommitSequence(item);
            match lifecycle::decide_upload(self.lifecycle, key.as_str(), began, row.created_ms, self.moment) {
                Verdict::Keep => {}
                Verdict::Wait { short_ms } => self.wait(short_ms),
                Verdict::Expire | Verdict::Remove => self.uploads.push(EndedUpload { key, upload }),
            }
        }
        Ok(None)
    }
}

/// Why a run of neighbouring rows has ended before the bucket.
enum Run {
    /// No rule is about the key at which it stands.
    Goes(Cursor),
    /// The step is full.
    Stops(Cursor),
}

#[cfg(test)]
mod tests;
