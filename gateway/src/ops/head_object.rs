//! HeadObject.

use axum::body::Body;

use super::open_object::open;
use crate::service::call::{Answer, Call};
use crate::service::respond;

pub(crate) async fn handle(call: Call) -> Answer {
    let opened = open(&call, 0).await?;
    respond::finish(opened.head(&call).await?, Body::empty())
}
