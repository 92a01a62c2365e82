//! Which objects a rule applies to.

use minicbor::{Decode, Encode};

/// A tag of an object.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Tag {
    /// Its name.
    #[n(0)]
    pub key: String,
    /// Its value.
    #[n(1)]
    pub value: String,
}

/// How the client wrote a filter, so that reading it returns the same form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum FilterForm {
    /// `Prefix` in the rule itself, the old form.
    #[n(0)]
    TopLevelPrefix,
    /// `Filter`.
    #[n(1)]
    Filter,
    /// `Filter` with `And` in it.
    #[n(2)]
    And,
}

/// The objects to which a rule applies: those that meet all conditions.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Filter {
    /// Only how it was written.
    #[n(0)]
    pub form: FilterForm,
    /// The key starts with this.
    #[n(1)]
    pub prefix: Option<String>,
    /// The object has all of these tags.
    #[n(2)]
    pub tags: Vec<Tag>,
    /// The object has more bytes than this.
    #[n(3)]
    pub larger_than: Option<u64>,
    /// The object has fewer bytes than this.
    #[n(4)]
    pub smaller_than: Option<u64>,
}

impl Filter {
    /// Objects whose keys start with `prefix`.
    pub fn of_prefix(prefix: &str) -> Self {
        Self {
            form: FilterForm::Filter,
            prefix: Some(prefix.to_owned()),
            tags: Vec::new(),
            larger_than: None,
            smaller_than: None,
        }
    }

    /// The required prefix of keys; empty for any key.
    pub fn prefix(&self) -> &str {
        self.prefix.as_deref().unwrap_or_default()
    }

    /// Whether an object with this key, size in bytes and tags meets the conditions.
    pub fn matches(&self, key: &str, size: u64, tags: &[Tag]) -> bool {
        key.starts_with(self.prefix())
            && self.larger_than.is_none_or(|bound| size > bound)
            && self.smaller_than.is_none_or(|bound| size < bound)
            && self.tags.iter().all(|tag| tags.contains(tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &str, value: &str) -> Tag {
        Tag { key: key.to_owned(), value: value.to_owned() }
    }

    #[test]
    fn all_of_a_filter_must_hold() {
        let any = Filter { form: FilterForm::Filter, prefix: None, ..Filter::of_prefix("") };
        assert!(any.matches("k", 0, &[]));
        let logs = Filter { larger_than: Some(10), smaller_than: Some(20), ..Filter::of_prefix("logs/") };
        for (key, size, expected) in [
            ("logs/a", 11, true),
            ("logs/a", 19, true),
            ("logs/a", 10, false),
            ("logs/a", 20, false),
            ("log", 15, false),
        ] {
            assert_eq!(logs.matches(key, size, &[]), expected, "{key} {size}");
        }
        let tagged = Filter { tags: vec![tag("a", "1"), tag("b", "2")], ..any };
        assert!(tagged.matches("k", 0, &[tag("b", "2"), tag("c", "3"), tag("a", "1")]));
        for tags in [vec![], vec![tag("a", "1")], vec![tag("a", "1"), tag("b", "3")]] {
            assert!(!tagged.matches("k", 0, &tags), "{tags:?}");
        }
    }
}
