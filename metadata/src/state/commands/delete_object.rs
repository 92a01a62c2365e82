//! See [`DeleteObject`].

use crate::state::stored::DeleteObject;
use cairn_protocol::metadata::Outcome;
use cairn_protocol::metadata::command::ObjectDeleted;

use super::context::Context;
use super::key_versions::KeyVersions;
use super::precondition::check_precondition;
use super::revision::check_revision;
use crate::error::Refused;
use crate::state::tables::noncurrent::Found;
use crate::state::tables::{Tables, buckets, usage};

pub(super) fn apply(tables: &mut Tables<'_>, command: &DeleteObject, context: Context) -> Result<Outcome, Refused> {
    let bucket = buckets::get(&tables.buckets, &command.bucket)?;
    check_revision(&bucket, command.revision)?;
    let key = KeyVersions::of(&bucket, command.key.as_str().as_bytes());
    let found = match command.version {
        Some(id) => key.find(tables, id)?,
        None => key.current(tables)?.map(|(sequence, row)| Found { sequence, row, is_current: true }),
    };
    let tag = found.as_ref().filter(|found| !found.row.kind.is_marker()).map(|found| &found.row.etag);
    check_precondition(&command.precondition, tag)?;
    let existed = found.is_some();
    if command.version.is_none() && key.is_versioned() {
        let current = found.map(|found| (found.sequence, found.row));
        let made = key.put_marker(tables, (context, 0), current)?;
        usage::add(&mut tables.usage, bucket.id, made.change)?;
        return Ok(Outcome::ObjectDeleted(ObjectDeleted { existed, version: made.id, is_marker: true }));
    }
    let is_marker = found.as_ref().is_some_and(|found| found.row.kind.is_marker());
    if let Some(found) = found {
        let change = key.remove(tables, (context, 0), found)?;
        usage::add(&mut tables.usage, bucket.id, change)?;
    }
    Ok(Outcome::ObjectDeleted(ObjectDeleted { existed, version: command.version, is_marker }))
}

#[cfg(test)]
mod tests {
    use cairn_protocol::metadata::command::{DeleteObject, ObjectDeleted, Precondition};
    use cairn_protocol::metadata::{Outcome, Rejection};

    use crate::state::commands::testing::State;

    #[test]
    fn a_delete_releases_the_content_and_may_be_repeated() {
        let state = State::with_bucket();
        let body = state.put("a", 1000);
        state.put("b", 1);
        for existed in [true, false] {
            let deleted = ObjectDeleted { existed, version: None, is_marker: false };
            assert_eq!(state.delete("a"), Outcome::ObjectDeleted(deleted));
        }
        assert_eq!(state.reclaim_runs(), [body.run]);
        assert_eq!(state.usage(), (1, 1, 0));
        let precondition = Precondition { must_exist: true, ..Precondition::default() };
        assert_eq!(state.refused(DeleteObject { precondition, ..state.deletion("a") }), Rejection::NoSuchKey);
    }
}
