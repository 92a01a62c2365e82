//! Parses lifecycle configurations. Source for what is refused with which code: S3 API reference, "LifecycleRule", and
//! ceph/s3-tests (`test_lifecycle_*`).

use std::borrow::Cow;
use std::collections::HashSet;

use cairn_core::lifecycle::{Expiration, Filter, FilterForm, NoncurrentExpiration, Rule, Tag};
use cairn_core::limits::{
    KEY_BYTES_MAX, LIFECYCLE_RULE_ID_CHARS_MAX, LIFECYCLE_RULES_MAX, NEWER_NONCURRENT_MAX, OBJECT_TAGS_MAX,
    TAG_KEY_CHARS_MAX, TAG_VALUE_CHARS_MAX,
};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::error::{S3Error, S3ErrorCode};
use crate::xml::document::{self, Shape};

/// Largest document, in bytes: 1,000 rules fit, unless nearly all of them use the longest ids, prefixes and tags.
pub const LIFECYCLE_BYTES_MAX: usize = 2 << 20;

const SHAPE: Shape = Shape { root: "LifecycleConfiguration", elements: None, not_implemented: &[] };

/// Dates are midnights in UTC, where every day has 24 hours.
const DAY_MS: u64 = 24 * 3600 * 1000;
/// Most days that a rule may name: a 32-bit integer.
const DAYS_MAX: i64 = i32::MAX as i64;

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "Rule", default)]
    rules: Vec<WireRule>,
}

