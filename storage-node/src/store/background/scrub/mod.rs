//! The scrub (I14): reads every shard from the medium within a set time and compares it with its checksums, so that
//! what rots is found while enough good shards are left to rebuild it from.
//!
//! A cycle goes through the live shards in the order of their places, so that the disk reads forward. The index says
//! which are live, batch by batch: a shard whose header is damaged is found too, and one that was deleted or has moved
//! is no finding. The only state is a place in the log and what was found; it is saved now and then, and survives
//! everything. Findings wait in it until the metadata service has taken them.

mod check;
mod listing;
mod medium_source;
mod pace;
mod scrubber;

pub(crate) use scrubber::run;
