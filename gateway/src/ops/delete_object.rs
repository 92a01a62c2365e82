//! DeleteObject.

use axum::body::Body;
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::command::DeleteObject;
use http::{Response, StatusCode};

use crate::service::call::{Answer, Call};
use crate::service::conditions::write_precondition;
use crate::service::respond;
use crate::service::version::{DELETE_MARKER, VERSION_ID, describe_version};

pub(crate) async fn handle(call: Call) -> Answer {
    let (bucket, key, version) = (call.bucket()?, call.key()?, call.version_id()?);
    let command = DeleteObject { bucket, key, precondition: write_precondition(&call.headers), version };
    let deleted = call.gateway.metadata().run(command).await?;
    let mut response = Response::builder().status(StatusCode::NO_CONTENT);
    if deleted.is_marker {
        response = response.header(DELETE_MARKER, "true");
    }
    respond::finish(describe_version(response, VERSION_ID, deleted.version), Body::empty())
}
