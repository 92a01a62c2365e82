//! Erasure coding and cell checksums, alone and together.

#![allow(clippy::unwrap_used, reason = "a benchmark; criterion's macro generates public items")]

use std::hint::black_box;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use cairn_benches::{Rate, Unit, print_beside_limit, rounds};
use cairn_core::cell::{CellAddress, checksum};
use cairn_core::codec::Codec;
use cairn_core::geometry::Geometry;
use cairn_core::id::{ExtentId, SessionId};
use cairn_core::limits::CELL_BYTES_DEFAULT;
use cairn_core::stripe;
use criterion::{Criterion, Throughput, criterion_group};

const K: usize = 4;
const M: usize = 2;
const CELL: usize = CELL_BYTES_DEFAULT as usize;
const STRIPE: usize = K * CELL;
/// Bytes that a socket delivers at once.
const PIECE: usize = 32 << 10;
/// Stripes in the body: 16 MiB, more than the caches hold.
const STRIPES: usize = 64;
/// Time for which each rate is measured in a round.
const TIME: Duration = Duration::from_millis(400);
const ROUNDS: usize = 5;

fn body() -> Vec<u8> {
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    (0..STRIPES * STRIPE).map(|_| next()).collect()
}

fn address(shard: usize, stripe: usize) -> CellAddress {
    CellAddress { extent: ExtentId::new(SessionId(1), 1), shard: shard as u8, stripe: stripe as u32 }
}

/// Encodes every stripe of `body` in place.
fn encode_all(codec: &Codec, body: &[u8], parity: &mut [u8]) {
    for stripe in body.chunks(STRIPE) {
        codec.encode(black_box(stripe), parity).unwrap();
        black_box(&parity);
    }
}

/// Computes as many checksums as `body` has data and parity cells.
fn checksum_all(body: &[u8]) {
    for (number, stripe) in body.chunks(STRIPE).enumerate() {
        for (shard, cell) in stripe.chunks(CELL).chain(stripe.chunks(CELL).take(M)).enumerate() {
            black_box(checksum(black_box(cell), address(shard, number)));
        }
    }
}

/// What a PUT does to its bytes between socket and disk: it gathers pieces into stripes and cuts stripes into cells.
fn pipeline(codec: &Codec, body: &Bytes) {
    let (extent, geometry) = (ExtentId::new(SessionId(1), 1), geometry());
    for number in 0..STRIPES {
        let source = body.slice(number * STRIPE..(number + 1) * STRIPE);
        let mut stripe = BytesMut::with_capacity(STRIPE);
        source.chunks(PIECE).for_each(|piece| stripe.extend_from_slice(piece));
        let mut shards = vec![Vec::new(); K + M];
        stripe::encode(codec, &geometry, extent, number as u32, &stripe.freeze(), &mut shards).unwrap();
        black_box(shards);
    }
}

fn geometry() -> Geometry {
    let length = (STRIPES * STRIPE) as u64;
    Geometry { data_shards: K as u8, parity_shards: M as u8, cell_bytes: CELL_BYTES_DEFAULT, length }
}

fn coding(criterion: &mut Criterion) {
    let codec = Codec::new(K as u8, M as u8).unwrap();
    let body = Bytes::from(body());
    let mut parity = vec![0; M * CELL];
    let mut group = criterion.benchmark_group("coding-4+2");

    group.throughput(Throughput::Bytes(body.len() as u64));
    group.bench_function("encode", |b| b.iter(|| encode_all(&codec, &body, &mut parity)));
    group.bench_function("checksum of all cells", |b| b.iter(|| checksum_all(&body)));
    group.bench_function("pipeline", |b| b.iter(|| pipeline(&codec, &body)));

    codec.encode(&body[..STRIPE], &mut parity).unwrap();
    let cells: Vec<Vec<u8>> = body[..STRIPE].chunks(CELL).chain(parity.chunks(CELL)).map(<[u8]>::to_vec).collect();
    group.throughput(Throughput::Bytes(STRIPE as u64));
    for (name, lost) in [("reconstruct one data cell", vec![1]), ("reconstruct two data cells", vec![0, 3])] {
        let present: Vec<Option<Vec<u8>>> =
            (0..K + M).map(|i| (!lost.contains(&i)).then(|| cells[i].clone())).collect();
        group.bench_function(name, |b| {
            b.iter_batched(
                || present.clone(),
                |mut cells| {
                    codec.reconstruct_data(&mut cells).unwrap();
                    cells
                },
                criterion::BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

/// Compares the pipeline with what its primitives allow.
fn compare() {
    let codec = Codec::new(K as u8, M as u8).unwrap();
    let body = Bytes::from(body());
    let mut parity = vec![0; M * CELL];
    let bytes = body.len() as u64;
    let rate = |work: &mut dyn FnMut()| Rate::measure(bytes, Unit::Bytes, TIME, work);
    let [encode, hash, together] = rounds(
        ROUNDS,
        &mut [
            &mut || rate(&mut || encode_all(&codec, &body, &mut parity)),
            &mut || rate(&mut || checksum_all(&body)),
            &mut || rate(&mut || pipeline(&codec, &body)),
        ],
    );
    let limit = format!("encode ({encode}) then checksum ({hash})");
    print_beside_limit(
        "encode + checksum pipeline, one core, 4+2 (wanted: 0.80 or more)",
        together,
        &limit,
        encode.then(hash),
    );
}

criterion_group!(benches, coding);

fn main() {
    benches();
    compare();
    Criterion::default().configure_from_args().final_summary();
}
