//! The version of a directory.

/// Version of all formats in the directory. A directory of a newer version is refused, never taken for empty (I30).
pub(super) const FORMAT_VERSION: u32 = 1;
