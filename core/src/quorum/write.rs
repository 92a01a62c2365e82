//! When an extent counts as written.

use crate::profile::Profile;

/// What to do with a write now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteDecision {
    /// Too few shards are durable; others are still being written.
    Wait,
    /// The quorum is durable and others are still being written: wait a little for them, then commit without them.
    Linger,
    /// The quorum is durable and no other shard is being written: commit.
    Commit,
    /// The quorum can no longer be reached.
    Fail,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shard {
    Writing,
    Durable,
    Failed,
}

/// The state of one extent's shards while they are written.
#[derive(Debug, Clone)]
pub struct WriteQuorum {
    shards: Vec<Shard>,
    quorum: usize,
}

impl WriteQuorum {
    /// All shards are being written.
    pub fn new(profile: &Profile) -> Self {
        Self {
            shards: vec![Shard::Writing; usize::from(profile.total_shards())],
            quorum: usize::from(profile.write_quorum),
        }
    }

    /// Shard `index` is on stable storage. A shard that failed stays failed: nothing is retried into an
    /// acknowledgement (I2).
    pub fn durable(&mut self, index: usize) -> WriteDecision {
        if let Some(shard @ Shard::Writing) = self.shards.get_mut(index) {
            *shard = Shard::Durable;
        }
        self.decide()
    }

    /// Shard `index` will not become durable.
    pub fn failed(&mut self, index: usize) -> WriteDecision {
        if let Some(shard @ Shard::Writing) = self.shards.get_mut(index) {
            *shard = Shard::Failed;
        }
        self.decide()
    }

    /// What to do now.
    pub fn decide(&self) -> WriteDecision {
        let count = |state| self.shards.iter().filter(|s| **s == state).count();
        let (durable, writing) = (count(Shard::Durable), count(Shard::Writing));
        match (durable >= self.quorum, writing) {
            (true, 0) => WriteDecision::Commit,
            (true, _) => WriteDecision::Linger,
            (false, _) if durable + writing >= self.quorum => WriteDecision::Wait,
            (false, _) => WriteDecision::Fail,
        }
    }

    /// Whether shard `index` is durable: only these go into the commit.
    pub fn is_durable(&self, index: usize) -> bool {
        self.shards.get(index) == Some(&Shard::Durable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ProfileId;
    use crate::profile::FailureDomain;
    use WriteDecision as D;

    fn quorum() -> WriteQuorum {
        WriteQuorum::new(&Profile::new(ProfileId(1), 4, 2, FailureDomain::Disk).unwrap())
    }

    #[test]
    fn a_write_commits_when_all_are_durable() {
        let mut q = quorum();
        let decisions: Vec<_> = (0..6).map(|i| q.durable(i)).collect();
        assert_eq!(decisions, [D::Wait, D::Wait, D::Wait, D::Wait, D::Linger, D::Commit]);
    }

    #[test]
    fn one_failure_is_tolerated_and_two_are_not() {
        let mut q = quorum();
        assert_eq!(q.failed(3), WriteDecision::Wait);
        for i in [0, 1, 2, 4] {
            assert_eq!(q.durable(i), WriteDecision::Wait);
        }
        assert_eq!(q.durable(5), WriteDecision::Commit);
        assert!(!q.is_durable(3));

        let mut q = quorum();
        q.failed(0);
        assert_eq!(q.failed(1), WriteDecision::Fail);
    }

    #[test]
    fn a_failed_shard_is_never_counted_later() {
        let mut q = quorum();
        q.failed(0);
        q.durable(0);
        assert!(!q.is_durable(0));
    }
}
