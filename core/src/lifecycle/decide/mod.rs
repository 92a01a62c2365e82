//! Decides whether a version or an upload is kept.

use super::moment::Due;
use super::{Expiration, Lifecycle, Moment, Rule, Tag};
use crate::id::CommitSequence;

/// What rules need to know about a version.
#[derive(Debug, Clone, Copy)]
pub struct VersionFacts<'a> {
    /// Its key.
    pub key: &'a str,
    /// The commit that made it.
    pub sequence: CommitSequence,
    /// In milliseconds since the Unix epoch.
    pub last_modified_ms: u64,
    /// In bytes; 0 for a delete marker.
    pub size: u64,
    /// Its tags.
    pub tags: &'a [Tag],
    /// Whether it is a delete marker.
    pub is_marker: bool,
}

/// The place of a version among those of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It is the newest.
    Current {
        /// Whether it is the only one.
        is_alone: bool,
    },
    /// Others are newer.
    Noncurrent {
        /// The version that replaced it.
        successor: CommitSequence,
        /// In milliseconds since the Unix epoch.
        since_ms: u64,
        /// The number of newer noncurrent versions.
        newer: u32,
    },
}

/// What to do with a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It stays.
    Keep,
    /// It stays for now. It has expired by the wall clock, but the service has not existed long enough to be sure.
    Wait {
        /// The missing time in milliseconds.
        short_ms: u64,
    },
    /// The current version is deleted as a client's DELETE of the key would do it.
    Expire,
    /// The version is removed for good.
    Remove,
}

/// Decides about one version. Source: S3 user guide, "Elements to describe lifecycle actions".
pub fn decide(lifecycle: &Lifecycle, version: &VersionFacts<'_>, place: Place, moment: &Moment<'_>) -> Verdict {
    let action = match place {
        Place::Current { .. } if !version.is_marker => Verdict::Expire,
        Place::Current { .. } | Place::Noncurrent { .. } => Verdict::Remove,
    };
    let about = |rule: &&Rule| rule.enabled && rule.filter.matches(version.key, version.size, version.tags);
    let of_rule = |rule: &Rule| match place {
        Place::Current { is_alone } => current(lifecycle, rule, version, is_alone, moment),
        Place::Noncurrent { successor, since_ms, newer } => {
            let due = |noncurrent: super::NoncurrentExpiration| {
                if newer < noncurrent.newer_kept.unwrap_or(0) {
                    return Due::No;
                }
                moment.after_days(noncurrent.days, since_ms, successor)
            };
            rule.noncurrent.map_or(Due::No, due)
        }
    };
    earliest(lifecycle.rules.iter().filter(about).map(of_rule), action)
}

fn current(lifecycle: &Lifecycle, rule: &Rule, version: &VersionFacts<'_>, is_alone: bool, moment: &Moment<'_>) -> Due {
    // Without a delete marker the older versions would be visible again.
    if version.is_marker && !is_alone {
        return Due::No;
    }
    match rule.expiration {
        Some(Expiration::Days(days)) => moment.after_days(days, version.last_modified_ms, version.sequence),
        Some(Expiration::Date(date_ms)) => moment.on_date(date_ms, lifecycle),
        Some(Expiration::LoneMarkers) if version.is_marker => Due::Yes,
        Some(Expiration::LoneMarkers) | None => Due::No,
    }
}

/// Decides about a multipart upload of `key`, which `began` at `created_ms`: [`Verdict::Remove`] aborts it.
pub fn decide_upload(
    lifecycle: &Lifecycle,
    key: &str,
    began: CommitSequence,
    created_ms: u64,
    moment: &Moment<'_>,
) -> Verdict {
    // Rules that abort uploads filter by neither tags nor sizes.
    let about = |rule: &&Rule| rule.enabled && key.starts_with(rule.filter.prefix());
    let due = |rule: &Rule| rule.abort_uploads_days.map_or(Due::No, |days| moment.after_days(days, created_ms, began));
    earliest(lifecycle.rules.iter().filter(about).map(due), Verdict::Remove)
}

/// One expired rule is enough.
fn earliest(dues: impl Iterator<Item = Due>, action: Verdict) -> Verdict {
    let mut verdict = Verdict::Keep;
    for due in dues {
        match (due, verdict) {
            (Due::Yes, _) => return action,
            (Due::Unproven { short_ms }, Verdict::Wait { short_ms: other }) => {
                verdict = Verdict::Wait { short_ms: short_ms.min(other) };
            }
            (Due::Unproven { short_ms }, _) => verdict = Verdict::Wait { short_ms },
            (Due::No, _) => {}
        }
    }
    verdict
}

#[cfg(test)]
mod tests;
