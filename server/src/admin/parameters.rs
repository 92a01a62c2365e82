//! The parameters of a request, as they stand in its query. None of them needs encoding.

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

    /// The value of `name`, if it is there and not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let value = |pair: &'_ str| pair.split_once('=').is_some_and(|(key, value)| key == name && !value.is_empty());
        let pair = self.0.split('&').find(|pair| value(pair))?;
        pair.split_once('=').map(|(_, value)| value)
    }

    pub(super) fn is_true(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }

    /// The number that `name` gives, if it is there.
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
        assert!(parameters.is_true("dry_run") && !parameters.is_true("bad"));
        assert!(parameters.number::<u64>("bad").is_err());
    }
}
