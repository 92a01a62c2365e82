//! Times of Raft, in milliseconds: a heartbeat must fit into the election timeout. A leader that is gone is missed after
//! the longest timeout, and another one elected after a random one beyond that: 1.2 to 1.4 seconds together.

pub(crate) const HEARTBEAT_MS: u64 = 200;
pub(crate) const ELECTION_MS_MIN: u64 = 450;
pub(crate) const ELECTION_MS_MAX: u64 = 700;
