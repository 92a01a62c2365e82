//! What the member that leads holds: how it proposes, when it may answer a read, and what it remembers of this lead.

pub(crate) mod client_watch;
pub(crate) mod memory;
pub(crate) mod proposer;
pub(crate) mod read_gate;
pub(crate) mod repair_status;
