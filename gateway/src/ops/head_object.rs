//! HeadObject.

use axum::body::Body;

use super::steps::open_object::open;
use crate::request::read_call::ReadCall;
use crate::response::respond::{self, Answer};

pub(crate) async fn handle(call: ReadCall) -> Answer {
    let opened = open(&call, 0).await?;
    respond::finish(opened.head(&call).await?, Body::empty())
}
