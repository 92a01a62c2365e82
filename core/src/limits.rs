//! Every limit of the system, with its unit and, where a limit is not ours to choose, its source.

/// Bytes that are erasure-coded and placed as one unit.
pub const EXTENT_BYTES_MAX: u64 = 64 * MIB;
/// Bytes of a cell in the default profiles: small enough for range reads, large enough for BLAKE3's widest SIMD path.
pub const CELL_BYTES_DEFAULT: u32 = 64 * KIB as u32;
/// Largest cell size a profile may choose, in bytes.
pub const CELL_BYTES_MAX: u32 = 4 * MIB as u32;
/// Objects of at most this many bytes are stored as plain copies (`1+m`), so that a small GET is one read.
pub const TINY_OBJECT_BYTES_MAX: u64 = 16 * KIB;
/// Data shards in a profile. The coder works in GF(2^8), which would allow 256 shards in all.
pub const DATA_SHARDS_MAX: u8 = 32;
/// Parity shards in a profile.
pub const PARITY_SHARDS_MAX: u8 = 16;
/// Cells in one read request.
pub const CELLS_PER_READ_MAX: u32 = 64;

/// Disks in one cluster map.
pub const DISKS_MAX: usize = 10_000;
/// Characters in a label (zone, rack, host) or a node's name.
pub const LABEL_CHARS_MAX: usize = 64;

/// Bytes of an object key. Source: S3 user guide, "Creating object key names" (1,024 bytes of UTF-8).
pub const KEY_BYTES_MAX: usize = 1024;
/// Shortest bucket name. Source: S3 user guide, "Bucket naming rules".
pub const BUCKET_NAME_BYTES_MIN: usize = 3;
/// Longest bucket name. Source: as above.
pub const BUCKET_NAME_BYTES_MAX: usize = 63;
/// Bytes of an object. Source: S3 user guide, "Uploading objects" (5 TiB).
pub const OBJECT_BYTES_MAX: u64 = 5 * TIB;
/// Bytes of an object sent in one PUT, of one part, and of one copy. Source: S3 user guide (5 GiB).
pub const SINGLE_PUT_BYTES_MAX: u64 = 5 * GIB;
/// Smallest part but the last. Source: S3 user guide, "Multipart upload limits" (5 MiB).
pub const PART_BYTES_MIN: u64 = 5 * MIB;
/// Highest part number. Source: as above.
pub const PART_NUMBER_MAX: u32 = 10_000;
/// Bytes of user metadata: names and values, without the `x-amz-meta-` prefix. Source: S3 user guide (2 KB).
pub const USER_METADATA_BYTES_MAX: usize = 2048;
/// Entries in one page of a listing, and keys in one DeleteObjects. Source: S3 API reference.
pub const LIST_PAGE_MAX: u32 = 1000;
/// Buckets in one cluster: AWS allows 10,000 an account by default; a private cluster gets more.
pub const BUCKETS_MAX: u64 = 100_000;
/// Rules in a bucket's lifecycle configuration. Source: S3 user guide, "Managing the lifecycle of objects".
pub const LIFECYCLE_RULES_MAX: usize = 1000;
/// Characters in the id of a lifecycle rule. Source: S3 API reference, "LifecycleRule".
pub const LIFECYCLE_RULE_ID_CHARS_MAX: usize = 255;
/// Noncurrent versions that a lifecycle rule can keep. Source: S3 API reference, "NoncurrentVersionExpiration".
pub const NEWER_NONCURRENT_MAX: u32 = 100;
/// Tags of one object. Source: S3 user guide, "Categorizing your objects using tags".
pub const OBJECT_TAGS_MAX: usize = 10;
/// Characters in the name of a tag. Source: as above.
pub const TAG_KEY_CHARS_MAX: usize = 128;
/// Characters in the value of a tag. Source: as above.
pub const TAG_VALUE_CHARS_MAX: usize = 256;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;
