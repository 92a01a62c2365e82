//! The part of the scrub that all threads of a disk see: its options, its progress, its findings.

mod halt;
pub(crate) mod options;
mod progress;
mod state;

pub(crate) use halt::Halt;
pub(crate) use progress::Progress;
pub(crate) use state::ScrubState;
