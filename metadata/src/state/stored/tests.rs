use cairn_core::cluster_map::{DiskEvent, DiskState, Labels};
use cairn_core::descriptor::Header;
use cairn_core::etag::ETag;
use cairn_core::geometry::Geometry;
use cairn_core::id::{
    ClusterId, CommitSequence, DiskId, DiskNumber, ExtentId, Generation, NodeId, PartNumber, ProfileId, SessionId,
    UploadId,
};
use cairn_core::name::{BucketName, ObjectKey};
use cairn_core::profile::FailureDomain;
use cairn_core::release::{FeatureLevel, Release};
use cairn_core::storage_class::StorageClass;
use cairn_core::version::{VersionId, Versioning};
use cairn_protocol::metadata::command::{
    AbandonExtents, AbortUpload, AdoptObject, AdoptedBody, AdoptedPart, AdvanceServiceTime, ApplyLifecycle,
    ChangeDisks, CommitObject, CommitPart, CompletePart, CompleteUpload, CreateBucket, CreateUpload, DeleteBucket,
    DeleteObject, DiskRegistration, EndRebalance, EndRebuilds, EndReconciliation, EndSession, EndedUpload,
    EndedVersion, FinishReclaim, GrantRebuild, OpenSession, OpenSystemSession, Precondition, ProfileShape, RaiseLevel,
    RebalanceEnd, RebuildId, ReclaimId, RecordFindings, RegisterNode, ReplaceBody, ReplaceShard, ReportFaults,
    SetBucketSetting, SetClassProfile, SetDiskStates, SetProfile, SettingChange, ShardReport, ShardReportKind,
    StartRebalance,
};
use cairn_protocol::metadata::query::{Finding, FindingKind, ReconcileTotals};
use cairn_protocol::metadata::settings::{SettingDocument, SettingKind};
use cairn_protocol::metadata::{Command, ExtentRun, PlacedExtent, PlacedRun, StoredChecksum};

use super::StoredCommand;

/// One line per command: its name and its bytes in hex. Within a format of the state lines are only added, never changed.
const GOLDEN: &str = include_str!("golden.txt");

fn bucket() -> BucketName {
    BucketName::new("photos").unwrap()
}

fn key() -> ObjectKey {
    ObjectKey::new("a/b.jpg").unwrap()
}

fn extent() -> ExtentId {
    ExtentId::new(SessionId(3), 70)
}

fn release() -> Release {
    Release { version: "0.1.0".to_owned(), oldest: FeatureLevel(1), newest: FeatureLevel(2) }
}

fn etag() -> ETag {
    ETag::single([0xab; 16])
}

fn run() -> PlacedRun {
    let geometry = Geometry { data_shards: 4, parity_shards: 2, cell_bytes: 65_536, length: 9000 };
    let locations = [Some(1), None, Some(300)].into_iter().map(|disk| disk.map(DiskNumber)).collect();
    PlacedRun {
        run: ExtentRun { first: extent(), size: 9000, extent_bytes: 1 << 26 },
        extents: vec![PlacedExtent { profile: ProfileId(2), geometry, locations }],
    }
}

fn checksum() -> StoredChecksum {
    StoredChecksum { algorithm: "CRC32".to_owned(), value: "AAAAAA==".to_owned(), composite: false }
}

fn headers() -> Vec<Header> {
    vec![Header { name: "content-type".to_owned(), value: "image/jpeg".to_owned() }]
}

fn document() -> SettingDocument {
    SettingDocument { format: 3, bytes: vec![1, 2, 255] }
}

fn precondition() -> Precondition {
    Precondition { if_match: vec![etag()], must_exist: true, if_none_match: Vec::new(), must_not_exist: false }
}

fn disk() -> DiskId {
    DiskId::from_random([4; 16])
}

fn shape(data_shards: u8) -> ProfileShape {
    ProfileShape {
        data_shards,
        parity_shards: 2,
        cell_bytes: 65_536,
        write_quorum: data_shards + 1,
        failure_domain: FailureDomain::Rack,
    }
}

