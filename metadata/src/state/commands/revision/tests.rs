//! Settings that change between the decision of a command and its commit.

use cairn_core::id::UploadId;
use cairn_core::version::{VersionId, Versioning};
use cairn_protocol::metadata::command::{
    AbortUpload, CommitObject, CommitPart, CompleteUpload, CreateUpload, DeleteBucket, DeleteObject, SetBucketSetting,
    SettingChange,
};
use cairn_protocol::metadata::settings::BucketRecord;
use cairn_protocol::metadata::{Command, Outcome, Rejection};
use proptest::prelude::*;

use crate::state::commands::testing::{State, expire_all, lifecycle_change};
use crate::state::tables::buckets;

const GATEWAYS: usize = 2;

#[derive(Debug, Clone)]
enum Step {
    /// A gateway learns the record in force.
    Look(usize),
    Set(SettingChange),
    /// The bucket is deleted and made again, under the same name.
    Recreate,
    /// A gateway sends a command that it has decided by the record it knows.
    Act(usize, Act),
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Put,
    PutEmpty,
    Delete,
    CreateUpload,
    CommitPart,
    Complete,
    Abort,
    SetVersioning,
    DeleteBucket,
}

const ACTS: [Act; 9] = [
    Act::Put,
    Act::PutEmpty,
    Act::Delete,
    Act::CreateUpload,
    Act::CommitPart,
    Act::Complete,
    Act::Abort,
    Act::SetVersioning,
    Act::DeleteBucket,
];

fn step() -> impl Strategy<Value = Step> {
    let change = prop_oneof![
        Just(SettingChange::Versioning(Versioning::Enabled)),
        Just(SettingChange::Versioning(Versioning::Suspended)),
        Just(lifecycle_change(&[expire_all(1)])),
        Just(lifecycle_change(&[])),
    ];
    prop_oneof![
        3 => (0..GATEWAYS).prop_map(Step::Look),
        2 => change.prop_map(Step::Set),
        1 => Just(Step::Recreate),
        8 => (0..GATEWAYS, proptest::sample::select(ACTS.as_slice())).prop_map(|(gateway, act)| Step::Act(gateway, act)),
    ]
}

fn in_force(state: &State) -> BucketRecord {
    buckets::get(&state.view().buckets().unwrap(), &state.bucket()).unwrap().into()
}

/// The state with a bucket that can be deleted and made again.
struct World {
    state: State,
    upload: UploadId,
    key: u64,
}

impl World {
    fn new() -> Self {
        let state = State::with_bucket();
        let upload = state.create_upload("u");
        Self { state, upload, key: 0 }
    }

    /// The command that a gateway decides by `record`. Unless the record is old it succeeds.
    fn decide(&mut self, act: Act, record: &BucketRecord) -> Command {
        let (state, revision) = (&self.state, Some(record.revision));
        self.key += 1;
        let key = format!("key{}", self.key);
        match act {
            Act::Put => CommitObject { revision, ..state.commit(&key, Some(state.body(10))) }.into(),
            Act::PutEmpty => CommitObject { revision, ..state.commit(&key, None) }.into(),
            Act::Delete => DeleteObject { revision, ..state.deletion(&key) }.into(),
            Act::CreateUpload => CreateUpload { revision, ..state.creation(&key) }.into(),
            Act::CommitPart => CommitPart { revision, ..state.part("u", self.upload, 1, Some(state.body(10))) }.into(),
            Act::Complete => CompleteUpload { revision, ..state.completion("u", self.upload, &[1]) }.into(),
            Act::Abort => AbortUpload { revision, ..state.abortion("u", self.upload) }.into(),
            Act::SetVersioning => {
                let change = SettingChange::Versioning(Versioning::Suspended);
                SetBucketSetting { bucket: state.bucket(), change, revision, now_ms: 0 }.into()
            }
            Act::DeleteBucket => DeleteBucket { name: state.bucket(), revision }.into(),
        }
    }

    /// What has to be there for `act`, done by others.
    fn prepare(&self, act: Act) {
        match act {
            Act::Complete => drop(self.state.put_part("u", self.upload, 1, 10)),
            Act::DeleteBucket => self.empty(),
            _ => {}
        }
    }

