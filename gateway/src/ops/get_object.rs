//! GetObject.

use axum::body::Body;

use super::open_object::open;
use crate::data::LOCATE_EXTENTS;
use crate::service::body_stream;
use crate::service::call::{Answer, Call};
use crate::service::respond;

pub(crate) async fn handle(call: Call) -> Answer {
    let mut opened = open(&call, LOCATE_EXTENTS).await?;
    let response = opened.head(&call).await?;
    if opened.length() == 0 {
        return respond::finish(response, Body::empty());
    }
    let located = std::mem::take(&mut opened.view.located);
    let reader = call.gateway.data().read(opened.view.version.content, opened.bytes.clone(), located).await?;
    respond::finish(response, body_stream::stream(reader, opened.length()).await?)
}
