//! Commands as the log stores them, apart from those on the wire: a message may change with a release, while a log
//! that an earlier release wrote must stay readable (I30). The parts of commands (names, ids, placed runs) have one
//! encoding, which the golden test below fixes.

mod bucket;
mod lifecycle;
mod macros;
mod object;
mod recovery;
mod repair;
mod session;
#[cfg(test)]
mod tests;
mod topology;
mod upload;

use std::convert::Infallible;

use cairn_core::release::FeatureLevel;
use cairn_protocol::metadata::Command;
use minicbor::encode::Write;
use minicbor::{Decode, Encode};

pub(crate) use bucket::{CreateBucket, DeleteBucket, SetBucketSetting};
pub(crate) use lifecycle::{AdvanceServiceTime, ApplyLifecycle};
pub(crate) use object::{CommitObject, DeleteObject, ReplaceBody};
pub(crate) use recovery::{AdoptObject, EndReconciliation, RecordFindings};
pub(crate) use repair::{
    AbandonExtents, EndRebalance, EndRebuilds, FinishReclaim, GrantRebuild, ReplaceShard, ReportFaults, StartRebalance,
};
pub(crate) use session::{EndSession, OpenSession, OpenSystemSession};
pub(crate) use topology::{ChangeDisks, RaiseLevel, RegisterNode, SetClassProfile, SetDiskStates, SetProfile};
pub(crate) use upload::{AbortUpload, CommitPart, CompleteUpload, CreateUpload};

macro_rules! commands {
    ($($number:literal $name:ident),* $(,)?) => {
        /// Any command of the log. The numbers are never reused: 45 and 48 were commands of their own for lifecycle
        /// rules and versioning.
        #[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
        pub(crate) enum StoredCommand {
            $(#[n($number)] $name(#[n(0)] $name),)*
        }

        impl From<Command> for StoredCommand {
            fn from(command: Command) -> Self {
                match command {
                    $(Command::$name(body) => Self::$name(body.into()),)*
                }
            }
        }

        $(#[cfg(test)]
        impl From<$name> for StoredCommand {
            fn from(body: $name) -> Self {
                Self::$name(body)
            }
        }

        #[cfg(test)]
        impl From<cairn_protocol::metadata::command::$name> for StoredCommand {
            fn from(body: cairn_protocol::metadata::command::$name) -> Self {
                Self::$name(body.into())
            }
        })*
    };
}

commands! {
    0 CreateBucket,
    1 DeleteBucket,
    2 CommitObject,
    3 DeleteObject,
    4 CreateUpload,
    5 CommitPart,
    6 CompleteUpload,
    7 AbortUpload,
    8 OpenSession,
    9 EndSession,
    10 RegisterNode,
    11 SetDiskStates,
    12 FinishReclaim,
    13 ReportFaults,
    20 GrantRebuild,
    21 ReplaceShard,
    22 EndRebuilds,
    23 ChangeDisks,
    24 StartRebalance,
    25 EndRebalance,
    26 SetProfile,
    27 ReplaceBody,
    30 OpenSystemSession,
    31 AdoptObject,
    32 RecordFindings,
    33 EndReconciliation,
    40 SetClassProfile,
    46 ApplyLifecycle,
    47 AdvanceServiceTime,
    49 SetBucketSetting,
    60 AbandonExtents,
    61 RaiseLevel,
}

impl StoredCommand {
    /// The feature level that it puts in force, if it does.
    pub(crate) fn level(&self) -> Option<FeatureLevel> {
        if let Self::RaiseLevel(raise) = self { Some(raise.to) } else { None }
    }

    /// Size in the log, in bytes.
    pub(crate) fn encoded_bytes(&self) -> usize {
        encoded_bytes(self)
    }
}

/// Size of `value` once it is encoded, in bytes.
pub(crate) fn encoded_bytes(value: &impl Encode<()>) -> usize {
    let mut counter = Counter(0);
    // Counting cannot fail.
    let _ = minicbor::encode(value, &mut counter);
    counter.0
}

/// Counts the bytes written to it.
struct Counter(usize);

impl Write for Counter {
    type Error = Infallible;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0 += bytes.len();
        Ok(())
    }
}
