//! When to compare: once the same disks have served for a while.

use std::collections::BTreeSet;

use cairn_core::id::DiskNumber;

/// Checks in a row that must see the same disks before they are compared: nodes come up one after the other.
const STABLE_CHECKS: u32 = 4;

/// The disks that serve, as seen by the last checks.
#[derive(Debug, Default)]
pub(super) struct StableDisks {
    serving: BTreeSet<DiskNumber>,
    checks: u32,
    /// The disks that were compared last.
    compared: Option<BTreeSet<DiskNumber>>,
}

impl StableDisks {
    /// Whether the disks that serve now are to be compared.
    pub(super) fn check(&mut self, serving: BTreeSet<DiskNumber>) -> bool {
        self.checks = if serving == self.serving { self.checks + 1 } else { 0 };
        self.serving = serving;
        self.checks >= STABLE_CHECKS && !self.serving.is_empty() && self.compared.as_ref() != Some(&self.serving)
    }

    /// Starts counting again.
    pub(super) fn restart(&mut self) {
        self.checks = 0;
    }

    /// Notes that the disks that serve were compared.
    pub(super) fn compared(&mut self) {
        self.compared = Some(self.serving.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_are_compared_once_stable_and_again_when_others_come() {
        let set = |numbers: &[u32]| numbers.iter().map(|n| DiskNumber(*n)).collect::<BTreeSet<_>>();
        let mut disks = StableDisks::default();
        assert!((0..10).all(|_| !disks.check(set(&[]))), "without any disk, nothing is compared");
        let checks = |disks: &mut StableDisks, numbers: &[u32]| (0..10).position(|_| disks.check(set(numbers)));
        assert_eq!(checks(&mut disks, &[1]), Some(STABLE_CHECKS as usize));
        assert_eq!(checks(&mut disks, &[1, 2]), Some(STABLE_CHECKS as usize));
        disks.compared();
        assert_eq!(checks(&mut disks, &[1, 2]), None);
        assert!(checks(&mut disks, &[1, 2, 3]).is_some());
    }
}
