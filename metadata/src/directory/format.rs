//! The version of a directory.

/// Version of all formats in the directory. A newer version is refused, never treated as empty (I30).
pub(super) const FORMAT_VERSION: u32 = 1;
