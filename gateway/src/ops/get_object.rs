//! GetObject.

use axum::body::Body;

use super::steps::open_object::open;
use crate::data::LOCATE_EXTENTS;
use crate::request::read_call::ReadCall;
use crate::response::body_stream;
use crate::response::respond::{self, Answer};

pub(crate) async fn handle(call: ReadCall) -> Answer {
    let mut opened = open(&call, LOCATE_EXTENTS).await?;
    let response = opened.head(&call).await?;
    if opened.length() == 0 {
        return respond::finish(response, Body::empty());
    }
    let located = std::mem::take(&mut opened.view.located);
    let data = call.of.context.data();
    let reader = data.read(opened.view.version.content, opened.bytes.clone(), located).await?;
    respond::finish(response, body_stream::stream(reader, opened.length()).await?)
}
