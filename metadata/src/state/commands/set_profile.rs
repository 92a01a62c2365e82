//! See [`SetProfile`] and [`cairn_protocol::metadata::command::SetClassProfile`].

use crate::state::stored::SetProfile;
use cairn_core::cluster_map::{ClusterMap, ProfileRule, RULES_MAX};
use cairn_core::id::{Epoch, ProfileId};
use cairn_core::name::BucketName;
use cairn_core::profile::Profile;
use cairn_core::storage_class::StorageClass;
use cairn_protocol::metadata::command::ProfileShape;
use cairn_protocol::metadata::{Outcome, Rejection};

use super::set_disk_states::current_map;
use crate::error::Refused;
use crate::state::tables::Tables;

pub(super) fn apply(
    tables: &mut Tables<'_>,
    command: &SetProfile,
    class: Option<StorageClass>,
) -> Result<Outcome, Refused> {
    let old = current_map(tables)?;
    let mut map = old.as_ref().clone();
    let rule = match command.shapes {
        None => None,
        Some((large, small)) => {
            let (large, small) = (enter(&mut map, large)?, enter(&mut map, small)?);
            let (bucket, small_bytes_max) = (command.bucket.clone(), command.small_bytes_max);
            Some(ProfileRule { bucket, large, small, small_bytes_max, class })
        }
    };
    put(&mut map, (command.bucket.as_ref(), class), rule)?;
    if map != *old {
        map.epoch = Epoch(old.epoch.0 + 1);
        tables.set_map(map)?;
    }
    Ok(Outcome::Done)
}

/// Replaces or removes the rule of a scope.
fn put(
    map: &mut ClusterMap,
    scope: (Option<&BucketName>, Option<StorageClass>),
    rule: Option<ProfileRule>,
) -> Result<(), Rejection> {
    let count = map.all_rules().count();
    let rules = if scope.1.is_some() { &mut map.class_rules } else { &mut map.rules };
    let known = rules.iter().position(|rule| rule.scope() == scope);
    match (known, rule) {
        (Some(at), None) => drop(rules.remove(at)),
        (Some(at), Some(rule)) => rules[at] = rule,
        (None, None) => {}
        (None, Some(_)) if count >= RULES_MAX => {
            return Err(Rejection::LimitReached(format!("{RULES_MAX} rules for profiles")));
        }
        (None, Some(rule)) => rules.push(rule),
    }
    Ok(())
}

/// The id of the profile with this shape. Ids are never reused, because extents refer to them.
fn enter(map: &mut ClusterMap, shape: ProfileShape) -> Result<ProfileId, Rejection> {
    let ProfileShape { data_shards, parity_shards, cell_bytes, write_quorum, failure_domain } = shape;
    let last = map.profiles.iter().chain(&map.made).map(|profile| profile.id.0).max().unwrap_or(0);
    let Some(id) = last.checked_add(1).map(ProfileId) else {
        return Err(Rejection::LimitReached(format!("{} profiles", u16::MAX)));
    };
    let new = Profile { id, data_shards, parity_shards, cell_bytes, write_quorum, failure_domain };
    new.check().map_err(|why| Rejection::Topology(format!("{new} cannot be a profile: {why}")))?;
    if parity_shards == 0 {
        let text = format!("{new} has no parity: one lost disk would lose data");
        return Err(Rejection::Topology(text));
    }
    let known = map.profiles.iter().chain(&map.made).find(|known| Profile { id, ..**known } == new);
    if let Some(known) = known {
        return Ok(known.id);
    }
    map.made.push(new);
    Ok(id)
}

#[cfg(test)]
mod tests {
    use cairn_core::id::{ExtentId, SessionId};
    use cairn_core::name::BucketName;
    use cairn_core::placement::choose;
    use cairn_core::profile::FailureDomain;
    use cairn_core::storage_class::StorageClass;
    use cairn_protocol::metadata::Rejection;
    use cairn_protocol::metadata::command::{ProfileShape, SetClassProfile, SetProfile};

    use crate::state::commands::testing::{State, registration};

    fn shape(data_shards: u8, parity_shards: u8) -> ProfileShape {
        let failure_domain = FailureDomain::Disk;
        ProfileShape { data_shards, parity_shards, cell_bytes: 65_536, write_quorum: data_shards + 1, failure_domain }
    }

    fn set(bucket: Option<&str>, shapes: Option<(ProfileShape, ProfileShape)>) -> SetProfile {
        SetProfile { bucket: bucket.map(|name| BucketName::new(name).unwrap()), shapes, small_bytes_max: 1000 }
    }

    /// The profile of a new object of the default class.
    fn chosen(state: &State, bucket: &str, bytes: u64, away: u32) -> (u16, String) {
        chosen_of(state, StorageClass::Standard, bucket, bytes, away)
    }

