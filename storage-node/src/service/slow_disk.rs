//! Which of a node's disks is so slow that it should take no new shards (I24). The literature calls it gray failure. A disk
//! is compared with its neighbours, which have the same load: a busy node is slow as a whole, a dying disk is slow alone.

use std::collections::HashMap;
use std::time::Duration;

use cairn_core::id::DiskId;

use crate::disk_io::Operation;

/// When a disk is slow.
#[derive(Debug, Clone, Copy)]
pub struct SlowDiskOptions {
    /// Time over which latencies are compared.
    pub window: Duration,
    /// Slow windows in a row after which a disk is suspect.
    pub windows: u32,
    /// A slow disk takes at least this many times the median of its neighbours.
    pub factor: u32,
    /// No disk is slow below this, whatever its neighbours take: the latency of a spinning disk under load.
    pub floor: Duration,
    /// Every disk is slow from this on, whatever its neighbours take.
    pub stall: Duration,
    /// Time without a slow window after which a disk is trusted again. Doubled each time that it becomes suspect.
    pub clean_period: Duration,
}

impl Default for SlowDiskOptions {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(1),
            windows: 5,
            factor: 20,
            floor: Duration::from_millis(50),
            stall: Duration::from_secs(5),
            clean_period: Duration::from_mins(1),
        }
    }
}

/// Longest clean period that is demanded of a disk that becomes suspect again and again.
const CLEAN_PERIOD_MAX: Duration = Duration::from_hours(1);
/// After this many clean periods without trouble, a disk begins with the shortest period again.
const FORGIVEN_AFTER: u32 = 10;
/// Weight of the newest window in what is usual: one part in two to this power.
const USUAL_SHIFT: u32 = 3;

/// What is compared, each operation with the same one on other disks.
pub(super) const OPERATIONS: [Operation; 3] = [Operation::Read, Operation::MediumRead, Operation::Write];

/// The latencies of a disk in one window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) disk: DiskId,
    /// In the order of [`OPERATIONS`]; `None` for an operation that did not happen.
    pub(super) latencies: [Option<Duration>; OPERATIONS.len()],
}

/// What is remembered of a disk.
#[derive(Debug, Default)]
struct Track {
    /// Latencies in windows that were not slow, in the order of [`OPERATIONS`].
    usual: [Option<Duration>; OPERATIONS.len()],
    slow_windows: u32,
    /// Why the disk is suspect.
    suspicion: Option<String>,
    last_slow: Duration,
    clean_period: Duration,
}

impl Track {
    fn learn(&mut self, sample: &Sample) {
        for (usual, latency) in self.usual.iter_mut().zip(sample.latencies) {
            let Some(latency) = latency else { continue };
            let before = usual.unwrap_or(latency);
            *usual = Some((before * ((1 << USUAL_SHIFT) - 1) + latency) / (1 << USUAL_SHIFT));
        }
    }
}

/// Watches the disks of one node.
#[derive(Debug)]
pub(super) struct SlowDiskWatch {
    options: SlowDiskOptions,
    disks: HashMap<DiskId, Track>,
}

impl SlowDiskWatch {
    pub(super) fn new(options: SlowDiskOptions) -> Self {
        Self { options, disks: HashMap::new() }
    }

    /// Takes the samples of one window; returns for each disk why it is suspect, or `None`.
    pub(super) fn observe(&mut self, now: Duration, samples: &[Sample]) -> Vec<(DiskId, Option<String>)> {
        let slow: Vec<Option<String>> = samples.iter().map(|sample| self.slow(sample, samples)).collect();
        let verdicts = samples.iter().zip(slow).map(|(sample, slow)| (sample.disk, self.judge(now, sample, slow)));
        let verdicts: Vec<_> = verdicts.collect();
        self.disks.retain(|disk, _| samples.iter().any(|sample| sample.disk == *disk));
        verdicts
    }

    /// How the disk was slow in this window; `None` if it was not.
    fn slow(&self, sample: &Sample, all: &[Sample]) -> Option<String> {
        for (at, operation) in OPERATIONS.into_iter().enumerate() {
            let Some(latency) = sample.latencies.get(at).copied().flatten() else { continue };
            let what = match operation {
                Operation::Read => "reads",
                Operation::MediumRead => "the scrub's reads",
                Operation::Write => "writes",
            };
            let median = self.median_of_others(sample.disk, all, at);
            let ms = latency.as_millis();
            if let Some(median) = median.filter(|median| latency >= *median * self.options.factor)
                && latency >= self.options.floor
            {
                let median_ms = median.as_secs_f64() * 1e3;
                return Some(format!("{what} take {ms} ms, on its neighbours {median_ms:.1} ms"));
            }
            if latency >= self.options.stall {
                return Some(format!("{what} take {ms} ms"));
            }
        }
        None
    }

    /// The median latency of the other disks in the operation at `at`. A neighbour that was idle counts with its usual
    /// latency.
    fn median_of_others(&self, disk: DiskId, all: &[Sample], at: usize) -> Option<Duration> {
        let of = |other: &Sample| {
            let usual = self.disks.get(&other.disk).and_then(|track| track.usual.get(at).copied().flatten());
            other.latencies.get(at).copied().flatten().or(usual)
        };
        let mut others: Vec<Duration> = all.iter().filter(|other| other.disk != disk).filter_map(of).collect();
        others.sort_unstable();
        others.get(others.len().checked_sub(1)? / 2).copied()
    }

