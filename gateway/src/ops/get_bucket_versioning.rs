//! GetBucketVersioning.

use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::query::GetBucket;

use crate::request::call::BucketCall;
use crate::response::respond::{self, Answer};
use crate::xml::versioning_configuration;

pub(crate) async fn handle(call: BucketCall) -> Answer {
    let bucket = call.context.metadata().ask(GetBucket { name: call.bucket }).await?;
    respond::document(versioning_configuration(bucket.versioning))
}
