//! Bytes derived from a seed, so that any part of an object of any size can be generated again for comparison.

use std::convert::Infallible;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use cairn_cli::http::RequestBody;
use cairn_cli::s3::{ObjectBody, S3Error};
use http_body::{Body, Frame, SizeHint};

/// Bytes generated at a time.
const BLOCK_BYTES: u64 = 256 << 10;
/// The odd constant of SplitMix64.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// An object's bytes: pseudo-random, the same for the same seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    pub seed: u64,
    /// In bytes.
    pub length: u64,
}

/// How the bytes read differ from those stored.
#[derive(Debug)]
pub enum Mismatch {
    Read(S3Error),
    /// A byte near this offset differs.
    Byte(u64),
    /// There are too few or too many bytes.
    Length {
        found: u64,
        expected: u64,
    },
}

impl Content {
    /// `length` bytes derived from `seed`.
    pub const fn new(seed: u64, length: u64) -> Self {
        Self { seed, length }
    }

    /// Writes the bytes from `offset` on into `out`.
    pub fn fill(&self, offset: u64, out: &mut [u8]) {
        let mut word = offset / 8;
        let mut rest = out;
        let skip = (offset % 8) as usize;
        if skip > 0 {
            let bytes = self.word(word).to_le_bytes();
            let (head, tail) = rest.split_at_mut((8 - skip).min(rest.len()));
            head.copy_from_slice(&bytes[skip..skip + head.len()]);
            (rest, word) = (tail, word + 1);
        }
        for chunk in rest.chunks_mut(8) {
            chunk.copy_from_slice(&self.word(word).to_le_bytes()[..chunk.len()]);
            word += 1;
        }
    }

    pub fn slice(&self, range: Range<u64>) -> Bytes {
        let mut out = vec![0; (range.end - range.start) as usize];
        self.fill(range.start, &mut out);
        out.into()
    }

    pub fn bytes(&self) -> Bytes {
        self.slice(0..self.length)
    }

    /// A request body of the bytes in `range`, generated while they are sent.
    pub fn body(&self, range: Range<u64>) -> RequestBody {
        RequestBody::stream(Generator { content: *self, position: range.start, end: range.end })
    }

    /// Compares `data` with the bytes at `offset`. An error says where they differ.
    pub fn check(&self, offset: u64, data: &[u8]) -> Result<(), Mismatch> {
        let mut scratch = [0; 16 << 10];
        let mut position = offset;
        for chunk in data.chunks(scratch.len()) {
            let expected = &mut scratch[..chunk.len()];
            self.fill(position, expected);
            if let Some(index) = (0..chunk.len()).find(|&i| chunk[i] != expected[i]) {
                return Err(Mismatch::Byte(position + index as u64));
            }
            position += chunk.len() as u64;
        }
        Ok(())
    }

    fn word(&self, index: u64) -> u64 {
        let mut z = self.seed.wrapping_add(index.wrapping_mul(GAMMA));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// Reads `body` to its end and compares it with the bytes of `content` in `range`.
pub async fn verify_body(mut body: ObjectBody<'_>, content: Content, range: Range<u64>) -> Result<(), Mismatch> {
    let mut position = range.start;
    while let Some(data) = body.next().await.map_err(Mismatch::Read)? {
        if position + data.len() as u64 > range.end {
            let found = position + data.len() as u64 - range.start;
            return Err(Mismatch::Length { found, expected: range.end - range.start });
        }
        content.check(position, &data)?;
        position += data.len() as u64;
    }
    if position == range.end {
        return Ok(());
    }
    Err(Mismatch::Length { found: position - range.start, expected: range.end - range.start })
}

struct Generator {
    content: Content,
    position: u64,
    end: u64,
}

impl Body for Generator {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.position == self.end {
            return Poll::Ready(None);
        }
        let next = (self.position + BLOCK_BYTES).min(self.end);
        let data = self.content.slice(self.position..next);
        self.position = next;
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.position == self.end
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.end - self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_slice_equals_the_part_of_the_whole() {
        let content = Content::new(42, 1000);
        let whole = content.bytes();
        for (start, end) in [(0, 0), (0, 1), (3, 5), (7, 17), (8, 16), (993, 1000), (1, 999)] {
            let slice = content.slice(start..end);
            assert_eq!(slice, whole.slice(start as usize..end as usize), "{start}..{end}");
            assert!(content.check(start, &slice).is_ok());
        }
        assert_ne!(whole, Content::new(43, 1000).bytes());
    }

    #[test]
    fn a_differing_byte_is_found() {
        let content = Content::new(1, 100_000);
        let mut bytes = content.bytes().to_vec();
        bytes[77_777] ^= 1;
        assert!(matches!(content.check(0, &bytes), Err(Mismatch::Byte(77_777))));
    }
}
