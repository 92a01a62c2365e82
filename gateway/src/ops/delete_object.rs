//! DeleteObject.

use axum::body::Body;
use cairn_protocol::metadata::command::DeleteObject;
use cairn_protocol::metadata::settings::BucketRecord;
use http::{Response, StatusCode};

use crate::request::call::VersionCall;
use crate::request::conditions::write_precondition;
use crate::request::name::ObjectName;
use crate::response::respond::{self, Answer};
use crate::response::version::{DELETE_MARKER, VERSION_ID, describe_version};

pub(crate) async fn handle(call: VersionCall) -> Answer {
    let ids = call.context.ids()?;
    let precondition = write_precondition(&call.request.headers);
    let ObjectName { bucket, key } = call.object;
    let command = DeleteObject { bucket: bucket.clone(), key, precondition, version: call.version, revision: None };
    let decide = |record: &BucketRecord| DeleteObject { revision: Some(record.revision), ..command.clone() };
    let deleted = call.context.buckets().run(&bucket, decide).await?;
    let mut response = Response::builder().status(StatusCode::NO_CONTENT);
    if deleted.is_marker {
        response = response.header(DELETE_MARKER, "true");
    }
    respond::finish(describe_version(response, ids, VERSION_ID, deleted.version), Body::empty())
}
