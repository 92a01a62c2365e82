//! Fixed texts of internal requests.

/// Content type of messages.
pub const CBOR: &str = "application/cbor";
/// Header with the hex of a request's CBOR message, where the body is a stream.
pub const X_CAIRN_MESSAGE: &str = "x-cairn-message";
/// Access key of all internal requests.
pub const ACCESS_KEY: &str = "cluster";
/// Region in the scope of internal signatures.
pub const REGION: &str = "cluster";
/// Service in the scope of internal signatures.
pub const SERVICE: &str = "cairn-rpc";
