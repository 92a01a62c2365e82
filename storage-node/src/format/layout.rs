//! Sizes and versions that all parts of the format share.

/// The only format version there is. A disk or volume of a later one is refused (I30).
pub const FORMAT_VERSION: u16 = 1;
/// Records begin at multiples of this many bytes, which a disk writes as a whole.
pub const RECORD_ALIGN: u64 = 512;
/// Where the first record of a volume begins, in bytes: the header has a block of the filesystem for itself.
pub const VOLUME_DATA_START: u64 = 4096;

/// `bytes` rounded up to where the next record may begin.
pub const fn align_up(bytes: u64) -> u64 {
    bytes.div_ceil(RECORD_ALIGN) * RECORD_ALIGN
}