    /// What has to be there for the next one.
    fn restore(&mut self, act: Act) {
        if matches!(act, Act::DeleteBucket) {
            self.state.create_bucket();
        }
        if matches!(act, Act::DeleteBucket | Act::Complete | Act::Abort) {
            self.upload = self.state.create_upload("u");
        }
    }

    fn recreate(&mut self) {
        self.empty();
        self.state.apply(DeleteBucket { name: self.state.bucket(), revision: None }).unwrap();
        self.state.create_bucket();
        self.upload = self.state.create_upload("u");
    }

    fn empty(&self) {
        self.state.remove_all();
    }
}

/// The version id that a write is answered with, in a bucket with these settings.
fn id_fits(id: Option<VersionId>, versioning: Versioning) -> bool {
    match versioning {
        Versioning::Unversioned => id.is_none(),
        Versioning::Enabled => matches!(id, Some(VersionId::Commit(_))),
        Versioning::Suspended => id == Some(VersionId::Null),
    }
}

fn check_outcome(outcome: &Outcome, decided: &BucketRecord) {
    let id = match outcome {
        Outcome::ObjectCommitted(made) => made.version,
        Outcome::UploadCompleted(made) => made.version,
        Outcome::ObjectDeleted(made) => made.version,
        _ => return,
    };
    assert!(id_fits(id, decided.versioning), "{outcome:?} by {decided:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]
    /// I19: whatever the order, a command takes effect under the settings by which it was decided, or not at all.
    #[test]
    fn no_command_takes_effect_under_other_settings_than_it_was_decided_by(
        steps in proptest::collection::vec(step(), 1..40),
    ) {
        let mut world = World::new();
        let mut known = vec![in_force(&world.state); GATEWAYS];
        for step in steps {
            match step {
                Step::Look(gateway) => known[gateway] = in_force(&world.state),
                Step::Set(change) => {
                    let bucket = world.state.bucket();
                    world.state.apply(SetBucketSetting { bucket, change, revision: None, now_ms: 0 }).unwrap();
                }
                Step::Recreate => world.recreate(),
                Step::Act(gateway, act) => {
                    world.prepare(act);
                    let (now, command) = (in_force(&world.state), world.decide(act, &known[gateway]));
                    if known[gateway] != now {
                        let rejection = world.state.refused(command);
                        prop_assert_eq!(rejection, Rejection::StaleSettings(now.clone()), "{:?}", act);
                        known[gateway] = now;
                    }
                    let command = world.decide(act, &known[gateway]);
                    let outcome = world.state.apply(command);
                    prop_assert!(outcome.is_ok(), "{:?}: {:?}", act, outcome);
                    check_outcome(&outcome.unwrap(), &known[gateway]);
                    world.restore(act);
                }
            }
        }
    }
}

/// The first attempt took effect. Another answer now would have its writer delete what is committed.
#[test]
fn a_repetition_is_answered_as_the_first_was_whatever_is_in_force() {
    let state = State::with_bucket();
    let revision = Some(in_force(&state).revision);
    let upload = state.create_upload("u");
    let put = CommitObject { revision, ..state.commit("a", Some(state.body(10))) };
    let part = CommitPart { revision, ..state.part("u", upload, 1, Some(state.body(10))) };
    let complete = CompleteUpload { revision, ..state.completion("u", upload, &[1]) };
    let commands: [Command; 3] = [put.into(), part.into(), complete.into()];
    let first = commands.clone().map(|command| state.apply(command));
    state.set_versioning(Versioning::Enabled);
    for (command, first) in commands.into_iter().zip(first) {
        let again = state.apply(command.clone());
        match (&first, &again) {
            (Ok(Outcome::ObjectCommitted(a)), Ok(Outcome::ObjectCommitted(b))) => assert_eq!(a.sequence, b.sequence),
            (Ok(Outcome::UploadCompleted(a)), Ok(Outcome::UploadCompleted(b))) => assert_eq!(a.sequence, b.sequence),
            (Ok(Outcome::PartCommitted(a)), Ok(Outcome::PartCommitted(b))) => assert_eq!(a, b),
            other => panic!("{command:?}: {other:?}"),
        }
    }
}

#[test]
fn a_command_that_depends_on_no_setting_needs_no_revision() {
    let state = State::with_bucket();
    state.set_versioning(Versioning::Enabled);
    state.apply(CommitObject { revision: None, ..state.commit("a", None) }).unwrap();
}
