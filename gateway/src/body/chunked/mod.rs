//! Decodes aws-chunked bodies. No I/O: bytes in, bytes out.
//!
//! Each chunk is `SIZE[;chunk-signature=SIGNATURE]\r\n`, data, `\r\n`; a chunk of size zero ends the data and is
//! followed by trailer lines and an empty line. The last bytes of a signed chunk are returned only after its signature
//! has been verified, and the end is reported only after everything has been verified: a commit after the end commits
//! signed bytes. Nothing of a chunk is buffered or copied, so memory does not depend on the sizes that clients choose.
//! Source: S3 API reference, "Transferring payload in multiple chunks" and "Including trailing headers".

use bytes::{Buf, Bytes};
use cairn_protocol::sigv4::{ChunkSigner, signatures_match};
use sha2::{Digest, Sha256};

use super::trailers::Trailers;
use crate::error::{S3Error, S3ErrorCode};

/// Longest line of a chunk header: size, signature and room for extensions, in bytes.
const HEADER_LINE_BYTES_MAX: usize = 1024;
/// Largest trailer, in bytes.
const TRAILER_BYTES_MAX: usize = 16 << 10;
/// Smallest size of a signed chunk other than the last, in bytes. Source: S3 API reference, error
/// `InvalidChunkSizeError`.
const SIGNED_CHUNK_BYTES_MIN: u64 = 8 << 10;
/// Bytes of line ends that may follow the end: minio-go sends one line end too many.
const SURPLUS_BYTES_MAX: usize = 4;

const SIGNATURE_EXTENSION: &str = "chunk-signature=";
const TRAILER_SIGNATURE: &str = "x-amz-trailer-signature";

/// Why a body is not the aws-chunked encoding of what was announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// A chunk header cannot be read, or a chunk does not end where it says.
    #[error("the chunked encoding of the body is malformed")]
    Malformed,
    /// More or fewer bytes than `x-amz-decoded-content-length` says.
    #[error("the chunks do not add up to x-amz-decoded-content-length")]
    Length,
    /// The body ends before its last chunk.
    #[error("the body ends before its last chunk")]
    Truncated,
    /// A signed chunk other than the last is too small.
    #[error("a chunk other than the last has fewer than {SIGNED_CHUNK_BYTES_MIN} bytes")]
    TooSmall,
    /// The trailer cannot be read or is too long.
    #[error("the trailer is malformed")]
    Trailer,
    /// A signature is missing or wrong.
    #[error("the signature of a chunk or of the trailer does not match")]
    Signature,
}

impl From<ChunkError> for S3Error {
    fn from(error: ChunkError) -> Self {
        match error {
            ChunkError::Malformed => Self::with_message(S3ErrorCode::InvalidRequest, error.to_string()),
            ChunkError::Length => Self::new(S3ErrorCode::IncompleteBody),
            ChunkError::Truncated => {
                Self::with_message(S3ErrorCode::IncompleteBody, "The request body terminated unexpectedly")
            }
            ChunkError::TooSmall => Self::new(S3ErrorCode::InvalidChunkSize),
            ChunkError::Trailer => Self::new(S3ErrorCode::MalformedTrailer),
            ChunkError::Signature => Self::new(S3ErrorCode::SignatureDoesNotMatch),
        }
    }
}

/// How the chunks are signed.
#[derive(Debug, Clone)]
pub enum ChunkSigning {
    Unsigned,
    /// Each chunk covers the signature of the previous one, the first that of the request. A signed trailer follows if
    /// `trailer` is set.
    Signed {
        signer: ChunkSigner,
        trailer: bool,
    },
}

/// What the decoder did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The next bytes of the object.
    Data(Bytes),
    NeedInput,
    /// The body is complete and verified. Further input may only be line ends.
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Header,
    Data { left: u64 },
    DataEnd,
    Trailer { signed: bool },
    End,
}

#[derive(Debug)]
pub struct ChunkDecoder {
    signing: ChunkSigning,
    state: State,
    input: Bytes,
    /// The part of the current line that came in earlier pieces of input.
    line: Vec<u8>,
    /// Decoded bytes that no chunk header has announced yet.
    unannounced: u64,
    chunk_signature: String,
    chunk_hash: Sha256,
    previous_chunk_bytes: u64,
    trailer_bytes: usize,
    surplus_bytes: usize,
    trailers: Trailers,
}

impl ChunkDecoder {
    /// A decoder of a body that holds `decoded_length` bytes.
    pub fn new(signing: ChunkSigning, decoded_length: u64) -> Self {
        Self {
            signing,
            state: State::Header,
            input: Bytes::new(),
            line: Vec::new(),
            unannounced: decoded_length,
            chunk_signature: String::new(),
            chunk_hash: Sha256::new(),
            previous_chunk_bytes: u64::MAX,
            trailer_bytes: 0,
            surplus_bytes: 0,
            trailers: Trailers::default(),
        }
    }

    /// Takes the next bytes of the body. Call only after [`Step::NeedInput`] or [`Step::End`].
    pub fn feed(&mut self, input: Bytes) {
        debug_assert!(self.input.is_empty(), "input is used up before there is more");
        self.input = input;
    }

    /// Continues until there is something to report.
    pub fn step(&mut self) -> Result<Step, ChunkError> {
        loop {
            match self.state {
                State::End => {
                    self.check_surplus()?;
                    return Ok(Step::End);
                }
                State::Data { left } if self.input.is_empty() && left > 0 => return Ok(Step::NeedInput),
                State::Data { left } => return self.take_data(left).map(Step::Data),
                State::Header | State::DataEnd | State::Trailer { .. } => {
                    let Some(line) = self.take_line()? else { return Ok(Step::NeedInput) };
                    self.on_line(&line)?;
                }
            }
        }
    }

