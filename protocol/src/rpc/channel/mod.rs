//! A connection whose two ends have proven to each other that they know the cluster's secret.
//!
//! Both ends contribute random bytes to the key of a channel, and every request carries a tag under that key over its place
//! in the order of the channel's requests. So a request that was captured is good nowhere else and never again, and no
//! clock takes part (I20, I22).

mod acceptor;
mod error;
mod handshake;
mod key;
mod opener;
mod origin;
#[cfg(test)]
mod tests;

pub use acceptor::Acceptor;
pub use error::ChannelError;
pub(super) use key::{ChannelKey, MessagePlace};
pub(super) use opener::Opener;
pub use origin::{Channel, Origin};
