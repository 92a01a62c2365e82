//! See [`CreateBucket`].

use crate::state::stored::CreateBucket;
use cairn_core::id::BucketId;
use cairn_core::limits::BUCKETS_MAX;
use cairn_protocol::metadata::{Outcome, Rejection};
use redb::{ReadableTable, ReadableTableMetadata};

use super::context::Context;
use crate::error::Refused;
use crate::state::tables::buckets::BucketRow;
use crate::state::tables::{Tables, buckets, counters};

pub(super) fn apply(tables: &mut Tables<'_>, command: &CreateBucket, context: Context) -> Result<Outcome, Refused> {
    let name = command.name.as_str().as_bytes();
    if tables.buckets.get(name)?.is_some() {
        return Err(Rejection::BucketExists.into());
    }
    if tables.buckets.len()? >= BUCKETS_MAX {
        return Err(Rejection::LimitReached(format!("{BUCKETS_MAX} buckets")).into());
    }
    let id = BucketId::new(context.sequence.group(), counters::next(&mut tables.counters, counters::BUCKET)?);
    let row = BucketRow::new(id, context.sequence, context.now_ms, command.region.clone());
    buckets::put(&mut tables.buckets, &command.name, &row)?;
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use cairn_core::name::BucketName;
    use cairn_protocol::metadata::command::{CreateBucket, DeleteBucket};
    use cairn_protocol::metadata::{Outcome, Rejection};

    use crate::state::commands::testing::State;

    #[test]
    fn a_name_is_taken_once_and_a_new_bucket_gets_a_new_id() {
        let state = State::new();
        let name = BucketName::new("photos").unwrap();
        let create = CreateBucket { name: name.clone(), region: "eu".into() };
        assert_eq!(state.apply(create.clone()), Ok(Outcome::Done));
        let first = state.bucket_id(&name);
        assert_eq!(state.refused(create.clone()), Rejection::BucketExists);
        assert_eq!(state.apply(DeleteBucket { name: name.clone(), revision: None }), Ok(Outcome::Done));
        assert_eq!(state.apply(create), Ok(Outcome::Done));
        assert!(state.bucket_id(&name) > first);
    }
}