    fn chosen_of(state: &State, class: StorageClass, bucket: &str, bytes: u64, away: u32) -> (u16, String) {
        let (map, bucket) = (state.map(), BucketName::new(bucket).unwrap());
        let id = ExtentId::new(SessionId(1), 1);
        let (profile, _) = choose(&map, Some(&bucket), Some(class), bytes, id, |disk| disk.number.0 > away).unwrap();
        (profile.id.0, profile.to_string())
    }

    #[test]
    fn profile_rules_hold_for_their_bucket_if_the_disks_can_carry_them() {
        let state = State::new();
        state.apply(registration(1, 9)).unwrap();
        assert_eq!(chosen(&state, "logs", 1 << 20, 0), (2, "4+2".into()));
        state.apply(set(Some("logs"), Some((shape(6, 3), shape(1, 3))))).unwrap();
        assert_eq!(chosen(&state, "logs", 1 << 20, 0), (8, "6+3".into()));
        assert_eq!(chosen(&state, "logs", 1000, 0), (9, "1+3".into()));
        assert_eq!(chosen(&state, "logs", 1001, 0).1, "6+3");
        assert_eq!(chosen(&state, "others", 1 << 20, 0).1, "4+2");
        assert_eq!(chosen(&state, "logs", 1 << 20, 1).1, "4+2", "eight disks cannot carry 6+3");
        state.apply(set(None, Some((shape(2, 2), shape(1, 2))))).unwrap();
        assert_eq!(chosen(&state, "others", 1 << 20, 0).1, "2+2");
        assert_eq!(chosen(&state, "logs", 1 << 20, 0).1, "6+3");
        state.apply(set(Some("logs"), None)).unwrap();
        assert_eq!(chosen(&state, "logs", 1 << 20, 0).1, "2+2");
    }

    #[test]
    fn a_class_has_its_own_rules_and_the_buckets_rule_comes_first() {
        let state = State::new();
        state.apply(registration(1, 9)).unwrap();
        let cold = StorageClass::GlacierIr;
        let class_rule = |bucket, shapes| SetClassProfile { class: cold, rule: set(bucket, shapes) };
        let of = |class, bucket| chosen_of(&state, class, bucket, 1 << 20, 0).1;
        let hot = StorageClass::Standard;
        state.apply(class_rule(None, Some((shape(6, 3), shape(1, 3))))).unwrap();
        assert_eq!((of(cold, "logs"), of(hot, "logs")), ("6+3".into(), "4+2".into()));
        assert_eq!(chosen_of(&state, cold, "logs", 1000, 0).1, "1+3");
        assert_eq!(chosen_of(&state, cold, "logs", 1 << 20, 1).1, "4+2", "eight disks cannot carry 6+3");
        state.apply(set(Some("logs"), Some((shape(5, 2), shape(1, 2))))).unwrap();
        assert_eq!((of(cold, "logs"), of(cold, "others")), ("5+2".into(), "6+3".into()));
        state.apply(class_rule(Some("logs"), Some((shape(7, 2), shape(1, 2))))).unwrap();
        assert_eq!((of(cold, "logs"), of(hot, "logs")), ("7+2".into(), "5+2".into()));
        // Each scope has one rule, and each is removed by itself.
        state.apply(class_rule(Some("logs"), Some((shape(3, 3), shape(1, 2))))).unwrap();
        assert_eq!((of(cold, "logs"), state.map().all_rules().count()), ("3+3".into(), 3));
        state.apply(class_rule(Some("logs"), None)).unwrap();
        assert_eq!((of(cold, "logs"), of(cold, "others")), ("5+2".into(), "6+3".into()));
        state.apply(set(Some("logs"), None)).unwrap();
        assert_eq!((of(cold, "logs"), of(hot, "logs")), ("6+3".into(), "4+2".into()));
        state.apply(class_rule(None, None)).unwrap();
        assert_eq!((of(cold, "logs"), state.map().all_rules().count()), ("4+2".into(), 0));
    }

    #[test]
    fn a_shape_keeps_its_id_and_impossible_shapes_are_refused() {
        let state = State::new();
        state.apply(registration(1, 9)).unwrap();
        for bucket in ["one", "two"] {
            state.apply(set(Some(bucket), Some((shape(6, 3), shape(1, 2))))).unwrap();
        }
        assert_eq!((state.map().made.len(), state.map().rules.len()), (1, 2), "1+2 is the cluster's own");
        let epoch = state.map().epoch;
        state.apply(set(Some("two"), Some((shape(6, 3), shape(1, 2))))).unwrap();
        assert_eq!(state.map().epoch, epoch);
        for bad in [shape(0, 2), shape(40, 2), shape(4, 0), ProfileShape { write_quorum: 9, ..shape(4, 2) }] {
            let refused = state.refused(set(None, Some((bad, shape(1, 2)))));
            assert!(matches!(refused, Rejection::Topology(_)), "{refused:?}");
        }
    }
}