fn profile_rule() -> SetProfile {
    SetProfile { bucket: Some(bucket()), shapes: Some((shape(4), shape(1))), small_bytes_max: 16_384 }
}

fn on_buckets_and_objects() -> Vec<Command> {
    let revision = Some(CommitSequence(80));
    vec![
        CreateBucket { name: bucket(), region: "eu-1".to_owned() }.into(),
        DeleteBucket { name: bucket(), revision }.into(),
        SetBucketSetting {
            bucket: bucket(),
            change: SettingChange::Versioning(Versioning::Suspended),
            revision,
            now_ms: 1_790_000_000_000,
        }
        .into(),
        SetBucketSetting {
            bucket: bucket(),
            change: SettingChange::Document(SettingKind(9), Some(document())),
            revision: None,
            now_ms: 1,
        }
        .into(),
        CommitObject {
            session: SessionId(3),
            bucket: bucket(),
            key: key(),
            body: Some(run()),
            etag: etag(),
            headers: headers(),
            checksum: Some(checksum()),
            precondition: precondition(),
            storage_class: StorageClass::Standard,
            revision,
        }
        .into(),
        DeleteObject {
            bucket: bucket(),
            key: key(),
            precondition: precondition(),
            version: Some(VersionId::Null),
            revision,
        }
        .into(),
        ReplaceBody {
            session: SessionId(3),
            rebalance: CommitSequence(80),
            bucket: bucket(),
            key: key(),
            sequence: CommitSequence(81),
            part: Some(PartNumber::new(2).unwrap()),
            old: run().run,
            body: run(),
        }
        .into(),
    ]
}

fn on_uploads() -> Vec<Command> {
    let revision = Some(CommitSequence(80));
    let number = PartNumber::new(7).unwrap();
    vec![
        CreateUpload {
            bucket: bucket(),
            key: key(),
            headers: headers(),
            checksum_algorithm: Some("SHA256".to_owned()),
            checksum_composite: true,
            storage_class: StorageClass::Standard,
            revision,
        }
        .into(),
        CommitPart {
            session: SessionId(3),
            bucket: bucket(),
            key: key(),
            upload: UploadId(9),
            number,
            body: None,
            etag: etag(),
            checksum: None,
            revision,
        }
        .into(),
        CompleteUpload {
            bucket: bucket(),
            key: key(),
            upload: UploadId(9),
            parts: vec![CompletePart { number, etag: etag() }],
            checksum: Some(checksum()),
            etag: etag(),
            precondition: Precondition::default(),
            revision,
        }
        .into(),
        AbortUpload { bucket: bucket(), key: key(), upload: UploadId(9), revision }.into(),
    ]
}

fn on_sessions_and_topology() -> Vec<Command> {
    let node = NodeId::from_random([5; 16]);
    let registration =
        DiskRegistration { id: disk(), path: "/mnt/1".to_owned(), capacity_bytes: 1 << 40, state: DiskState::Active };
    vec![
        OpenSession { gateway: node, release: release(), name: None }.into(),
        OpenSystemSession { writer: node, release: release() }.into(),
        EndSession { session: SessionId(3) }.into(),
        RegisterNode {
            cluster: Some(ClusterId::from_random([6; 16])),
            node,
            name: "n1".to_owned(),
            rpc_addr: "10.0.0.1:9002".to_owned(),
            labels: Labels::default(),
            disks: vec![registration],
            release: release(),
        }
        .into(),
        SetDiskStates { states: vec![(disk(), DiskState::Suspect)] }.into(),
        ChangeDisks { changes: vec![(disk(), DiskEvent::Drain)], force: true }.into(),
        profile_rule().into(),
        SetClassProfile { class: StorageClass::Standard, rule: profile_rule() }.into(),
    ]
}