    fn judge(&mut self, now: Duration, sample: &Sample, slow: Option<String>) -> Option<String> {
        let SlowDiskOptions { windows, clean_period, .. } = self.options;
        let track = self.disks.entry(sample.disk).or_default();
        if let Some(how) = slow {
            track.slow_windows += 1;
            if track.suspicion.is_none() && track.slow_windows >= windows {
                let forgiven = now.saturating_sub(track.last_slow) > track.clean_period * FORGIVEN_AFTER;
                let is_first = track.clean_period.is_zero() || forgiven;
                let period = if is_first { clean_period } else { (track.clean_period * 2).min(CLEAN_PERIOD_MAX) };
                track.clean_period = period;
            }
            track.last_slow = now;
            if track.slow_windows >= windows || track.suspicion.is_some() {
                track.suspicion = Some(how);
            }
        } else {
            if sample.latencies.iter().any(Option::is_some) {
                track.slow_windows = 0;
                track.learn(sample);
            }
            if now.saturating_sub(track.last_slow) >= track.clean_period {
                track.suspicion = None;
            }
        }
        track.suspicion.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn id(n: u8) -> DiskId {
        DiskId::from_random([n; 16])
    }

    /// Six disks whose writes take these milliseconds; zero for no write.
    fn samples(writes: [u32; 6]) -> Vec<Sample> {
        let sample = |n, ms| Sample { disk: id(n), latencies: [None, None, (ms > 0).then_some(MS * ms)] };
        (0..).zip(writes).map(|(n, ms)| sample(n, ms)).collect()
    }

    struct Bench {
        watch: SlowDiskWatch,
        now: Duration,
    }

    impl Bench {
        fn new() -> Self {
            Self { watch: SlowDiskWatch::new(SlowDiskOptions::default()), now: Duration::from_secs(1000) }
        }

        /// Passes `windows` windows; returns which disks are suspect then.
        fn pass(&mut self, windows: u32, writes: [u32; 6]) -> Vec<usize> {
            let mut suspects = Vec::new();
            for _ in 0..windows {
                self.now += Duration::from_secs(1);
                let verdicts = self.watch.observe(self.now, &samples(writes));
                suspects = verdicts.iter().enumerate().filter(|(_, v)| v.1.is_some()).map(|(n, _)| n).collect();
            }
            suspects
        }
    }

    #[test]
    fn a_disk_that_is_slow_alone_is_suspect_after_some_windows() {
        let mut bench = Bench::new();
        assert_eq!(bench.pass(10, [1, 1, 2, 1, 1, 1]), [0; 0]);
        assert_eq!(bench.pass(4, [1, 1, 100, 1, 1, 1]), [0; 0]);
        assert_eq!(bench.pass(1, [1, 1, 100, 1, 1, 1]), [2]);
        let verdicts = bench.watch.observe(bench.now, &samples([1, 1, 100, 1, 1, 1]));
        let reason = verdicts[2].1.as_deref().unwrap();
        assert_eq!(reason, "writes take 100 ms, on its neighbours 1.0 ms");
    }

    #[test]
    fn a_disk_is_not_suspect_for_load_on_all_or_a_few_hiccups_or_being_of_a_slower_kind() {
        let mut bench = Bench::new();
        assert_eq!(bench.pass(20, [900, 1100, 1300, 1000, 800, 1200]), [0; 0]);
        let mut bench = Bench::new();
        for _ in 0..20 {
            assert_eq!(bench.pass(3, [1, 1, 400, 1, 1, 1]), [0; 0]);
            assert_eq!(bench.pass(1, [1; 6]), [0; 0]);
        }
        assert_eq!(Bench::new().pass(100, [1, 1, 1, 1, 1, 40]), [0; 0], "a spinning disk among others");
        // The long reads of a scrub are not compared with the short ones of clients.
        let latencies = |n: u8| if n == 0 { [None, Some(MS * 60), None] } else { [Some(MS), None, None] };
        let scrubbed: Vec<Sample> = (0..6).map(|n| Sample { disk: id(n), latencies: latencies(n) }).collect();
        let mut watch = SlowDiskWatch::new(SlowDiskOptions::default());
        for window in 0..20 {
            assert!(watch.observe(Duration::from_secs(window), &scrubbed).iter().all(|(_, how)| how.is_none()));
        }
        // Neighbours without work are remembered.
        let mut bench = Bench::new();
        bench.pass(10, [1; 6]);
        assert_eq!(bench.pass(5, [0, 0, 0, 0, 0, 400]), [5]);
    }

    #[test]
    fn a_stalled_disk_is_suspect_without_neighbours_too() {
        let mut watch = SlowDiskWatch::new(SlowDiskOptions::default());
        let alone = |ms| [Sample { disk: id(1), latencies: [Some(MS * ms), None, None] }];
        for window in 1..=5u64 {
            let verdicts = watch.observe(Duration::from_secs(window), &alone(6000));
            assert_eq!(verdicts[0].1.is_some(), window == 5);
        }
        assert!(watch.observe(Duration::from_secs(70), &alone(1))[0].1.is_none());
    }

    #[test]
    fn a_suspect_disk_is_trusted_again_after_a_clean_period_that_grows_each_time() {
        let mut bench = Bench::new();
        let slow = [1, 1, 1, 1, 1, 300];
        for period in [60, 120, 240] {
            bench.pass(3, [1; 6]);
            assert_eq!(bench.pass(5, slow), [5]);
            assert_eq!(bench.pass(period - 1, [1, 1, 1, 1, 1, 0]), [5], "{period}");
            assert_eq!(bench.pass(1, [1, 1, 1, 1, 1, 0]), [0; 0], "{period}");
        }
    }
}
