//! A member of the metadata service: how it starts, what it takes, and how it stops.

mod failure;
mod handle;
mod hello;
mod http;
mod meeting;
mod member;
mod members;
mod operate;
mod queries;
mod signals;
mod start;
#[cfg(test)]
pub(crate) mod tests;

pub use handle::Handle;
pub use http::router;
pub use start::{Dependencies, MetadataService};
