//! The admin API: REST/JSON under `/v1`, signed with SigV4 (service `cairn-admin`). Health is open to everybody.

mod answer;
mod auth;
mod calls;
mod health;
pub mod model;
#[cfg(test)]
mod openapi;
mod parameters;
mod router;
mod state;

pub use auth::{REGION, SERVICE};
pub(crate) use calls::cluster::profile_line;
pub(crate) use router::router;
pub(crate) use state::AdminState;
