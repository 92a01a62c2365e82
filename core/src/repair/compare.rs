//! Compares metadata with what a disk holds, both ways.

use std::cmp::Ordering;

use crate::shard::ShardId;

/// The shards that differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Metadata places them on the disk, and the disk does not hold them.
    pub missing: Vec<ShardId>,
    /// The disk holds them, and metadata does not place them there.
    pub unknown: Vec<ShardId>,
}

/// Compares two lists that are sorted by shard id.
pub fn compare(expected: &[ShardId], held: &[ShardId]) -> Difference {
    let mut difference = Difference::default();
    let (mut expected, mut held) = (expected.iter().copied().peekable(), held.iter().copied().peekable());
    loop {
        let order = match (expected.peek(), held.peek()) {
            (None, None) => return difference,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => a.cmp(b),
        };
        match order {
            Ordering::Less => difference.missing.extend(expected.next()),
            Ordering::Greater => difference.unknown.extend(held.next()),
            Ordering::Equal => drop((expected.next(), held.next())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{ExtentId, SessionId};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn shards(set: &BTreeSet<(u64, u8)>) -> Vec<ShardId> {
        set.iter().map(|(n, index)| ShardId { extent: ExtentId::new(SessionId(1), *n), index: *index }).collect()
    }

    proptest! {
        #[test]
        fn the_comparison_is_the_difference_of_two_sets(
            a in proptest::collection::btree_set((0u64..20, 0u8..3), 0..30),
            b in proptest::collection::btree_set((0u64..20, 0u8..3), 0..30),
        ) {
            let difference = compare(&shards(&a), &shards(&b));
            prop_assert_eq!(difference.missing, shards(&a.difference(&b).copied().collect()));
            prop_assert_eq!(difference.unknown, shards(&b.difference(&a).copied().collect()));
        }
    }
}
