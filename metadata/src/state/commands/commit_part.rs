//! See [`CommitPart`].

use crate::state::stored::CommitPart;
use cairn_protocol::metadata::Outcome;
use cairn_protocol::metadata::command::PartCommitted;

use super::body::{self, Known};
use super::context::Context;
use super::release::release;
use super::revision::check_revision;
use crate::error::Refused;
use crate::state::tables::parts::PartRow;
use crate::state::tables::reclaim::Garbage;
use crate::state::tables::{Row, Tables, buckets, parts, uploads};

pub(super) fn apply(tables: &mut Tables<'_>, command: &CommitPart, context: Context) -> Result<Outcome, Refused> {
    let bucket = buckets::get(&tables.buckets, &command.bucket)?;
    let known = body::check(tables, command.session, command.body.as_ref())?;
    let old = parts::get(&tables.parts, command.upload, command.number)?;
    let run = command.body.as_ref().map(|body| body.run);
    if known == Known::Committed {
        // The answer to the first attempt was lost; the upload may even be completed by now.
        let first = old.filter(|part| part.run == run);
        let last_modified_ms = first.map_or(context.now_ms, |part| part.last_modified_ms);
        return Ok(Outcome::PartCommitted(PartCommitted { last_modified_ms }));
    }
    check_revision(&bucket, command.revision)?;
    uploads::get(&tables.uploads, bucket.id, &command.key, command.upload)?;

    release(tables, context, 0, old.and_then(|part| part.run).map(Garbage::Run))?;
    if let Some(body) = &command.body {
        body::record(tables, body)?;
    }
    let row = PartRow {
        run,
        etag: command.etag,
        last_modified_ms: context.now_ms,
        checksum: command.checksum.clone(),
        offset: 0,
    };
    tables.parts.insert((command.upload.0, command.number.get()), row.to_bytes().as_slice())?;
    Ok(Outcome::PartCommitted(PartCommitted { last_modified_ms: context.now_ms }))
}

#[cfg(test)]
mod tests {
    use cairn_core::id::UploadId;
    use cairn_protocol::metadata::Rejection;

    use crate::state::commands::testing::State;

    #[test]
    fn a_part_replaces_the_one_before_it() {
        let state = State::with_bucket();
        let upload = state.create_upload("a");
        let first = state.put_part("a", upload, 1, 100);
        state.put_part("a", upload, 1, 200);
        assert_eq!(state.reclaim_runs(), [first.run]);
        assert_eq!(state.usage(), (0, 0, 1));
    }

    #[test]
    fn a_repeated_part_changes_nothing() {
        let state = State::with_bucket();
        let upload = state.create_upload("a");
        let part = state.part("a", upload, 1, Some(state.body(100)));
        let first = state.apply(part.clone()).unwrap();
        assert_eq!(state.apply(part), Ok(first));
        assert_eq!(state.reclaim_runs(), []);
    }

    #[test]
    fn a_part_needs_its_upload() {
        let state = State::with_bucket();
        let upload = state.create_upload("a");
        for (key, upload) in [("b", upload), ("a", UploadId(1))] {
            assert_eq!(state.refused(state.part(key, upload, 1, Some(state.body(1)))), Rejection::NoSuchUpload);
        }
        assert_eq!(state.extents(), 0);
    }
}
