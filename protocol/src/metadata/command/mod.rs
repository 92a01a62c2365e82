//! Commands. Each is one change of the replicated state, applied the same way by every member.

mod bucket;
mod lifecycle;
mod object;
mod profile;
mod rebalance;
mod reclaim;
mod recovery;
mod reencode;
mod repair;
mod session;
mod topology;
mod upload;

use cairn_core::id::{CommitSequence, ExtentId, SessionId, UploadId};
use cairn_core::release::FeatureLevel;
use minicbor::{Decode, Encode};

use super::settings::BucketRecord;
pub use crate::storage::ShardReportKind;
pub use bucket::{CreateBucket, DeleteBucket, SetBucketSetting, SettingChange};
pub use lifecycle::{AdvanceServiceTime, ApplyLifecycle, EndedUpload, EndedVersion, LifecycleApplied};
pub use object::{CommitObject, DeleteObject, ObjectCommitted, ObjectDeleted, Precondition};
pub use profile::{ProfileShape, SetClassProfile, SetProfile};
pub use rebalance::{EndRebalance, RebalanceEnd, StartRebalance};
pub use reclaim::{AbandonExtents, FinishReclaim, ReclaimId, ReportFaults, ShardReport};
pub use recovery::{AdoptObject, AdoptedBody, AdoptedPart, Adoption, EndReconciliation, RecordFindings};
pub use reencode::ReplaceBody;
pub use repair::{EndRebuilds, GrantRebuild, RebuildId, ReplaceShard};
pub use session::{EndSession, OpenSession, OpenSystemSession};
pub use topology::{ChangeDisks, DiskRegistration, NodeRegistered, RaiseLevel, RegisterNode, SetDiskStates};
pub use upload::{AbortUpload, CommitPart, CompletePart, CompleteUpload, CreateUpload, PartCommitted, UploadCompleted};

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Command {
    #[n(0)]
    CreateBucket(#[n(0)] CreateBucket),
    #[n(1)]
    DeleteBucket(#[n(0)] DeleteBucket),
    #[n(2)]
    CommitObject(#[n(0)] CommitObject),
    #[n(3)]
    DeleteObject(#[n(0)] DeleteObject),
    #[n(4)]
    CreateUpload(#[n(0)] CreateUpload),
    #[n(5)]
    CommitPart(#[n(0)] CommitPart),
    #[n(6)]
    CompleteUpload(#[n(0)] CompleteUpload),
    #[n(7)]
    AbortUpload(#[n(0)] AbortUpload),
    #[n(8)]
    OpenSession(#[n(0)] OpenSession),
    #[n(9)]
    EndSession(#[n(0)] EndSession),
    #[n(10)]
    RegisterNode(#[n(0)] RegisterNode),
    #[n(11)]
    SetDiskStates(#[n(0)] SetDiskStates),
    #[n(12)]
    FinishReclaim(#[n(0)] FinishReclaim),
    #[n(13)]
    ReportFaults(#[n(0)] ReportFaults),
    #[n(20)]
    GrantRebuild(#[n(0)] GrantRebuild),
    #[n(21)]
    ReplaceShard(#[n(0)] ReplaceShard),
    #[n(22)]
    EndRebuilds(#[n(0)] EndRebuilds),
    #[n(23)]
    ChangeDisks(#[n(0)] ChangeDisks),
    #[n(24)]
    StartRebalance(#[n(0)] StartRebalance),
    #[n(25)]
    EndRebalance(#[n(0)] EndRebalance),
    #[n(26)]
    SetProfile(#[n(0)] SetProfile),
    #[n(27)]
    ReplaceBody(#[n(0)] ReplaceBody),
    #[n(30)]
    OpenSystemSession(#[n(0)] OpenSystemSession),
    #[n(31)]
    AdoptObject(#[n(0)] AdoptObject),
    #[n(32)]
    RecordFindings(#[n(0)] RecordFindings),
    #[n(33)]
    EndReconciliation(#[n(0)] EndReconciliation),
    #[n(40)]
    SetClassProfile(#[n(0)] SetClassProfile),
    #[n(46)]
    ApplyLifecycle(#[n(0)] ApplyLifecycle),
    #[n(47)]
    AdvanceServiceTime(#[n(0)] AdvanceServiceTime),
    #[n(49)]
    SetBucketSetting(#[n(0)] SetBucketSetting),
    #[n(60)]
    AbandonExtents(#[n(0)] AbandonExtents),
    #[n(61)]
    RaiseLevel(#[n(0)] RaiseLevel),
}

impl Command {
    /// The feature level from which on it may be sent.
    pub const fn since(&self) -> FeatureLevel {
        FeatureLevel::FIRST
    }
}

/// The result of an applied command.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Outcome {
    /// Applied; there is no more to report.
    #[n(0)]
    Done,
    #[n(1)]
    ObjectCommitted(#[n(0)] ObjectCommitted),
    #[n(2)]
    ObjectDeleted(#[n(0)] ObjectDeleted),
    #[n(3)]
    UploadCreated(#[n(0)] UploadId),
    #[n(4)]
    PartCommitted(#[n(0)] PartCommitted),
    #[n(5)]
    UploadCompleted(#[n(0)] UploadCompleted),
    #[n(6)]
    SessionOpened(#[n(0)] SessionId),
    #[n(7)]
    NodeRegistered(#[n(0)] NodeRegistered),
    /// The commit that granted it.
    #[n(20)]
    RebuildGranted(#[n(0)] CommitSequence),
    #[n(30)]
    Adopted(#[n(0)] Adoption),
    #[n(45)]
    LifecycleApplied(#[n(0)] LifecycleApplied),
    /// The bucket's record with the new setting.
    #[n(49)]
    BucketSettingSet(#[n(0)] BucketRecord),
    /// The extents that were not given up, because they are committed, or may be yet.
    #[n(60)]
    ExtentsAbandoned(#[n(0)] Vec<ExtentId>),
}

/// A command and the type of its outcome.
pub trait CommandBody: Into<Command> + Send {
    type Outcome: Send;

    /// Its own outcome, `None` if it is another command's.
    fn unpack(outcome: Outcome) -> Option<Self::Outcome>;
}

macro_rules! command {
    ($name:ident => ()) => {
        impl From<$name> for Command {
            fn from(body: $name) -> Self {
                Command::$name(body)
            }
        }

        impl CommandBody for $name {
            type Outcome = ();

            fn unpack(outcome: Outcome) -> Option<()> {
                matches!(outcome, Outcome::Done).then_some(())
            }
        }
    };
    ($name:ident => $variant:ident($outcome:ty)) => {
        impl From<$name> for Command {
            fn from(body: $name) -> Self {
                Command::$name(body)
            }
        }

        impl CommandBody for $name {
            type Outcome = $outcome;

            fn unpack(outcome: Outcome) -> Option<$outcome> {
                match outcome {
                    Outcome::$variant(own) => Some(own),
                    _ => None,
                }
            }
        }
    };
}

command!(CreateBucket => ());
command!(DeleteBucket => ());
command!(CommitObject => ObjectCommitted(ObjectCommitted));
command!(DeleteObject => ObjectDeleted(ObjectDeleted));
command!(CreateUpload => UploadCreated(UploadId));
command!(CommitPart => PartCommitted(PartCommitted));
command!(CompleteUpload => UploadCompleted(UploadCompleted));
command!(AbortUpload => ());
command!(OpenSession => SessionOpened(SessionId));
command!(EndSession => ());
command!(RegisterNode => NodeRegistered(NodeRegistered));
command!(SetDiskStates => ());
command!(FinishReclaim => ());
command!(ReportFaults => ());
command!(GrantRebuild => RebuildGranted(CommitSequence));
command!(ReplaceShard => ());
command!(EndRebuilds => ());
command!(ChangeDisks => ());
command!(StartRebalance => ());
command!(EndRebalance => ());
command!(SetProfile => ());
command!(ReplaceBody => ());
command!(OpenSystemSession => SessionOpened(SessionId));
command!(AdoptObject => Adopted(Adoption));
command!(RecordFindings => ());
command!(EndReconciliation => ());
command!(SetClassProfile => ());
command!(ApplyLifecycle => LifecycleApplied(LifecycleApplied));
command!(AdvanceServiceTime => ());
command!(SetBucketSetting => BucketSettingSet(BucketRecord));
command!(AbandonExtents => ExtentsAbandoned(Vec<ExtentId>));
command!(RaiseLevel => ());
