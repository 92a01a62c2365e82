//! The parameters of a request, as they are in its query. None of them needs decoding.

use std::str::FromStr;

/// A parameter that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is {value:?}, which is not a number that fits")]
pub(super) struct InvalidParameter {
    name: &'static str,
    value: String,
}

/// The parameters of a request.
pub(super) struct Parameters(String);

impl Parameters {
    pub(super) fn new(query: Option<String>) -> Self {
        Self(query.unwrap_or_default())
    }

    /// The value of `name`, if it is given; it may be empty.
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        self.values(name).next()
    }

    /// The value of `name`, if it is given and not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.values(name).find(|value| !value.is_empty())
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let pairs = self.0.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(move |(key, _)| *key == name).map(|(_, value)| value)
    }

    pub(super) fn is_true(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }

    /// The number that `name` gives, if it is given. Errors: it is no number, or too large.
    pub(super) fn number<T: FromStr>(&self, name: &'static str) -> Result<Option<T>, InvalidParameter> {
        let invalid = |value: &str| InvalidParameter { name, value: value.to_owned() };
        self.text(name).map(|value| value.parse().map_err(|_| invalid(value))).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_their_whole_name() {
        let parameters = Parameters::new(Some("dry_run=true&rate=5&bad=x&none=&ate=7".to_owned()));
        assert_eq!((parameters.number("rate"), parameters.number("ate")), (Ok(Some(5u64)), Ok(Some(7u8))));
        assert_eq!((parameters.number::<u8>("none"), parameters.text("run")), (Ok(None), None));
        assert_eq!((parameters.given("none"), parameters.given("run")), (Some(""), None));
        assert!(parameters.is_true("dry_run") && !parameters.is_true("bad"));
        assert!(parameters.number::<u64>("bad").is_err());
    }
}
