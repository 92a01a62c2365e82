use std::time::SystemTime;

use cairn_protocol::sigv4::{Scope, SecretKey, SigningKey, SigningTime};
use proptest::prelude::*;

use super::*;

const SEED: &str = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";

fn signer() -> ChunkSigner {
    let time = SigningTime::parse("20130524T000000Z").unwrap();
    let scope = Scope { date: "20130524", region: "us-east-1", service: "s3" };
    let secret = SecretKey::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let moment: SystemTime = time.to_system_time();
    ChunkSigner::new(SigningKey::derive(&secret, moment, scope.region, scope.service), time, &scope, SEED)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Unsigned,
    Signed,
    SignedTrailer,
}

impl Kind {
    fn signing(self) -> ChunkSigning {
        match self {
            Self::Unsigned => ChunkSigning::Unsigned,
            Self::Signed => ChunkSigning::Signed { signer: signer(), trailer: false },
            Self::SignedTrailer => ChunkSigning::Signed { signer: signer(), trailer: true },
        }
    }
}

/// Encodes `data` the way a client does.
fn encode(kind: Kind, data: &[u8], chunk_bytes: usize) -> Vec<u8> {
    let mut signer = signer();
    let mut out = Vec::new();
    for chunk in data.chunks(chunk_bytes).chain([&b""[..]]) {
        let extension = match kind {
            Kind::Unsigned => String::new(),
            _ => format!(";chunk-signature={}", signer.next_chunk(&Sha256::digest(chunk).into())),
        };
        out.extend_from_slice(format!("{:x}{extension}\r\n", chunk.len()).as_bytes());
        if !chunk.is_empty() {
            out.extend_from_slice(chunk);
            out.extend_from_slice(b"\r\n");
        }
    }
    if kind != Kind::Signed {
        out.extend_from_slice(b"x-amz-checksum-crc32c:sOO8/Q==\r\n");
    }
    if kind == Kind::SignedTrailer {
        let signature = signer.trailer(b"x-amz-checksum-crc32c:sOO8/Q==\n");
        out.extend_from_slice(format!("x-amz-trailer-signature:{signature}\r\n").as_bytes());
    }
    out.extend_from_slice(b"\r\n");
    out
}

/// Decodes a body that arrives in these pieces.
fn decode<'a>(
    signing: ChunkSigning,
    decoded_length: usize,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(Vec<u8>, Trailers), ChunkError> {
    let mut decoder = ChunkDecoder::new(signing, decoded_length as u64);
    let mut out = Vec::new();
    for piece in pieces {
        decoder.feed(Bytes::copy_from_slice(piece));
        while let Step::Data(data) = decoder.step()? {
            out.extend_from_slice(&data);
        }
    }
    decoder.finish()?;
    Ok((out, decoder.trailers().clone()))
}

fn check_whole(signing: ChunkSigning, decoded_length: usize, body: &[u8], expected: Result<&[u8], ChunkError>) {
    let decoded = decode(signing, decoded_length, [body]);
    assert_eq!(decoded.as_ref().map(|(data, _)| data.as_slice()), expected.as_ref().map(|data| *data));
}

