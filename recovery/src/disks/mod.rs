//! What the disks hold, read without any metadata: inventories merged into extents, extents put together into bodies.

mod assembly;
mod backups;
mod census;
mod etag;

pub(crate) use assembly::{Assembled, Assembly, FoundBody, Fragment};
pub(crate) use backups::{FoundBackup, ReadPlan, SearchedNode, find_backups, read_backup, search_map};
pub(crate) use census::{Census, SeenExtent, serving_disks};
pub(crate) use etag::{etag_of_body, etag_of_reader};
