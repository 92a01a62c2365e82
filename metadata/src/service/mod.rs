//! A member of the metadata service: its start, its API and its shutdown.

mod elections;
mod failure;
mod handle;
mod hello;
mod http;
mod meeting;
mod member;
mod members;
mod operate;
mod queries;
mod relay;
mod room;
mod signals;
mod snapshot_transfers;
mod start;
#[cfg(test)]
pub(crate) mod tests;
mod unread;
mod upgrade;

pub use handle::Handle;
pub use http::router;
pub use start::{Dependencies, MetadataService};
