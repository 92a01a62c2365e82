//! The call of GetObject and HeadObject.

use cairn_core::id::PartNumber;
use cairn_core::range::ByteRange;

use super::call::{Arrival, Call, VersionCall};
use super::range::parse_range;
use super::upload_call::requested_part;
use crate::error::{S3Error, S3ErrorCode};

/// At most one of `range` and `part` is set.
pub(crate) struct ReadCall {
    pub(crate) of: VersionCall,
    pub(crate) range: Option<ByteRange>,
    pub(crate) part: Option<PartNumber>,
}

impl Call for ReadCall {
    fn parse(arrival: Arrival) -> Result<Self, S3Error> {
        let range = arrival.request.header("range").and_then(parse_range);
        let part = requested_part(&arrival.request.query)?;
        if range.is_some() && part.is_some() {
            let message = "Cannot specify both Range header and partNumber query parameter";
            return Err(S3Error::with_message(S3ErrorCode::InvalidRequest, message));
        }
        Ok(Self { of: VersionCall::parse(arrival)?, range, part })
    }
}