#[test]
fn the_published_example_decodes() {
    let mut body = Vec::new();
    for (length, signature) in [
        (65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
        (1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
        (0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
    ] {
        body.extend_from_slice(format!("{length:x};chunk-signature={signature}\r\n").as_bytes());
        body.extend_from_slice(&vec![b'a'; length]);
        body.extend_from_slice(b"\r\n");
    }
    assert_eq!(body.len(), 66824, "the example's content-length");
    check_whole(Kind::Signed.signing(), 66560, &body, Ok(&vec![b'a'; 66560]));
}

#[test]
fn bodies_of_minio_go_decode() {
    let body = b"3\r\nabc\r\n0\r\nx-amz-checksum-crc32c:sOO8/Q==\n\r\n\r\n";
    check_whole(ChunkSigning::Unsigned, 3, body, Ok(b"abc"));

    let mut signer = signer();
    let first = signer.next_chunk(&Sha256::digest(b"abc").into()).to_owned();
    let last = signer.next_chunk(&Sha256::digest(b"").into()).to_owned();
    let trailer = signer.trailer(b"x-amz-checksum-crc32c:sOO8/Q==\n");
    let body = format!(
        "3;chunk-signature={first}\r\nabc\r\n0;chunk-signature={last}\r\nx-amz-checksum-crc32c:sOO8/Q==\n\r\n\
         x-amz-trailer-signature:{trailer}\r\n\r\n"
    );
    check_whole(Kind::SignedTrailer.signing(), 3, body.as_bytes(), Ok(b"abc"));
}

#[test]
fn malformed_bodies_are_refused() {
    let check = |decoded_length, body: &str, error| {
        check_whole(ChunkSigning::Unsigned, decoded_length, body.as_bytes(), Err(error));
    };
    check(3, "3\r\nabc\r\n", ChunkError::Truncated);
    check(3, "3\r\nab", ChunkError::Truncated);
    check(3, "3\r\nabc\r\n0\r\n", ChunkError::Truncated);
    check(4, "3\r\nabc\r\n0\r\n\r\n", ChunkError::Length);
    check(2, "3\r\nabc\r\n0\r\n\r\n", ChunkError::Length);
    check(3, "ffffffffffffffff\r\nabc", ChunkError::Length);
    check(3, "10000000000000000\r\nabc", ChunkError::Malformed);
    check(3, "+3\r\nabc\r\n0\r\n\r\n", ChunkError::Malformed);
    check(3, "\r\nabc\r\n0\r\n\r\n", ChunkError::Malformed);
    check(3, "3\nabc\r\n0\r\n\r\n", ChunkError::Malformed);
    check(3, "3\r\nabcd\r\n0\r\n\r\n", ChunkError::Malformed);
    check(3, "3\r\nabc\r\n0\r\nno colon\r\n\r\n", ChunkError::Trailer);
    check(3, "3\r\nabc\r\n0\r\n\r\nmore", ChunkError::Malformed);
    check(3, "3\r\nabc\r\n0\r\n\r\n\r\n\r\n\r\n", ChunkError::Malformed);
    check(3, &format!("3;{}\r\nabc\r\n0\r\n\r\n", "x".repeat(HEADER_LINE_BYTES_MAX)), ChunkError::Malformed);
    check(3, &format!("3\r\nabc\r\n0\r\n{}\r\n", "a:b\r\n".repeat(TRAILER_BYTES_MAX / 5 + 1)), ChunkError::Trailer);
}

#[test]
fn a_line_without_end_is_refused_before_it_is_buffered() {
    let pieces = vec![&[b'1'; 100][..]; 20];
    assert_eq!(decode(ChunkSigning::Unsigned, 3, pieces), Err(ChunkError::Malformed));
}

#[test]
fn signed_bodies_need_every_signature() {
    let check = |kind: Kind, body: &[u8], error| check_whole(kind.signing(), 3, body, Err(error));
    check(Kind::Signed, &encode(Kind::Unsigned, b"abc", 3), ChunkError::Signature);
    // No signed trailer was announced, so there must be none.
    check(Kind::Signed, &encode(Kind::SignedTrailer, b"abc", 3), ChunkError::Trailer);
    // The trailer's signature is missing: the body never ends.
    check(Kind::SignedTrailer, &encode(Kind::Signed, b"abc", 3), ChunkError::Truncated);
    check_whole(
        Kind::Signed.signing(),
        8193 * 2,
        &encode(Kind::Signed, &vec![1; 8193 * 2], 8191),
        Err(ChunkError::TooSmall),
    );
}

#[test]
fn every_changed_byte_of_a_signed_body_is_detected() {
    let body = encode(Kind::SignedTrailer, b"abc", 3);
    for at in 0..body.len() {
        let mut changed = body.clone();
        changed[at] ^= 1;
        let decoded = decode(Kind::SignedTrailer.signing(), 3, [changed.as_slice()]);
        // The case of hex digits and field names, and the form of separators, are not data.
        let harmless = decoded
            .as_ref()
            .is_ok_and(|(data, trailers)| data == b"abc" && trailers.get("x-amz-checksum-crc32c") == Some("sOO8/Q=="));
        assert!(decoded.is_err() || harmless, "byte {at}");
    }
}

proptest! {
    #[test]
    fn any_split_of_a_body_decodes_to_the_same_bytes(
        data in proptest::collection::vec(any::<u8>(), 0..40_000),
        kind in prop_oneof![Just(Kind::Unsigned), Just(Kind::Signed), Just(Kind::SignedTrailer)],
        chunk_bytes in 8192_usize..20_000,
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let body = encode(kind, &data, chunk_bytes);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.index(body.len() + 1)).collect();
        cuts.extend([0, body.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|pair| &body[pair[0]..pair[1]]);
        let (decoded, trailers) = decode(kind.signing(), data.len(), pieces).unwrap();
        prop_assert_eq!(decoded, data);
        prop_assert_eq!(trailers.get("x-amz-checksum-crc32c").is_some(), kind != Kind::Signed);
    }

    #[test]
    fn a_body_in_single_bytes_decodes(data in proptest::collection::vec(any::<u8>(), 0..300)) {
        let body = encode(Kind::SignedTrailer, &data, 8192);
        let (decoded, _) = decode(Kind::SignedTrailer.signing(), data.len(), body.chunks(1)).unwrap();
        prop_assert_eq!(decoded, data);
    }

    #[test]
    fn no_input_panics(input in proptest::collection::vec(any::<u8>(), 0..200), length in any::<u16>()) {
        let _ = decode(Kind::SignedTrailer.signing(), usize::from(length), [input.as_slice()]);
        let _ = decode(ChunkSigning::Unsigned, usize::from(length), [input.as_slice()]);
    }

    #[test]
    fn a_prefix_of_a_body_is_never_complete(data in proptest::collection::vec(any::<u8>(), 0..100), cut in any::<prop::sample::Index>()) {
        for kind in [Kind::Unsigned, Kind::Signed, Kind::SignedTrailer] {
            let body = encode(kind, &data, 8192);
            let prefix = &body[..cut.index(body.len())];
            prop_assert_eq!(decode(kind.signing(), data.len(), [prefix]), Err(ChunkError::Truncated));
        }
    }
}
