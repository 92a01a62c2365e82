//! What clients are told of an object's end.

use super::{Day, Expiration, Rule, VersionFacts};

/// When the current version of a key goes, as `x-amz-expiration` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry<'r> {
    /// Milliseconds since the Unix epoch. It may go later, never earlier.
    pub at_ms: u64,
    /// The rule that says so.
    pub rule: &'r str,
}

/// When a current version that is no delete marker goes; of several rules the earliest counts.
pub fn expiry<'r>(rules: &'r [Rule], version: &VersionFacts<'_>, day: Day) -> Option<Expiry<'r>> {
    let about = |rule: &&Rule| rule.enabled && rule.filter.matches(version.key, version.size, version.tags);
    let of_rule = |rule: &'r Rule| {
        let at_ms = match rule.expiration? {
            Expiration::Days(days) => day.end_of(version.last_modified_ms, days),
            Expiration::Date(date_ms) => date_ms,
            Expiration::LoneMarkers => return None,
        };
        Some(Expiry { at_ms, rule: &rule.id })
    };
    rules.iter().filter(about).filter_map(of_rule).min_by_key(|expiry| expiry.at_ms)
}
