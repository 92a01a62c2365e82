//! Why a scrub stands still.

/// Why a scrub does not go on.
pub(crate) enum Halt {
    /// The disk goes out of service.
    Stopped,
    /// It cannot go on for now, for this reason.
    Trouble(String),
    /// A read failed.
    Read(std::io::Error),
}
