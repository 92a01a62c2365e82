//! When a bucket's lifecycle rules end an object.
//!
//! A [`Rule`] states to which objects it applies ([`Filter`]) and when they expire. [`decide`] takes one version, its
//! place among the versions of its key, and a [`Moment`], and decides whether it is kept. A wall clock alone never ends
//! an object (I20): it must also have existed that long by [`ServiceTime`], which counts the time that the metadata
//! service was up.

mod day;
mod decide;
mod expiry;
mod filter;
mod moment;
mod prefixes;
mod rule;
mod service_time;

pub use day::Day;
pub use decide::{Place, Verdict, VersionFacts, decide, decide_upload};
pub use expiry::{Expiry, expiry};
pub use filter::{Filter, FilterForm, Tag};
pub use moment::Moment;
pub use prefixes::Prefixes;
pub use rule::{Expiration, Lifecycle, NoncurrentExpiration, Rule};
pub use service_time::ServiceTime;
