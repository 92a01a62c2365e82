//! One function per query, over a consistent view of the tables.

pub(crate) mod classify_shards;
mod find_off_profile;
mod get_bucket_settings;
mod get_object;
mod get_upload;
mod list_buckets;
mod list_objects;
mod list_parts;
mod list_uploads;
mod list_versions;
mod locate;
mod recovery;
mod repair_queue;
mod rollup;

use cairn_protocol::metadata::{Answer, Query};

pub(crate) use list_objects::object_key;
pub(crate) use locate::locate_extents;

use crate::error::Refused;
use crate::state::tables::{View, disk_extents};

/// Answers what the tables alone can answer; `None` for a query that also needs the leader.
pub(crate) fn answer(view: &View, query: Query) -> Result<Option<Answer>, Refused> {
    Ok(Some(match query {
        Query::ListBuckets(q) => Answer::Buckets(list_buckets::list_buckets(view, &q)?),
        Query::GetObject(q) => Answer::Object(get_object::get_object(view, &q)?),
        Query::LocateExtents(q) => Answer::Extents(locate_extents(view, &q)?),
        Query::ListObjects(q) => Answer::Objects(list_objects::list_objects(view, &q)?),
        Query::GetUpload(q) => Answer::Upload(get_upload::get_upload(view, &q)?),
        Query::ListParts(q) => Answer::Parts(list_parts::list_parts(view, &q)?),
        Query::ListUploads(q) => Answer::Uploads(list_uploads::list_uploads(view, &q)?),
        Query::ClassifyShards(q) => Answer::Garbage(classify_shards::classify_shards(view, q.disk, &q.shards)?),
        Query::GetRepairQueue(q) => Answer::RepairQueue(repair_queue::repair_queue(view, q.limit)?),
        Query::FindOffProfile(q) => Answer::OffProfile(find_off_profile::find_off_profile(view, &q)?),
        Query::CountDiskExtents(q) => Answer::Count(disk_extents::count(&view.disk_extents()?, q.disk)?),
        Query::ListExtents(q) => Answer::KnownExtents(recovery::list_extents(view, &q)?),
        Query::ListFindings(q) => Answer::Findings(recovery::list_findings(view, &q)?),
        Query::ListVersions(q) => Answer::Versions(list_versions::list_versions(view, &q)?),
        Query::GetBucketSettings(q) => Answer::BucketSettings(get_bucket_settings::get_bucket_settings(view, &q)?),
        Query::GetClusterMap(_)
        | Query::GetClusterStatus(_)
        | Query::GetMembers(_)
        | Query::GetUpgrade(_)
        | Query::GetRepairStatus(_)
        | Query::GetVerification(_)
        | Query::GetRebalance(_) => return Ok(None),
    }))
}
