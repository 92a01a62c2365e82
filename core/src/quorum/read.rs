//! Which shards of an extent to read, and when to read around one.

use crate::geometry::Geometry;

/// Why a shard gave no usable bytes. The four are never confused (I9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ShardFault {
    /// The disk answered and does not hold the shard.
    Missing,
    /// The bytes do not match their checksum.
    Corrupt,
    /// The disk or its node did not answer, or answered with an error.
    Unreachable,
    /// The shard was never written, or its place is not known.
    Absent,
}

/// What to do next for a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadCommand {
    /// Ask for this shard's cells.
    Fetch(usize),
    /// `k` shards have answered: decode.
    Decode,
    /// Fewer than `k` shards can ever answer.
    Fail,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shard {
    Idle,
    Asked,
    Ready,
    Failed(ShardFault),
}

/// The state of one read of one run of stripes.
///
/// It asks the `k` data shards first, because their bytes need no decoding. Each failure, and each expiry of the hedge
/// timer, asks one more. The first `k` answers win, whichever they are.
#[derive(Debug, Clone)]
pub struct ReadQuorum {
    shards: Vec<Shard>,
    needed: usize,
}

impl ReadQuorum {
    /// A read of an extent of this shape. `usable(i)` is false for shards that are absent, or known to be bad.
    pub fn new(geometry: &Geometry, usable: impl Fn(usize) -> bool) -> Self {
        let shards = (0..usize::from(geometry.total_shards()))
            .map(|i| if usable(i) { Shard::Idle } else { Shard::Failed(ShardFault::Absent) })
            .collect();
        Self { shards, needed: usize::from(geometry.data_shards) }
    }

    /// The first commands: a fetch for each of `k` shards, or a failure.
    pub fn start(&mut self) -> Vec<ReadCommand> {
        let mut commands = Vec::with_capacity(self.needed);
        while self.count(|s| matches!(s, Shard::Asked | Shard::Ready)) < self.needed {
            match self.ask_another() {
                Some(command) => commands.push(command),
                None => return vec![ReadCommand::Fail],
            }
        }
        commands
    }

    /// Shard `index` answered with cells that verified.
    pub fn ready(&mut self, index: usize) -> Option<ReadCommand> {
        if let Some(shard) = self.shards.get_mut(index) {
            *shard = Shard::Ready;
        }
        (self.count(|s| *s == Shard::Ready) == self.needed).then_some(ReadCommand::Decode)
    }

    /// Shard `index` gave nothing usable, so another is asked instead.
    pub fn failed(&mut self, index: usize, fault: ShardFault) -> Option<ReadCommand> {
        if let Some(shard) = self.shards.get_mut(index) {
            *shard = Shard::Failed(fault);
        }
        if self.count(|s| matches!(s, Shard::Asked | Shard::Ready)) >= self.needed {
            return None;
        }
        self.ask_another().or(Some(ReadCommand::Fail))
    }

    /// The read takes longer than usual: ask one more shard, if there is one.
    pub fn hedge(&mut self) -> Option<ReadCommand> {
        self.ask_another()
    }

    /// Whether shard `index` has been asked and has not answered yet.
    pub fn is_outstanding(&self, index: usize) -> bool {
        self.shards.get(index) == Some(&Shard::Asked)
    }

    /// The shards that failed, with the reasons.
    pub fn faults(&self) -> impl Iterator<Item = (usize, ShardFault)> + '_ {
        self.shards.iter().enumerate().filter_map(|(i, s)| match s {
            Shard::Failed(fault) => Some((i, *fault)),
            _ => None,
        })
    }

    fn ask_another(&mut self) -> Option<ReadCommand> {
        let index = self.shards.iter().position(|s| *s == Shard::Idle)?;
        self.shards[index] = Shard::Asked;
        Some(ReadCommand::Fetch(index))
    }

    fn count(&self, wanted: impl Fn(&Shard) -> bool) -> usize {
        self.shards.iter().filter(|s| wanted(s)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quorum(usable: impl Fn(usize) -> bool) -> ReadQuorum {
        ReadQuorum::new(&Geometry { data_shards: 4, parity_shards: 2, cell_bytes: 8, length: 100 }, usable)
    }

    fn fetches(indexes: &[usize]) -> Vec<ReadCommand> {
        indexes.iter().map(|&i| ReadCommand::Fetch(i)).collect()
    }

    #[test]
    fn a_healthy_read_touches_only_data_shards() {
        let mut q = quorum(|_| true);
        assert_eq!(q.start(), fetches(&[0, 1, 2, 3]));
        assert_eq!((q.ready(0), q.ready(2), q.ready(1)), (None, None, None));
        assert_eq!(q.ready(3), Some(ReadCommand::Decode));
    }

    #[test]
    fn absent_and_failing_shards_are_read_around() {
        let mut q = quorum(|i| i != 1);
        assert_eq!(q.start(), fetches(&[0, 2, 3, 4]));
        assert_eq!(q.failed(2, ShardFault::Corrupt), Some(ReadCommand::Fetch(5)));
        assert_eq!(q.failed(3, ShardFault::Missing), Some(ReadCommand::Fail));
        assert_eq!(q.faults().count(), 3);
    }

    #[test]
    fn a_hedge_makes_a_later_failure_harmless() {
        let mut q = quorum(|_| true);
        q.start();
        assert_eq!(q.hedge(), Some(ReadCommand::Fetch(4)));
        assert_eq!(q.failed(0, ShardFault::Unreachable), None);
        for i in [1, 2, 3] {
            q.ready(i);
        }
        assert_eq!(q.ready(4), Some(ReadCommand::Decode));
    }

    #[test]
    fn too_few_shards_fail_at_once() {
        assert_eq!(quorum(|i| i < 3).start(), vec![ReadCommand::Fail]);
    }
}
