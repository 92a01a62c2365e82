//! See [`DeleteObject`].

use cairn_protocol::metadata::Outcome;
use cairn_protocol::metadata::command::{DeleteObject, ObjectDeleted};

use super::release::release;
use super::{Context, check_precondition};
use crate::error::Refused;
use crate::tables::reclaim::Garbage;
use crate::tables::usage::Change;
use crate::tables::{Tables, buckets, usage, versions};

pub(super) fn apply(tables: &mut Tables<'_>, command: &DeleteObject, context: Context) -> Result<Outcome, Refused> {
    let bucket = buckets::get(&tables.buckets, &command.bucket)?.id;
    let key = command.key.as_str().as_bytes();
    let newest = versions::newest(&tables.versions, bucket, key)?;
    check_precondition(&command.precondition, newest.as_ref().map(|(_, row)| &row.etag))?;
    let Some((sequence, old)) = newest else {
        return Ok(Outcome::ObjectDeleted(ObjectDeleted { existed: false }));
    };
    tables.versions.remove(versions::key(bucket, key, sequence))?;
    release(tables, context, 0, Garbage::of(old.content))?;
    usage::add(&mut tables.usage, bucket, Change { objects: -1, bytes: -(old.size as i64), uploads: 0 })?;
    Ok(Outcome::ObjectDeleted(ObjectDeleted { existed: true }))
}

#[cfg(test)]
mod tests {
    use cairn_protocol::metadata::command::{DeleteObject, ObjectDeleted, Precondition};
    use cairn_protocol::metadata::{Outcome, Rejection};

    use crate::commands::testing::State;

    #[test]
    fn a_delete_lets_go_of_the_content_and_may_be_repeated() {
        let state = State::with_bucket();
        let body = state.put("a", 1000);
        state.put("b", 1);
        for existed in [true, false] {
            assert_eq!(state.delete("a"), Outcome::ObjectDeleted(ObjectDeleted { existed }));
        }
        assert_eq!(state.reclaim_runs(), [body.run]);
        assert_eq!(state.usage(), (1, 1, 0));
        let precondition = Precondition { must_exist: true, ..Precondition::default() };
        assert_eq!(state.refused(DeleteObject { precondition, ..state.deletion("a") }), Rejection::NoSuchKey);
    }
}
