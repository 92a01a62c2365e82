//! A request's query parameters, decoded.

use std::borrow::Cow;

use cairn_core::limits::LIST_PAGE_MAX;
use cairn_protocol::sigv4::decode_query_component;

use crate::error::{S3Error, S3ErrorCode};

/// The parameters in the order of the request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, S3Error> {
        let decode = |text: &str| decode_query_component(text).map(Cow::into_owned);
        let pairs = query
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                Some((decode(name)?, decode(value)?))
            })
            .collect::<Option<Vec<_>>>()
            .ok_or(S3ErrorCode::InvalidUri)?;
        Ok(Self { pairs })
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The names of all parameters.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.pairs.iter().map(|(name, _)| name.as_str())
    }

    /// The value, or an empty text if the parameter is absent.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// A page size limit: 1,000 if absent, and never more. Source: S3 API reference, ListObjectsV2.
    pub(crate) fn page_limit(&self, name: &str) -> Result<u32, S3Error> {
        let Some(text) = self.get(name).filter(|t| !t.is_empty()) else { return Ok(LIST_PAGE_MAX) };
        let number: i64 = text.parse().map_err(|_| {
            S3Error::invalid_argument(name, text, format!("Provided {name} not an integer or within integer range"))
        })?;
        if !(0..=i64::from(i32::MAX)).contains(&number) {
            let message = format!("Argument {name} must be an integer between 0 and 2147483647");
            return Err(S3Error::invalid_argument(name, text, message));
        }
        Ok((number as u32).min(LIST_PAGE_MAX))
    }
}
