//! DeleteObject.

use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::command::DeleteObject;
use http::StatusCode;

use crate::service::call::{Answer, Call};
use crate::service::conditions::write_precondition;
use crate::service::respond;

pub(crate) async fn handle(call: Call) -> Answer {
    let command =
        DeleteObject { bucket: call.bucket()?, key: call.key()?, precondition: write_precondition(&call.headers) };
    call.gateway.metadata().run(command).await?;
    respond::empty(StatusCode::NO_CONTENT)
}
