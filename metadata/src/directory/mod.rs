//! The directory of a member. It holds a complete member or nothing; anything in between is refused (I15).

#[cfg(test)]
mod crash;
mod error;
mod format;
mod identity;
mod open;
#[cfg(test)]
mod tests;
mod unborn;

pub use error::StartError;
pub(crate) use identity::{cluster_in, member_in, write_formed};
pub(crate) use open::Directory;
#[cfg(test)]
pub(crate) use unborn::is_unborn;
