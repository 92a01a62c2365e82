//! What may happen in a history.

use proptest::prelude::*;

use super::SHARDS;

#[derive(Debug, Clone)]
pub(super) enum Step {
    Put {
        n: u64,
        bytes: u64,
        streamed: bool,
    },
    Delete {
        n: u64,
        count: u64,
    },
    Read {
        n: u64,
    },
    OpenStream {
        n: u64,
        bytes: u64,
        cells: usize,
    },
    EndStream {
        finish: bool,
    },
    Compact,
    CompactBeside {
        n: u64,
        bytes: u64,
    },
    Checkpoint,
    /// A scrub, waited for or beside the next steps.
    Scrub {
        wait: bool,
    },
    Fill {
        left: u64,
    },
    Empty,
    Fail {
        after: u64,
        errno: u8,
    },
    Restart,
    End {
        how: End,
        index_lost: bool,
    },
    /// The machine stops after this many operations; then power is lost.
    Stop {
        after: u64,
    },
    /// Reads go wrong: for some bytes of all volumes.
    Misread {
        what: ReadTrouble,
        block: u64,
        after: u64,
        times: u64,
    },
    /// Power is lost now, and again during replay.
    EndTwice {
        how: End,
        after: u64,
    },
}

/// How reads go wrong in a history.
#[derive(Debug, Clone, Copy)]
pub(super) enum ReadTrouble {
    Fail,
    Lie,
    Delay,
}

/// How a process ends.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    /// The page cache stays.
    Kill,
    /// Of what was not synced, this many sectors in four survive.
    PowerLoss { survives_in_four: u64, seed: u64 },
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        1 => Just(End::Kill),
        3 => (0..5u64, any::<u64>()).prop_map(|(survives_in_four, seed)| End::PowerLoss { survives_in_four, seed }),
    ]
}

fn read_trouble() -> impl Strategy<Value = ReadTrouble> {
    prop_oneof![4 => Just(ReadTrouble::Fail), 3 => Just(ReadTrouble::Lie), 1 => Just(ReadTrouble::Delay)]
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let n = || 0..SHARDS;
    let bytes = || prop_oneof![4 => 1..3000u64, 1 => 3000..20_000u64];
    prop_oneof![
        30 => (n(), bytes(), prop::bool::weighted(0.3)).prop_map(|(n, bytes, streamed)| Step::Put { n, bytes, streamed }),
        16 => (n(), 1..4u64).prop_map(|(n, count)| Step::Delete { n, count }),
        14 => n().prop_map(|n| Step::Read { n }),
        5 => (n(), bytes(), 0..30usize).prop_map(|(n, bytes, cells)| Step::OpenStream { n, bytes, cells }),
        5 => any::<bool>().prop_map(|finish| Step::EndStream { finish }),
        4 => Just(Step::Compact),
        3 => (n(), bytes()).prop_map(|(n, bytes)| Step::CompactBeside { n, bytes }),
        3 => Just(Step::Checkpoint),
        2 => any::<bool>().prop_map(|wait| Step::Scrub { wait }),
        1 => (0..20_000u64).prop_map(|left| Step::Fill { left }),
        1 => Just(Step::Empty),
        1 => (1..12u64, 0..3u8).prop_map(|(after, errno)| Step::Fail { after, errno }),
        1 => Just(Step::Restart),
        2 => (end(), prop::bool::weighted(0.3)).prop_map(|(how, index_lost)| Step::End { how, index_lost }),
        2 => (0..25u64).prop_map(|after| Step::Stop { after }),
        1 => (end(), 0..15u64).prop_map(|(how, after)| Step::EndTwice { how, after }),
        4 => (read_trouble(), 0..12u64, 0..4u64, 1..6u64).prop_map(|(what, block, after, times)| {
            Step::Misread { what, block, after, times }
        }),
    ]
}
