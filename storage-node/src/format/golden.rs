//! Golden files: the bytes that this release writes are the bytes that every later one must read (I30).

use bytes::Bytes;
use cairn_core::cell::Cell;
use cairn_core::geometry::Geometry;
use cairn_core::id::{ClusterId, CommitSequence, DiskId, ExtentId, ProfileId, SessionId};
use cairn_core::shard::{ShardHeader, ShardId};
use cairn_protocol::storage::DeleteProof;

use super::*;

fn identity() -> DiskIdentity {
    DiskIdentity { cluster: ClusterId::from_random([1; 16]), disk: DiskId::from_random([2; 16]), salt: [3; 32] }
}

/// Compares with the file of that name. To make the files of a new format version, delete them and run the test with
/// `CAIRN_GOLDEN=write`.
fn check(name: &str, bytes: &[u8]) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("CAIRN_GOLDEN").is_some() && !path.exists() {
        std::fs::write(&path, hex::encode(bytes)).unwrap();
    }
    let golden = hex::decode(std::fs::read_to_string(&path).unwrap().trim()).unwrap();
    assert!(golden == bytes, "{name} differs from the bytes that are written today");
}

#[test]
fn identity_blocks_have_their_golden_bytes() {
    let block = IdentityBlock { identity: identity(), created_ms: 1_790_000_000_000 };
    check("superblock-v1.hex", &block.encode(BlockKind::Superblock));
    check("volume-header-v1.hex", &block.encode(BlockKind::Volume(7)));
}

#[test]
fn a_shard_record_has_its_golden_bytes() {
    let key = identity().volume_key(7);
    let id = ShardId { extent: ExtentId::new(SessionId(5), 6), index: 2 };
    let geometry = Geometry { data_shards: 2, parity_shards: 1, cell_bytes: 8, length: 20 };
    let shard = ShardHeader { id, profile: ProfileId(4), geometry, descriptor: Bytes::from_static(b"descriptor") };
    let header = RecordHeader::of_shard(&shard, Place { volume: 7, offset: 4096 });
    let mut record = Vec::new();
    let checksum = header.encode(&identity(), &key, 0, &shard.descriptor, &mut record);
    let mut footer = Footer::new();
    for (stripe, data) in [&b"01234567"[..], &b"89"[..]].into_iter().enumerate() {
        let cell = Cell::new(Bytes::copy_from_slice(data), id.cell(stripe as u32));
        footer.add(&cell.checksum);
        record.extend_from_slice(&cell.data);
        record.extend_from_slice(&cell.checksum.0);
    }
    record.extend_from_slice(&footer.encode(&key, &checksum));
    record.resize(header.record_bytes() as usize, 0);
    check("shard-record-v1.hex", &record);

    let read = RecordHeader::decode(&identity(), header.place, &record).unwrap();
    assert_eq!((read, read.verify(&key, &record)), (header, Ok(checksum)));
    assert!(Footer::ends(&key, &checksum, &record[header.footer_start() as usize..]));
    for bit in 0..(header.body_start() as usize) * 8 {
        let mut bad = record.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        let read = RecordHeader::decode(&identity(), header.place, &bad).and_then(|h| h.verify(&key, &bad));
        assert!(read.is_err(), "bit {bit}");
    }
}

#[test]
fn a_record_settles_those_before_it() {
    let (key, place) = (identity().volume_key(7), Place { volume: 7, offset: 8192 });
    let (header, mut record) = (RecordHeader::of_tombstone(0, place), Vec::new());
    header.encode(&identity(), &key, 4608, &[], &mut record);
    check("vouching-header-v1.hex", &record);
    assert_eq!(RecordHeader::synced_before(&record), 4608);
    assert_eq!(RecordHeader::decode(&identity(), place, &record), Ok(header));
    record[104] ^= 1;
    assert!(header.verify(&key, &record).is_err());
}

#[test]
fn a_tombstone_record_has_its_golden_bytes() {
    let key = identity().volume_key(7);
    let shards = vec![ShardId { extent: ExtentId::new(SessionId(5), 6), index: 2 }];
    let list = Tombstone { proof: DeleteProof::Committed(CommitSequence(99)), shards }.encode();
    let header = RecordHeader::of_tombstone(list.len() as u32, Place { volume: 7, offset: 8192 });
    let mut record = Vec::new();
    let checksum = header.encode(&identity(), &key, 0, &list, &mut record);
    record.extend_from_slice(&Footer::new().encode(&key, &checksum));
    record.resize(header.record_bytes() as usize, 0);
    check("tombstone-record-v1.hex", &record);
    assert_eq!(RecordHeader::decode(&identity(), header.place, &record), Ok(header));
}
