//! What the server has promised.

use std::collections::BTreeMap;

use cairn_core::limits::{EXTENT_BYTES_MAX, TINY_OBJECT_BYTES_MAX};

use crate::Content;

/// What a key may hold: content, uploaded in parts of these lengths. A plain PUT has one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    pub content: Content,
    /// In bytes.
    pub parts: Vec<u64>,
}

impl Version {
    /// An object stored in one piece.
    pub fn whole(content: Content) -> Self {
        Self { content, parts: vec![content.length] }
    }

    /// Shards that the version has on six healthy disks, where large profiles are 4+2 and small ones 1+2.
    pub fn shards(&self) -> u64 {
        self.count(3, 6)
    }

    /// Fewest shards with which a write may be acknowledged: 2 of 1+2, and 4 of 3+2, which five disks get.
    pub fn shards_min(&self) -> u64 {
        self.count(2, 4)
    }

    fn count(&self, of_tiny: u64, of_extent: u64) -> u64 {
        let of_part = |&length: &u64| match length {
            0 => 0,
            1..=TINY_OBJECT_BYTES_MAX => of_tiny,
            _ => of_extent * length.div_ceil(EXTENT_BYTES_MAX),
        };
        self.parts.iter().map(of_part).sum()
    }
}

/// What the server said about a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Yes,
    /// Refused, or never sent.
    No,
    /// The answer did not come, or was an internal error.
    Unknown,
}

/// Every change and its outcome, reduced to the states that each key may be in. One writer at a time per key.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    keys: BTreeMap<String, Vec<Option<Version>>>,
    acknowledged: u64,
    unknown: u64,
}

impl Ledger {
    /// A ledger without changes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records that `key` was set to `state` (`None` if deleted), with this outcome.
    pub fn record(&mut self, key: &str, state: Option<Version>, outcome: Outcome) {
        let possible = self.keys.entry(key.to_owned()).or_insert_with(|| vec![None]);
        match outcome {
            Outcome::Yes => {
                *possible = vec![state];
                self.acknowledged += 1;
            }
            Outcome::No => {}
            Outcome::Unknown => {
                self.unknown += 1;
                if !possible.contains(&state) {
                    possible.push(state);
                }
            }
        }
    }

    /// Records which of the possible states was found: from now on it is the only one.
    pub fn resolve(&mut self, key: &str, found: Option<Version>) {
        self.keys.insert(key.to_owned(), vec![found]);
    }

    pub fn possible(&self, key: &str) -> &[Option<Version>] {
        self.keys.get(key).map_or(&[None], Vec::as_slice)
    }

    /// What `key` holds. `None` if that is not certain.
    pub fn certain(&self, key: &str) -> Option<&Option<Version>> {
        match self.possible(key) {
            [one] => Some(one),
            _ => None,
        }
    }

    /// All keys ever written, with their possible states.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[Option<Version>])> {
        self.keys.iter().map(|(key, states)| (key.as_str(), states.as_slice()))
    }

    pub fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// Changes whose outcome was unknown when they were made.
    pub fn unknown(&self) -> u64 {
        self.unknown
    }

    /// Fewest shards that the live objects can have: those of writes that were acknowledged at their quorum, with the
    /// profile of a cluster that lacks a disk. Every key must be certain.
    pub fn shards_min(&self) -> u64 {
        self.live().map(|version| version.shards_min()).sum()
    }

    fn live(&self) -> impl Iterator<Item = Version> {
        let certain = |key: &String| self.certain(key).unwrap_or_else(|| panic!("{key} is not certain")).clone();
        self.keys.keys().filter_map(certain)
    }

    /// Shards of all live objects on six healthy disks. Every key must be certain.
    pub fn shards(&self) -> u64 {
        self.live().map(|version| version.shards()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(seed: u64) -> Version {
        Version::whole(Content::new(seed, 10))
    }

    #[test]
    fn an_unknown_outcome_is_either_or_until_the_next_certain_one() {
        let mut ledger = Ledger::new();
        ledger.record("k", Some(version(1)), Outcome::Yes);
        ledger.record("k", Some(version(2)), Outcome::No);
        assert_eq!(ledger.certain("k"), Some(&Some(version(1))));
        ledger.record("k", Some(version(3)), Outcome::Unknown);
        ledger.record("k", None, Outcome::Unknown);
        assert_eq!(ledger.possible("k"), [Some(version(1)), Some(version(3)), None]);
        assert_eq!(ledger.certain("k"), None);
        ledger.record("k", Some(version(4)), Outcome::Yes);
        assert_eq!(ledger.possible("k"), [Some(version(4))]);
        assert_eq!(ledger.possible("never"), [None]);
    }

    #[test]
    fn shards_follow_the_profiles() {
        let shards = |parts: &[u64]| Version { content: Content::new(0, 0), parts: parts.to_vec() }.shards();
        assert_eq!(shards(&[0]), 0);
        assert_eq!(shards(&[1]), 3);
        assert_eq!(shards(&[TINY_OBJECT_BYTES_MAX]), 3);
        assert_eq!(shards(&[TINY_OBJECT_BYTES_MAX + 1]), 6);
        assert_eq!(shards(&[EXTENT_BYTES_MAX + 1, 5 << 20]), 18);
    }
}
