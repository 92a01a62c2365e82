//! Bodies of requests: removes their framing and checks their digests.
//!
//! [`Payload`] yields the object's bytes whatever the framing (plain or aws-chunked, signed or not) without copying
//! them. [`BodyHasher`] digests the same bytes on a thread of its own, and at the end [`ExpectedDigests`], collected
//! from the headers, compares. Only then is the body known to be what the client meant to send.

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
