//! The calls of operations that list keys.

use std::sync::Arc;

use cairn_core::name::BucketName;

use super::call::{Arrival, Call};
use super::incoming::Incoming;
use super::query::Query;
use crate::context::Context;
use crate::error::S3Error;
use crate::xml::KeyEncoding;

/// What all listings of keys have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) encoding: KeyEncoding,
    /// Page size limit.
    pub(crate) limit: u32,
    pub(crate) prefix: String,
    /// Empty for none.
    pub(crate) delimiter: String,
}

impl Listing {
    /// `limit_name` is the parameter that limits the page.
    pub(crate) fn parse(query: &Query, limit_name: &str) -> Result<Self, S3Error> {
        let encoding = KeyEncoding::parse(query.get("encoding-type"))?;
        let limit = query.page_limit(limit_name)?;
        Ok(Self {
            encoding,
            limit,
            prefix: query.text("prefix").to_owned(),
            delimiter: query.text("delimiter").to_owned(),
        })
    }

    /// The delimiter as documents show it.
    pub(crate) fn shown_delimiter(&self) -> Option<&str> {
        Some(self.delimiter.as_str()).filter(|delimiter| !delimiter.is_empty())
    }
}

/// A listing of objects or versions.
pub(crate) struct ListCall {
    pub(crate) context: Arc<Context>,
    pub(crate) bucket: BucketName,
    pub(crate) listing: Listing,
    pub(crate) request: Incoming,
}

impl Call for ListCall {
    fn parse(arrival: Arrival) -> Result<Self, S3Error> {
        let Arrival { context, target, request } = arrival;
        let listing = Listing::parse(&request.query, "max-keys")?;
        Ok(Self { context, bucket: target.bucket()?, listing, request })
    }
}
