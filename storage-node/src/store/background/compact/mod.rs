//! Compaction: copies the live records of sparse volumes to the end of the log, so that the volumes' files can go. Runs
//! beside everything else, at a bounded rate.
//!
//! - A copy counts only if, once it is on stable storage, its shard still is where the copy was made from. It is not
//!   even begun while the shard is being written or deleted: a copy comes later in the log than what was under way
//!   before it, and would overrule it.
//! - Every cell is verified on the way. A record that is not whole is never dropped: it stays where it is, its volume
//!   stays too, and it is reported.
//! - Tombstones that keep records in older volumes dead are written again. Volumes that kept something dead by way of this
//!   one inherit what this one kept dead.
//!
//! A crash at any moment leaves the old record, the copy, or both; the later place counts, and both are the same.

mod compactor;
mod copy;

pub(crate) use compactor::Compactor;
