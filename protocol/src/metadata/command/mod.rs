//! Commands: each one change of the replicated state, applied the same way on every member.

mod bucket;
mod lifecycle;
mod object;
mod profile;
mod rebalance;
mod reclaim;
mod recovery;
mod repair;
mod reprotect;
mod session;
mod topology;
mod upload;

use cairn_core::id::{CommitSequence, SessionId, UploadId};
use minicbor::{Decode, Encode};

pub use crate::storage::ShardReportKind;
pub use bucket::{CreateBucket, DeleteBucket, SetVersioning};
pub use lifecycle::{AdvanceServiceTime, ApplyLifecycle, EndedUpload, EndedVersion, LifecycleApplied, SetLifecycle};
pub use object::{CommitObject, DeleteObject, ObjectCommitted, ObjectDeleted, Precondition};
pub use profile::{ProfileShape, SetClassProfile, SetProfile};
pub use rebalance::{EndRebalance, RebalanceEnd, StartRebalance};
pub use reclaim::{FinishReclaim, ReclaimId, ReportFaults, ShardReport};
pub use recovery::{AdoptObject, AdoptedBody, AdoptedPart, Adoption, EndReconciliation, RecordFindings};
pub use repair::{EndRebuilds, GrantRebuild, RebuildId, ReplaceShard};
pub use reprotect::ReplaceBody;
pub use session::{EndSession, OpenSession, OpenSystemSession};
pub use topology::{ChangeDisks, DiskRegistration, NodeRegistered, RegisterNode, SetDiskStates};
pub use upload::{AbortUpload, CommitPart, CompletePart, CompleteUpload, CreateUpload, PartCommitted, UploadCompleted};

/// Any command.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Command {
    /// See [`CreateBucket`].
    #[n(0)]
    CreateBucket(#[n(0)] CreateBucket),
    /// See [`DeleteBucket`].
    #[n(1)]
    DeleteBucket(#[n(0)] DeleteBucket),
    /// See [`CommitObject`].
    #[n(2)]
    CommitObject(#[n(0)] CommitObject),
    /// See [`DeleteObject`].
    #[n(3)]
    DeleteObject(#[n(0)] DeleteObject),
    /// See [`CreateUpload`].
    #[n(4)]
    CreateUpload(#[n(0)] CreateUpload),
    /// See [`CommitPart`].
    #[n(5)]
    CommitPart(#[n(0)] CommitPart),
    /// See [`CompleteUpload`].
    #[n(6)]
    CompleteUpload(#[n(0)] CompleteUpload),
    /// See [`AbortUpload`].
    #[n(7)]
    AbortUpload(#[n(0)] AbortUpload),
    /// See [`OpenSession`].
    #[n(8)]
    OpenSession(#[n(0)] OpenSession),
    /// See [`EndSession`].
    #[n(9)]
    EndSession(#[n(0)] EndSession),
    /// See [`RegisterNode`].
    #[n(10)]
    RegisterNode(#[n(0)] RegisterNode),
    /// See [`SetDiskStates`].
    #[n(11)]
    SetDiskStates(#[n(0)] SetDiskStates),
    /// See [`FinishReclaim`].
    #[n(12)]
    FinishReclaim(#[n(0)] FinishReclaim),
    /// See [`ReportFaults`].
    #[n(13)]
    ReportFaults(#[n(0)] ReportFaults),
    /// See [`GrantRebuild`].
    #[n(20)]
    GrantRebuild(#[n(0)] GrantRebuild),
    /// See [`ReplaceShard`].
    #[n(21)]
    ReplaceShard(#[n(0)] ReplaceShard),
    /// See [`EndRebuilds`].
    #[n(22)]
    EndRebuilds(#[n(0)] EndRebuilds),
    /// See [`ChangeDisks`].
    #[n(23)]
    ChangeDisks(#[n(0)] ChangeDisks),
    /// See [`StartRebalance`].
    #[n(24)]
    StartRebalance(#[n(0)] StartRebalance),
    /// See [`EndRebalance`].
    #[n(25)]
    EndRebalance(#[n(0)] EndRebalance),
    /// See [`SetProfile`].
    #[n(26)]
    SetProfile(#[n(0)] SetProfile),
    /// See [`ReplaceBody`].
    #[n(27)]
    ReplaceBody(#[n(0)] ReplaceBody),
    /// See [`OpenSystemSession`].
    #[n(30)]
    OpenSystemSession(#[n(0)] OpenSystemSession),
    /// See [`AdoptObject`].
    #[n(31)]
    AdoptObject(#[n(0)] AdoptObject),
    /// See [`RecordFindings`].
    #[n(32)]
    RecordFindings(#[n(0)] RecordFindings),
    /// See [`EndReconciliation`].
    #[n(33)]
    EndReconciliation(#[n(0)] EndReconciliation),
    /// See [`SetClassProfile`].
    #[n(40)]
    SetClassProfile(#[n(0)] SetClassProfile),
    /// See [`SetLifecycle`].
    #[n(45)]
    SetLifecycle(#[n(0)] SetLifecycle),
    /// See [`ApplyLifecycle`].
    #[n(46)]
    ApplyLifecycle(#[n(0)] ApplyLifecycle),
    /// See [`AdvanceServiceTime`].
    #[n(47)]
    AdvanceServiceTime(#[n(0)] AdvanceServiceTime),
    /// See [`SetVersioning`].
    #[n(48)]
    SetVersioning(#[n(0)] SetVersioning),
}

/// What a command that was applied led to.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Outcome {
    /// Nothing more to say.
    #[n(0)]
    Done,
    /// Of [`CommitObject`].
    #[n(1)]
    ObjectCommitted(#[n(0)] ObjectCommitted),
    /// Of [`DeleteObject`].
    #[n(2)]
    ObjectDeleted(#[n(0)] ObjectDeleted),
    /// Of [`CreateUpload`].
    #[n(3)]
    UploadCreated(#[n(0)] UploadId),
    /// Of [`CommitPart`].
    #[n(4)]
    PartCommitted(#[n(0)] PartCommitted),
    /// Of [`CompleteUpload`].
    #[n(5)]
    UploadCompleted(#[n(0)] UploadCompleted),
    /// Of [`OpenSession`].
    #[n(6)]
    SessionOpened(#[n(0)] SessionId),
    /// Of [`RegisterNode`].
    #[n(7)]
    NodeRegistered(#[n(0)] NodeRegistered),
    /// Of [`GrantRebuild`]: the commit that granted it.
    #[n(20)]
    RebuildGranted(#[n(0)] CommitSequence),
    /// Of [`AdoptObject`].
    #[n(30)]
    Adopted(#[n(0)] Adoption),
    /// Of [`ApplyLifecycle`].
    #[n(45)]
    LifecycleApplied(#[n(0)] LifecycleApplied),
}

/// A command with the type of its outcome.
pub trait CommandBody: Into<Command> + Send {
    /// What it leads to.
    type Outcome: Send;

    /// Takes its own outcome out of the union.
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
command!(SetLifecycle => ());
command!(ApplyLifecycle => LifecycleApplied(LifecycleApplied));
command!(AdvanceServiceTime => ());
command!(SetVersioning => ());
