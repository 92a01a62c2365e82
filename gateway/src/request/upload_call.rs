//! Calls about multipart uploads and their parts.

use std::sync::Arc;

use cairn_core::descriptor::PartOf;
use cairn_core::id::{PartNumber, UploadId};

use super::call::{Arrival, Call};
use super::incoming::Incoming;
use super::name::ObjectName;
use super::query::Query;
use crate::context::Context;
use crate::error::{S3Error, S3ErrorCode};

/// About an upload.
pub(crate) struct UploadCall {
    pub(crate) context: Arc<Context>,
    pub(crate) object: ObjectName,
    pub(crate) upload: UploadId,
    pub(crate) request: Incoming,
}

/// About one part of an upload.
pub(crate) struct PartCall {
    pub(crate) context: Arc<Context>,
    pub(crate) object: ObjectName,
    pub(crate) part: PartOf,
    pub(crate) request: Incoming,
}

impl Call for UploadCall {
    fn parse(arrival: Arrival) -> Result<Self, S3Error> {
        let Arrival { context, target, request } = arrival;
        let object = target.object()?;
        let upload = requested_upload(&context, &request.query)?;
        Ok(Self { context, object, upload, request })
    }
}

impl Call for PartCall {
    fn parse(arrival: Arrival) -> Result<Self, S3Error> {
        let Arrival { context, target, request } = arrival;
        let upload = requested_upload(&context, &request.query)?;
        let number = part_number(request.query.get("partNumber").unwrap_or_default())?;
        let object = target.object()?;
        Ok(Self { context, object, part: PartOf { upload, number }, request })
    }
}

/// The upload that a request names. A text that is not an id names no upload.
pub(super) fn requested_upload(context: &Context, query: &Query) -> Result<UploadId, S3Error> {
    context.ids()?.parse_upload(query.text("uploadId")).ok_or(S3ErrorCode::NoSuchUpload.into())
}

/// The part number of a read, if the request names one.
pub(super) fn requested_part(query: &Query) -> Result<Option<PartNumber>, S3Error> {
    query.get("partNumber").map(part_number).transpose()
}

fn part_number(text: &str) -> Result<PartNumber, S3Error> {
    text.parse().ok().and_then(|n| PartNumber::new(n).ok()).ok_or_else(|| {
        S3Error::invalid_argument("partNumber", text, "Part number must be an integer between 1 and 10000, inclusive")
    })
}
