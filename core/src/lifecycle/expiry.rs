//! When an object expires, as reported to clients.

use super::{Day, Expiration, Rule, VersionFacts};

/// Fields from which `x-amz-expiration` is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry<'r> {
    /// In milliseconds since the Unix epoch. The version may expire later, but never earlier.
    pub at_ms: u64,
    /// The id of the rule.
    pub rule: &'r str,
}

/// When a current version that is not a delete marker expires, by the earliest of the rules.
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
