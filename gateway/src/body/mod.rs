//! Bodies of requests: undoing their framing, and checking what they claim about themselves.
//!
//! [`Payload`] yields the object's bytes whatever the framing (plain or aws-chunked, signed or not) without copying
//! them. Beside it, on a thread of its own, [`BodyHasher`] digests the same bytes; at the end [`ExpectedDigests`],
//! collected from the headers, compares. Only then is the body what the client meant to send.

mod checksum;
mod chunked;
mod content_encoding;
mod expected;
mod framing;
mod hasher;
mod payload;
mod trailers;

pub use checksum::{Checksum, ChecksumAlgorithm, ChecksumSet, ChecksumType};
pub use chunked::{ChunkDecoder, ChunkError, ChunkSigning, Step};
pub use content_encoding::stored_content_encoding;
pub use expected::ExpectedDigests;
pub use framing::BodyFraming;
pub use hasher::{BodyDigests, BodyHasher};
pub use payload::Payload;
pub use trailers::Trailers;
