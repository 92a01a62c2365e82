//! Which keys the rules can apply to.

use super::Rule;

/// The keys to which rules can apply, as the fewest prefixes, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefixes(Vec<String>);

impl Prefixes {
    /// Keys whose versions can expire.
    pub fn of_versions(rules: &[Rule]) -> Self {
        Self::of(rules, |rule| rule.expiration.is_some() || rule.noncurrent.is_some())
    }

    /// Keys whose uploads can expire.
    pub fn of_uploads(rules: &[Rule]) -> Self {
        Self::of(rules, |rule| rule.abort_uploads_days.is_some())
    }

    fn of(rules: &[Rule], matters: impl Fn(&Rule) -> bool) -> Self {
        let mut all: Vec<&str> =
            rules.iter().filter(|rule| rule.enabled && matters(rule)).map(|rule| rule.filter.prefix()).collect();
        all.sort_unstable();
        let mut fewest: Vec<String> = Vec::new();
        for prefix in all {
            // A prefix of this one sorts before it.
            if fewest.last().is_none_or(|last| !prefix.starts_with(last)) {
                fewest.push(prefix.to_owned());
            }
        }
        Self(fewest)
    }

    /// The first key from `key` on to which a rule can apply; `None` if there is none.
    pub fn seek<'a>(&'a self, key: &'a [u8]) -> Option<&'a [u8]> {
        let later = self.0.partition_point(|prefix| prefix.as_bytes() <= key);
        // No prefix contains another, so only the last one that sorts before the key can cover it.
        let covers = later.checked_sub(1).is_some_and(|n| key.starts_with(self.0[n].as_bytes()));
        if covers { Some(key) } else { self.0.get(later).map(String::as_bytes) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lifecycle::{Expiration, Filter};

    fn rules(prefixes: &[String]) -> Vec<Rule> {
        let rule = |prefix: &String| Rule {
            id: String::new(),
            enabled: true,
            filter: Filter::of_prefix(prefix),
            expiration: Some(Expiration::Days(1)),
            noncurrent: None,
            abort_uploads_days: None,
        };
        prefixes.iter().map(rule).collect()
    }

    proptest! {
        #[test]
        fn a_walk_meets_exactly_the_keys_of_the_rules(
            prefixes in proptest::collection::vec("[abé]{0,3}", 0..5),
            keys in proptest::collection::btree_set("[abcé]{1,4}", 0..30),
        ) {
            let found = Prefixes::of_versions(&rules(&prefixes));
            let mut walked = Vec::new();
            let mut at = Vec::new();
            while let Some(from) = found.seek(&at) {
                let Some(key) = keys.iter().find(|key| key.as_bytes() >= from) else { break };
                if found.seek(key.as_bytes()) == Some(key.as_bytes()) {
                    walked.push(key.clone());
                }
                at = [key.as_bytes(), &[0]].concat();
            }
            let model: Vec<String> =
                keys.iter().filter(|key| prefixes.iter().any(|prefix| key.starts_with(prefix))).cloned().collect();
            prop_assert_eq!(walked, model);
        }
    }

    #[test]
    fn rules_without_effect_are_skipped() {
        let mut rules = rules(&["a".to_owned(), "b".to_owned()]);
        rules[0].enabled = false;
        assert_eq!(Prefixes::of_versions(&rules), Prefixes(vec!["b".to_owned()]));
        assert_eq!(Prefixes::of_uploads(&rules).seek(b""), None);
    }
}
