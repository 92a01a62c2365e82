//! The S3 operations, one file each: request in, calls on metadata and data path, response out.

pub(crate) mod abort_multipart_upload;
pub(crate) mod complete_multipart_upload;
pub(crate) mod copy_object;
mod copy_source;
pub(crate) mod create_bucket;
pub(crate) mod create_multipart_upload;
pub(crate) mod delete_bucket;
pub(crate) mod delete_bucket_lifecycle;
pub(crate) mod delete_object;
pub(crate) mod delete_objects;
pub(crate) mod get_bucket_lifecycle;
pub(crate) mod get_bucket_location;
pub(crate) mod get_bucket_versioning;
pub(crate) mod get_object;
pub(crate) mod get_object_attributes;
pub(crate) mod head_bucket;
pub(crate) mod head_object;
pub(crate) mod list_buckets;
pub(crate) mod list_multipart_uploads;
pub(crate) mod list_object_versions;
pub(crate) mod list_objects_v1;
pub(crate) mod list_objects_v2;
pub(crate) mod list_parts;
mod listing;
mod open_object;
pub(crate) mod put_bucket_lifecycle;
pub(crate) mod put_bucket_versioning;
pub(crate) mod put_object;
pub(crate) mod upload_part;
pub(crate) mod upload_part_copy;

use crate::xml::Owner;

/// The root user, who owns everything.
fn owner(gateway: &crate::gateway::Gateway) -> Owner<'_> {
    Owner { id: gateway.owner_id(), display_name: "root" }
}
