//! GetBucketVersioning.

use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::query::GetBucket;

use crate::service::call::{Answer, Call};
use crate::service::respond;
use crate::xml::versioning_configuration;

pub(crate) async fn handle(call: Call) -> Answer {
    let bucket = call.gateway.metadata().ask(GetBucket { name: call.bucket()? }).await?;
    respond::document(versioning_configuration(bucket.versioning))
}
