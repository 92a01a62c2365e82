//! What runs beside the clients: maintenance, compaction and the scrub.

mod compact;
mod maintenance;
mod scrub;

pub(crate) use compact::Compactor;
pub(crate) use maintenance::Maintenance;
pub(crate) use scrub::run as run_scrub;
