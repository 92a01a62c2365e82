//! When a bucket's lifecycle rules let an object go.
//!
//! A [`Rule`] says which objects it is about ([`Filter`]) and after which time they go. [`decide`] looks at one version,
//! where it stands among the versions of its key, and a [`Moment`], and says whether it is kept. A wall clock alone
//! never ends an object's life (I20): it must also have been there for that long by [`ServiceTime`], which counts what
//! the metadata service has lived through.

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