    /// Call when the body has ended.
    pub fn finish(&self) -> Result<(), ChunkError> {
        if self.state == State::End { Ok(()) } else { Err(ChunkError::Truncated) }
    }

    /// The fields after the data; complete after [`Step::End`].
    pub fn trailers(&self) -> &Trailers {
        &self.trailers
    }

    fn on_line(&mut self, line: &[u8]) -> Result<(), ChunkError> {
        match self.state {
            State::Header => self.on_header(std::str::from_utf8(line).map_err(|_| ChunkError::Malformed)?),
            State::Trailer { signed } => {
                self.on_trailer(std::str::from_utf8(line).map_err(|_| ChunkError::Trailer)?, signed)
            }
            State::DataEnd if line.is_empty() => {
                self.state = State::Header;
                Ok(())
            }
            State::DataEnd | State::Data { .. } | State::End => Err(ChunkError::Malformed),
        }
    }

    fn on_header(&mut self, line: &str) -> Result<(), ChunkError> {
        let mut elements = line.split(';').map(str::trim);
        let size = elements.next().unwrap_or_default();
        if size.is_empty() || !size.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(ChunkError::Malformed);
        }
        let size = u64::from_str_radix(size, 16).map_err(|_| ChunkError::Malformed)?;
        self.unannounced = self.unannounced.checked_sub(size).ok_or(ChunkError::Length)?;
        if let ChunkSigning::Signed { .. } = self.signing {
            let signature = elements.find_map(|element| element.strip_prefix(SIGNATURE_EXTENSION));
            self.chunk_signature.clear();
            self.chunk_signature.push_str(signature.ok_or(ChunkError::Signature)?);
            if size > 0 && self.previous_chunk_bytes < SIGNED_CHUNK_BYTES_MIN {
                return Err(ChunkError::TooSmall);
            }
            self.previous_chunk_bytes = size;
        }
        self.state = State::Data { left: size };
        if size == 0 {
            self.end_of_chunk()?;
            if self.unannounced > 0 {
                return Err(ChunkError::Length);
            }
            self.state = State::Trailer { signed: false };
        }
        Ok(())
    }

    fn take_data(&mut self, left: u64) -> Result<Bytes, ChunkError> {
        let length = self.input.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let data = self.input.split_to(length);
        if let ChunkSigning::Signed { .. } = self.signing {
            self.chunk_hash.update(&data);
        }
        let left = left - length as u64;
        self.state = State::Data { left };
        if left == 0 {
            self.end_of_chunk()?;
            self.state = State::DataEnd;
        }
        Ok(data)
    }

    fn end_of_chunk(&mut self) -> Result<(), ChunkError> {
        if let ChunkSigning::Signed { signer, .. } = &mut self.signing {
            let hash = self.chunk_hash.finalize_reset();
            if !signatures_match(signer.next_chunk(&hash.into()), &self.chunk_signature) {
                return Err(ChunkError::Signature);
            }
        }
        Ok(())
    }

    /// `signed`: the trailer's signature, which ends its fields, has been seen.
    fn on_trailer(&mut self, line: &str, signed: bool) -> Result<(), ChunkError> {
        let needs_signature = matches!(self.signing, ChunkSigning::Signed { trailer: true, .. }) && !signed;
        if line.is_empty() {
            // minio-go ends each field with `\n\r\n`, which looks like an empty line before the signature.
            if !needs_signature {
                self.state = State::End;
            }
            return Ok(());
        }
        let (name, value) = line.split_once(':').ok_or(ChunkError::Trailer)?;
        let (name, value) = (name.trim(), value.trim());
        match &self.signing {
            _ if signed => Err(ChunkError::Trailer),
            ChunkSigning::Signed { trailer: false, .. } => Err(ChunkError::Trailer),
            ChunkSigning::Signed { signer, .. } if name.eq_ignore_ascii_case(TRAILER_SIGNATURE) => {
                if !signatures_match(&signer.trailer(&self.trailers.canonical()), value) {
                    return Err(ChunkError::Signature);
                }
                self.state = State::Trailer { signed: true };
                Ok(())
            }
            _ => {
                self.trailers.push(name, value);
                Ok(())
            }
        }
    }

    /// The next line without its end; `None` until all of it has arrived.
    fn take_line(&mut self) -> Result<Option<Vec<u8>>, ChunkError> {
        let (bytes_max, error) = match self.state {
            State::Trailer { .. } => (TRAILER_BYTES_MAX - self.trailer_bytes, ChunkError::Trailer),
            _ => (HEADER_LINE_BYTES_MAX, ChunkError::Malformed),
        };
        let end = self.input.iter().take(bytes_max + 1).position(|byte| *byte == b'\n');
        let length = end.map_or(self.input.len(), |end| end + 1);
        if self.line.len() + length > bytes_max {
            return Err(error);
        }
        self.line.extend_from_slice(&self.input[..length]);
        self.input.advance(length);
        if end.is_none() {
            return Ok(None);
        }
        let mut line = std::mem::take(&mut self.line);
        if let State::Trailer { .. } = self.state {
            self.trailer_bytes += line.len();
        }
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        } else if !matches!(self.state, State::Trailer { .. }) {
            return Err(error);
        }
        Ok(Some(line))
    }

    fn check_surplus(&mut self) -> Result<(), ChunkError> {
        let surplus = std::mem::take(&mut self.input);
        self.surplus_bytes += surplus.len();
        let harmless = surplus.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
        if harmless && self.surplus_bytes <= SURPLUS_BYTES_MAX { Ok(()) } else { Err(ChunkError::Malformed) }
    }
}

#[cfg(test)]
mod tests;
