//! DeleteObject.

use axum::body::Body;
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::command::DeleteObject;
use http::{Response, StatusCode};

use crate::request::call::VersionCall;
use crate::request::conditions::write_precondition;
use crate::response::respond::{self, Answer};
use crate::response::version::{DELETE_MARKER, VERSION_ID, describe_version};

pub(crate) async fn handle(call: VersionCall) -> Answer {
    let precondition = write_precondition(&call.request.headers);
    let command =
        DeleteObject { bucket: call.object.bucket, key: call.object.key, precondition, version: call.version };
    let deleted = call.context.metadata().run(command).await?;
    let mut response = Response::builder().status(StatusCode::NO_CONTENT);
    if deleted.is_marker {
        response = response.header(DELETE_MARKER, "true");
    }
    respond::finish(describe_version(response, VERSION_ID, deleted.version), Body::empty())
}
