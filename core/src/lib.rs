//! The pure domain of Cairn: what objects, extents, shards, disks and clusters *are*, and every decision about them.
//!
//! Nothing here performs I/O, reads a clock or draws a random number. A decision is a function of state, event and,
//! where time matters, a `now` that the caller passes in; the role crates execute what is decided here. Types that
//! are written to disk or sent between roles carry explicit CBOR field numbers, which are never reused.

#![warn(missing_docs)]

mod by_number;
pub mod cell;
pub mod clock;
pub mod cluster_map;
pub mod codec;
pub mod descriptor;
pub mod etag;
pub mod footprint;
pub mod geometry;
pub mod id;
pub mod lifecycle;
pub mod limits;
pub mod name;
pub mod placement;
pub mod profile;
pub mod quorum;
pub mod random;
pub mod range;
pub mod rebalance;
pub mod release;
pub mod repair;
pub mod shard;
pub mod storage_class;
pub mod stripe;
pub mod sync;
pub mod testing;
pub mod threads;
pub mod unit;
pub mod version;
