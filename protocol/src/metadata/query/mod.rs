//! Queries: linearizable reads of the replicated state.

mod bucket;
mod cluster;
mod list;
mod members;
mod object;
mod rebalance;
mod recovery;
mod reencode;
mod repair;
mod upgrade;
mod upload;
mod verification;

use cairn_core::cluster_map::ClusterMap;
use minicbor::{Decode, Encode};

pub use bucket::{BucketInfo, BucketPage, BucketSettings, GetBucketSettings, ListBuckets, StampedDocument};
pub use cluster::{ClassifyShards, ClusterStatus, CountDiskExtents, GetClusterMap, GetClusterStatus};
pub use list::{ListObjects, ListPosition, ListVersions, ObjectPage, VersionPage, VersionPosition};
pub use members::{GetMembers, MemberEntry, MemberRole, MemberTable, RestoreHold};
pub use object::{GetObject, LocateExtents, LocatedPage, ObjectView};
pub use rebalance::{DiskShare, GetRebalance, RebalanceForecast, RebalanceRecord, RebalanceStatus};
pub use recovery::{Finding, FindingKind, KnownExtent, ListExtents, ListFindings, ReconcileTotals};
pub use reencode::{BodyPosition, FindOffProfile, OffProfileBody, OffProfilePage};
pub use repair::{GetRepairQueue, GetRepairStatus, RepairEntry, RepairStatus, RunningRebuild};
pub use upgrade::{GetUpgrade, ProcessRelease, ProcessRole, UpgradeStatus};
pub use upload::{GetUpload, ListParts, ListUploads, ListedPart, ListedUpload, PartPage, UploadInfo, UploadPage};
pub use verification::{Amount, GetVerification, ObjectAtRisk, Verification, VerifiedDisk, VerifyReport};

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Query {
    #[n(1)]
    ListBuckets(#[n(0)] ListBuckets),
    #[n(2)]
    GetObject(#[n(0)] GetObject),
    #[n(3)]
    LocateExtents(#[n(0)] LocateExtents),
    #[n(4)]
    ListObjects(#[n(0)] ListObjects),
    #[n(5)]
    GetUpload(#[n(0)] GetUpload),
    #[n(6)]
    ListParts(#[n(0)] ListParts),
    #[n(7)]
    ListUploads(#[n(0)] ListUploads),
    #[n(8)]
    GetClusterMap(#[n(0)] GetClusterMap),
    #[n(9)]
    ClassifyShards(#[n(0)] ClassifyShards),
    #[n(10)]
    GetClusterStatus(#[n(0)] GetClusterStatus),
    #[n(11)]
    GetRepairQueue(#[n(0)] GetRepairQueue),
    #[n(30)]
    GetMembers(#[n(0)] GetMembers),
    #[n(20)]
    GetRepairStatus(#[n(0)] GetRepairStatus),
    #[n(21)]
    CountDiskExtents(#[n(0)] CountDiskExtents),
    #[n(22)]
    GetVerification(#[n(0)] GetVerification),
    #[n(23)]
    GetRebalance(#[n(0)] GetRebalance),
    #[n(24)]
    FindOffProfile(#[n(0)] FindOffProfile),
    #[n(31)]
    ListExtents(#[n(0)] ListExtents),
    #[n(32)]
    ListFindings(#[n(0)] ListFindings),
    #[n(48)]
    ListVersions(#[n(0)] ListVersions),
    #[n(49)]
    GetBucketSettings(#[n(0)] GetBucketSettings),
    #[n(61)]
    GetUpgrade(#[n(0)] GetUpgrade),
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Answer {
    #[n(1)]
    Buckets(#[n(0)] BucketPage),
    #[n(2)]
    Object(#[n(0)] ObjectView),
    #[n(3)]
    Extents(#[n(0)] LocatedPage),
    #[n(4)]
    Objects(#[n(0)] ObjectPage),
    #[n(5)]
    Upload(#[n(0)] UploadInfo),
    #[n(6)]
    Parts(#[n(0)] PartPage),
    #[n(7)]
    Uploads(#[n(0)] UploadPage),
    /// `None` if the asker's epoch is current.
    #[n(8)]
    ClusterMap(#[n(0)] Option<ClusterMap>),
    /// For each shard, whether it is provably garbage.
    #[n(9)]
    Garbage(#[n(0)] Vec<bool>),
    #[n(10)]
    ClusterStatus(#[n(0)] ClusterStatus),
    #[n(11)]
    RepairQueue(#[n(0)] Vec<RepairEntry>),
    #[n(30)]
    Members(#[n(0)] MemberTable),
    #[n(20)]
    RepairStatus(#[n(0)] RepairStatus),
    #[n(21)]
    Count(#[n(0)] u64),
    #[n(22)]
    Verification(#[n(0)] Verification),
    #[n(23)]
    Rebalance(#[n(0)] RebalanceStatus),
    #[n(24)]
    OffProfile(#[n(0)] OffProfilePage),
    #[n(31)]
    KnownExtents(#[n(0)] Vec<KnownExtent>),
    #[n(32)]
    Findings(#[n(0)] Vec<Finding>),
    #[n(48)]
    Versions(#[n(0)] VersionPage),
    /// `None` if the revision that the asker knows is in force.
    #[n(49)]
    BucketSettings(#[n(0)] Option<BucketSettings>),
    #[n(61)]
    Upgrade(#[n(0)] UpgradeStatus),
}

/// A query and the type of its answer.
pub trait QueryBody: Into<Query> + Send {
    type Answer: Send;

    /// Its own answer, `None` if it is another query's.
    fn unpack(answer: Answer) -> Option<Self::Answer>;
}

macro_rules! query {
    ($name:ident => $variant:ident($answer:ty)) => {
        impl From<$name> for Query {
            fn from(body: $name) -> Self {
                Query::$name(body)
            }
        }

        impl QueryBody for $name {
            type Answer = $answer;

            fn unpack(answer: Answer) -> Option<$answer> {
                match answer {
                    Answer::$variant(own) => Some(own),
                    _ => None,
                }
            }
        }
    };
}

query!(ListBuckets => Buckets(BucketPage));
query!(GetObject => Object(ObjectView));
query!(LocateExtents => Extents(LocatedPage));
query!(ListObjects => Objects(ObjectPage));
query!(GetUpload => Upload(UploadInfo));
query!(ListParts => Parts(PartPage));
query!(ListUploads => Uploads(UploadPage));
query!(GetClusterMap => ClusterMap(Option<ClusterMap>));
query!(ClassifyShards => Garbage(Vec<bool>));
query!(GetClusterStatus => ClusterStatus(ClusterStatus));
query!(GetRepairQueue => RepairQueue(Vec<RepairEntry>));
query!(GetMembers => Members(MemberTable));
query!(GetRepairStatus => RepairStatus(RepairStatus));
query!(CountDiskExtents => Count(u64));
query!(GetVerification => Verification(Verification));
query!(GetRebalance => Rebalance(RebalanceStatus));
query!(FindOffProfile => OffProfile(OffProfilePage));
query!(ListExtents => KnownExtents(Vec<KnownExtent>));
query!(ListFindings => Findings(Vec<Finding>));
query!(GetBucketSettings => BucketSettings(Option<BucketSettings>));
query!(ListVersions => Versions(VersionPage));
query!(GetUpgrade => Upgrade(UpgradeStatus));
