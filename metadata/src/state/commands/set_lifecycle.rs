//! See [`SetLifecycle`].

use crate::state::stored::SetLifecycle;
use cairn_core::limits::LIFECYCLE_RULES_MAX;
use cairn_protocol::metadata::{Outcome, Rejection};

use super::context::Context;
use crate::error::Refused;
use crate::state::tables::lifecycle::LifecycleRow;
use crate::state::tables::{Row, Tables, buckets};

pub(super) fn apply(tables: &mut Tables<'_>, command: &SetLifecycle, context: Context) -> Result<Outcome, Refused> {
    let bucket = buckets::get(&tables.buckets, &command.bucket)?.id;
    if command.rules.len() > LIFECYCLE_RULES_MAX {
        return Err(Rejection::LimitReached(format!("{LIFECYCLE_RULES_MAX} lifecycle rules in a bucket")).into());
    }
    if command.rules.is_empty() {
        tables.lifecycle.remove(bucket.0)?;
        return Ok(Outcome::Done);
    }
    let row = LifecycleRow { set_ms: command.now_ms.min(context.now_ms), rules: command.rules.clone() };
    tables.lifecycle.insert(bucket.0, (context.sequence.0, row.to_bytes().as_slice()))?;
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use cairn_core::limits::LIFECYCLE_RULES_MAX;
    use cairn_core::name::BucketName;
    use cairn_protocol::metadata::command::{DeleteBucket, SetLifecycle};
    use cairn_protocol::metadata::{Outcome, Rejection};

    use crate::state::commands::testing::{State, expire_all};
    use crate::state::tables::lifecycle;

    #[test]
    fn lifecycle_rules_are_replaced_removed_and_deleted_with_their_bucket() {
        let state = State::with_bucket();
        let id = state.bucket_id(&state.bucket());
        let stored = || lifecycle::get(&state.view().lifecycle().unwrap(), id).unwrap();
        let set = |rules| SetLifecycle { bucket: state.bucket(), rules, now_ms: 500 };
        assert_eq!(state.apply(set(vec![expire_all(3)])), Ok(Outcome::Done));
        let first = stored().unwrap();
        assert_eq!((first.rules.clone(), first.set_ms), (vec![expire_all(3)], 500), "the earlier clock counts");
        assert_eq!(state.apply(SetLifecycle { now_ms: u64::MAX, ..set(vec![expire_all(4)]) }), Ok(Outcome::Done));
        let second = stored().unwrap();
        assert!(second.revision > first.revision && second.set_ms < u64::MAX, "{second:?}");
        assert_eq!(state.apply(set(Vec::new())), Ok(Outcome::Done));
        assert_eq!(stored(), None);
        state.apply(set(vec![expire_all(3)])).unwrap();
        state.apply(DeleteBucket { name: state.bucket() }).unwrap();
        assert_eq!(stored(), None);
        assert_eq!(state.refused(set(Vec::new())), Rejection::NoSuchBucket);
    }

    #[test]
    fn lifecycle_rules_have_limits() {
        let state = State::with_bucket();
        let rules = vec![expire_all(1); LIFECYCLE_RULES_MAX + 1];
        let many = SetLifecycle { bucket: state.bucket(), rules, now_ms: 0 };
        assert!(matches!(state.refused(many), Rejection::LimitReached(_)));
        let bucket = BucketName::new("nowhere").unwrap();
        let nowhere = SetLifecycle { bucket, rules: vec![expire_all(1)], now_ms: 0 };
        assert_eq!(state.refused(nowhere), Rejection::NoSuchBucket);
    }
}
