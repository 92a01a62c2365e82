//! Fixed texts of internal requests.

/// Content type of messages.
pub const CBOR: &str = "application/cbor";
/// Header with the hex of a request's CBOR message, where the body is a stream.
pub const X_CAIRN_MESSAGE: &str = "x-cairn-message";
/// Header with the hex of a request's tag, by which its channel vouches for it.
pub const X_CAIRN_TAG: &str = "x-cairn-tag";