// Unknown elements are malformed: a rule whose misspelled filter was ignored would apply to all objects.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct WireRule {
    #[serde(rename = "ID")]
    id: Option<String>,
    status: Option<String>,
    prefix: Option<String>,
    filter: Option<WireFilter>,
    expiration: Option<WireExpiration>,
    noncurrent_version_expiration: Option<WireNoncurrent>,
    abort_incomplete_multipart_upload: Option<WireAbort>,
    #[serde(default)]
    transition: Vec<IgnoredAny>,
    #[serde(default)]
    noncurrent_version_transition: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct WireFilter {
    prefix: Option<String>,
    #[serde(default)]
    tag: Vec<WireTag>,
    object_size_greater_than: Option<u64>,
    object_size_less_than: Option<u64>,
    and: Option<WireConditions>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct WireConditions {
    prefix: Option<String>,
    #[serde(default)]
    tag: Vec<WireTag>,
    object_size_greater_than: Option<u64>,
    object_size_less_than: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct WireTag {
    key: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct WireExpiration {
    days: Option<i64>,
    date: Option<String>,
    expired_object_delete_marker: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct WireNoncurrent {
    noncurrent_days: i64,
    newer_noncurrent_versions: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct WireAbort {
    days_after_initiation: i64,
}

/// Parses and checks a configuration. Rules without an id get an empty one.
pub fn parse_lifecycle(body: &[u8]) -> Result<Vec<Rule>, S3Error> {
    let document: Document = document::parse(body, &SHAPE, LIFECYCLE_BYTES_MAX)?;
    if document.rules.is_empty() || document.rules.len() > LIFECYCLE_RULES_MAX {
        return Err(document::malformed());
    }
    let rules = document.rules.into_iter().map(rule).collect::<Result<Vec<_>, _>>()?;
    let mut ids = HashSet::new();
    match rules.iter().find(|rule| !rule.id.is_empty() && !ids.insert(rule.id.as_str())) {
        Some(twice) => {
            let message = "Rule ID must be unique. Found same ID for more than one rule";
            Err(S3Error::invalid_argument("ID", &twice.id, message))
        }
        None => Ok(rules),
    }
}

fn rule(wire: WireRule) -> Result<Rule, S3Error> {
    if !wire.transition.is_empty() || !wire.noncurrent_version_transition.is_empty() {
        let message = "Transitions to another storage class are not implemented. Nothing of the configuration was set.";
        return Err(S3Error::with_message(S3ErrorCode::NotImplemented, message));
    }
    let id = wire.id.unwrap_or_default();
    if id.chars().count() > LIFECYCLE_RULE_ID_CHARS_MAX {
        let message = format!("ID length should not exceed allowed limit of {LIFECYCLE_RULE_ID_CHARS_MAX}");
        return Err(S3Error::invalid_argument("ID", id, message));
    }
    let enabled = match wire.status.as_deref() {
        Some("Enabled") => true,
        Some("Disabled") => false,
        _ => return Err(document::malformed()),
    };
    let filter = filter(wire.prefix, wire.filter)?;
    let rule = Rule {
        id,
        enabled,
        filter,
        expiration: wire.expiration.map(expiration).transpose()?,
        noncurrent: wire.noncurrent_version_expiration.map(noncurrent).transpose()?,
        abort_uploads_days: wire
            .abort_incomplete_multipart_upload
            .map(|abort| positive("DaysAfterInitiation", "AbortIncompleteMultipartUpload", abort.days_after_initiation))
            .transpose()?,
    };
    check_actions(&rule)?;
    Ok(rule)
}

fn check_actions(rule: &Rule) -> Result<(), S3Error> {
    let has_sizes = rule.filter.larger_than.is_some() || rule.filter.smaller_than.is_some();
    let has_tags = !rule.filter.tags.is_empty();
    if rule.expiration.is_none() && rule.noncurrent.is_none() && rule.abort_uploads_days.is_none() {
        return Err(invalid("At least one action needs to be specified in a rule"));
    }
    if rule.expiration == Some(Expiration::LoneMarkers) && has_tags {
        return Err(invalid("ExpiredObjectDeleteMarker cannot be specified with a filter on tags"));
    }
    if rule.abort_uploads_days.is_some() && (has_tags || has_sizes) {
        return Err(invalid(
            "AbortIncompleteMultipartUpload cannot be specified with a filter on tags or object sizes",
        ));
    }
    Ok(())
}

fn filter(prefix: Option<String>, filter: Option<WireFilter>) -> Result<Filter, S3Error> {
    let (form, conditions) = match (prefix, filter) {
        (Some(prefix), None) => {
            (FilterForm::TopLevelPrefix, WireConditions { prefix: Some(prefix), ..WireConditions::default() })
        }
        (None, Some(WireFilter { and: None, prefix, tag, object_size_greater_than, object_size_less_than })) => {
            (FilterForm::Filter, WireConditions { prefix, tag, object_size_greater_than, object_size_less_than })
        }
        (None, Some(WireFilter { and: Some(and), prefix, tag, object_size_greater_than, object_size_less_than })) => {
            let beside = prefix.is_some() || object_size_greater_than.is_some() || object_size_less_than.is_some();
            if beside || !tag.is_empty() {
                return Err(document::malformed());
            }
            (FilterForm::And, and)
        }
        // Exactly one of them is required: a rule that applies to everything says so.
        (None, None) | (Some(_), Some(_)) => return Err(document::malformed()),
    };
    let WireConditions {
        prefix,
        tag: tags,
        object_size_greater_than: larger_than,
        object_size_less_than: smaller_than,
    } = conditions;
    let is_empty = prefix.is_none() && tags.is_empty() && larger_than.is_none() && smaller_than.is_none();
    if form == FilterForm::And && is_empty {
        return Err(document::malformed());
    }
    if prefix.as_ref().is_some_and(|prefix| prefix.len() > KEY_BYTES_MAX) {
        return Err(invalid(format!("The maximum size of a prefix is {KEY_BYTES_MAX}.")));
    }
    if let (Some(larger), Some(smaller)) = (larger_than, smaller_than)
        && larger >= smaller
    {
        return Err(invalid("'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'"));
    }
    Ok(Filter { form, prefix, tags: check_tags(tags)?, larger_than, smaller_than })
}

fn check_tags(wire: Vec<WireTag>) -> Result<Vec<Tag>, S3Error> {
    let mut keys = HashSet::new();
    if wire.len() > OBJECT_TAGS_MAX {
        return Err(invalid(format!("A filter cannot have more than {OBJECT_TAGS_MAX} tags")));
    }
    for tag in &wire {
        if tag.key.is_empty() || tag.key.chars().count() > TAG_KEY_CHARS_MAX {
            return Err(invalid(format!("The name of a tag has 1 to {TAG_KEY_CHARS_MAX} characters")));
        }
        if tag.value.chars().count() > TAG_VALUE_CHARS_MAX {
            return Err(invalid(format!("The value of a tag has at most {TAG_VALUE_CHARS_MAX} characters")));
        }
        if !keys.insert(tag.key.as_str()) {
            return Err(invalid("Duplicate Tag Keys are not allowed."));
        }
    }
    Ok(wire.into_iter().map(|WireTag { key, value }| Tag { key, value }).collect())
}

fn expiration(wire: WireExpiration) -> Result<Expiration, S3Error> {
    match (wire.days, wire.date, wire.expired_object_delete_marker.filter(|wanted| *wanted)) {
        (Some(days), None, None) => Ok(Expiration::Days(positive("Days", "Expiration", days)?)),
        (None, Some(text), None) => date(&text).map(Expiration::Date),
        (None, None, Some(_)) => Ok(Expiration::LoneMarkers),
        _ => Err(document::malformed()),
    }
}

fn noncurrent(wire: WireNoncurrent) -> Result<NoncurrentExpiration, S3Error> {
    let days = positive("NoncurrentDays", "NoncurrentVersionExpiration", wire.noncurrent_days)?;
    let newer_kept = wire.newer_noncurrent_versions.map(|kept| {
        u32::try_from(kept).ok().filter(|kept| (1..=NEWER_NONCURRENT_MAX).contains(kept)).ok_or_else(|| {
            let message = format!("'NewerNoncurrentVersions' must be an integer from 1 to {NEWER_NONCURRENT_MAX}");
            S3Error::invalid_argument("NewerNoncurrentVersions", kept.to_string(), message)
        })
    });
    Ok(NoncurrentExpiration { days, newer_kept: newer_kept.transpose()? })
}

fn positive(name: &str, action: &str, days: i64) -> Result<u32, S3Error> {
    if (1..=DAYS_MAX).contains(&days) {
        return Ok(days as u32);
    }
    let message = format!("'{name}' for {action} action must be a positive integer");
    Err(S3Error::invalid_argument(name, days.to_string(), message))
}

/// A midnight UTC in milliseconds since the Unix epoch. A day without a time means its beginning.
fn date(text: &str) -> Result<u64, S3Error> {
    let day = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|time| time.timestamp());
    let time = text.parse::<Timestamp>().ok().or_else(day).ok_or_else(document::malformed)?;
    match u64::try_from(time.as_millisecond()) {
        Ok(ms) if ms % DAY_MS == 0 && time.subsec_nanosecond() == 0 => Ok(ms),
        _ => Err(S3Error::invalid_argument("Date", text, "'Date' must be at midnight GMT")),
    }
}

fn invalid(message: impl Into<Cow<'static, str>>) -> S3Error {
    S3Error::with_message(S3ErrorCode::InvalidRequest, message)
}