fn of_repair() -> Vec<Command> {
    let rebuild = RebuildId { extent: extent(), index: 5, grant: CommitSequence(82) };
    vec![
        GrantRebuild { extent: extent(), index: 5, target: DiskNumber(300), generation: Generation(1) }.into(),
        ReplaceShard { rebuild, release: true, rebalance: Some(CommitSequence(80)) }.into(),
        EndRebuilds { rebuilds: vec![rebuild] }.into(),
        StartRebalance { bytes_per_s_max: Some(1 << 25), reencodes: true }.into(),
        EndRebalance { rebalance: None, end: RebalanceEnd::Stuck("no room".to_owned()) }.into(),
        FinishReclaim {
            entry: ReclaimId { sequence: CommitSequence(81), item: 2 },
            extents: vec![extent()],
            last: true,
            generations: vec![Generation(1)],
            away: vec![DiskNumber(2)],
        }
        .into(),
        ReportFaults {
            reports: vec![ShardReport {
                extent: extent(),
                index: 1,
                disk: DiskNumber(2),
                kind: ShardReportKind::Corrupt,
            }],
        }
        .into(),
    ]
}

fn of_lifecycle_and_recovery() -> Vec<Command> {
    let part = AdoptedPart { number: PartNumber::new(1).unwrap(), etag: etag(), body: run() };
    let finding = Finding {
        extent: extent(),
        kind: FindingKind::Incomplete,
        bucket: Some(bucket()),
        key: Some(key()),
        bytes: 9000,
        written_ms: 1_790_000_000_000,
        detail: "2 of 4".to_owned(),
    };
    vec![
        ApplyLifecycle {
            bucket: bucket(),
            revision: CommitSequence(83),
            versions: vec![EndedVersion { key: key(), sequence: CommitSequence(81), is_current: true }],
            uploads: vec![EndedUpload { key: key(), upload: UploadId(9) }],
        }
        .into(),
        AdvanceServiceTime { from_ms: 1, to_ms: 1000, commit: CommitSequence(83), spacing_ms: 60_000 }.into(),
        AdoptObject {
            bucket: bucket(),
            key: key(),
            body: AdoptedBody::Parts(UploadId(9), vec![part]),
            etag: etag(),
            headers: headers(),
            written_ms: 1_790_000_000_000,
            replaces_unreadable: true,
            storage_class: StorageClass::Standard,
        }
        .into(),
        RecordFindings { findings: vec![finding], begins: true }.into(),
        EndReconciliation { totals: ReconcileTotals::default(), release_below: Some(DiskNumber(8)) }.into(),
        AbandonExtents { extents: vec![extent()] }.into(),
        RaiseLevel { to: FeatureLevel(2) }.into(),
    ]
}

fn samples() -> Vec<Command> {
    let groups = [on_buckets_and_objects(), on_uploads(), on_sessions_and_topology(), of_repair()];
    groups.into_iter().flatten().chain(of_lifecycle_and_recovery()).collect()
}

fn name(command: &Command) -> String {
    let text = format!("{command:?}");
    text.split('(').next().unwrap_or_default().to_owned()
}

/// The golden bytes are from the time when the log stored the wire's own type.
#[test]
fn every_command_keeps_its_encoding() {
    let golden: Vec<(&str, Vec<u8>)> =
        GOLDEN.lines().map(|line| line.split_once(' ').unwrap()).map(|(n, h)| (n, hex::decode(h).unwrap())).collect();
    assert_eq!(golden.len(), samples().len(), "a command without a golden line");
    for (command, (named, bytes)) in samples().into_iter().zip(golden) {
        assert_eq!(name(&command), named);
        let stored = StoredCommand::from(command);
        assert_eq!(hex::encode(minicbor::to_vec(&stored).unwrap()), hex::encode(&bytes), "{named}");
        assert_eq!(minicbor::decode::<StoredCommand>(&bytes).unwrap(), stored, "{named}");
        assert_eq!(stored.encoded_bytes(), bytes.len(), "{named}");
    }
}
