//! A key of the configuration: its names, and how it is read, checked and printed.

use std::fmt;
use std::ops::{Bound, RangeBounds};

use super::value::Value;

/// A value as a source has it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Raw<'a> {
    Toml(&'a toml::Value),
    Text(&'a str),
}

impl fmt::Display for Raw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Toml(value) => write!(f, "{value}"),
            Self::Text(text) => write!(f, "{text:?}"),
        }
    }
}

/// Why a value does not fit a key: what would.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) allowed: String,
}

/// A section: the keys of one role or one job.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) name: &'static str,
    pub(super) doc: &'static str,
}

/// A key, over the values that one source sets (`L`) and the whole configuration (`C`).
pub struct Key<L, C> {
    pub(super) section: &'static str,
    pub(super) name: &'static str,
    /// The name without a section, which older releases knew.
    pub(super) flat: Option<&'static str>,
    pub(super) flag: Option<&'static str>,
    pub(super) doc: &'static str,
    pub(super) is_secret: bool,
    /// The allowed range, if it is narrower than the type.
    pub(super) range: fn() -> Option<String>,
    /// The default, as documentation shows it.
    pub(super) default: fn() -> String,
    pub(super) is_set: fn(&L) -> bool,
    pub(super) set: fn(&mut L, Raw<'_>) -> Result<(), Refused>,
    pub(super) print: fn(&C) -> Option<toml::Value>,
}

impl<L, C> Key<L, C> {
    /// The command-line flag that sets it, if there is one.
    pub fn flag(&self) -> Option<&'static str> {
        self.flag
    }

    /// `section.name`.
    pub(super) fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    /// The environment variable that sets it.
    pub(super) fn variable(&self) -> String {
        format!("CAIRN_{}_{}", self.section, self.name).to_ascii_uppercase()
    }

    /// The environment variable of older releases.
    pub(super) fn flat_variable(&self) -> Option<String> {
        self.flat.map(|flat| format!("CAIRN_{flat}").to_ascii_uppercase())
    }
}

pub(super) fn read<T: Value>(raw: Raw<'_>) -> Result<T, Refused> {
    let value = match raw {
        Raw::Toml(value) => T::from_toml(value),
        Raw::Text(text) => T::from_text(text),
    };
    value.ok_or_else(|| Refused { allowed: T::expected() })
}

pub(super) fn check_range<T: Value + PartialOrd>(value: T, range: &impl RangeBounds<T>) -> Result<T, Refused> {
    if range.contains(&value) { Ok(value) } else { Err(Refused { allowed: range_text(range) }) }
}

/// The range in words. An excluded end does not occur.
pub(super) fn range_text<T: Value>(range: &impl RangeBounds<T>) -> String {
    let text = |bound| match bound {
        Bound::Included(value) | Bound::Excluded(value) => Some(shown(value)),
        Bound::Unbounded => None,
    };
    match (text(range.start_bound()), text(range.end_bound())) {
        (Some(least), Some(most)) => format!("{least} to {most}"),
        (Some(least), None) => format!("at least {least}"),
        (None, Some(most)) => format!("at most {most}"),
        (None, None) => "any".to_owned(),
    }
}

/// A value for people: without the quotes of TOML, lists with commas.
pub(super) fn shown<T: Value>(value: &T) -> String {
    match value.to_toml() {
        None => "none".to_owned(),
        Some(toml::Value::String(text)) if text.is_empty() => "empty".to_owned(),
        Some(toml::Value::String(text)) => text,
        Some(toml::Value::Array(items)) if items.is_empty() => "none".to_owned(),
        Some(other) => other.to_string(),
    }
}
