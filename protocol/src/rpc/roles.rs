//! Who calls: the roles of a process, as its connections declare them.

use std::fmt;
use std::ops::BitOr;

/// A set of roles. Every connection between processes declares the caller's, and every call names those that may make it.
///
/// A process that knows the cluster's secret can declare any role, so rights contain mistakes, not intruders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Roles(u16);

impl Roles {
    /// Serves S3.
    pub const GATEWAY: Self = Self(1);
    /// Keeps shards.
    pub const STORAGE_NODE: Self = Self(1 << 1);
    /// A member of the metadata service.
    pub const METADATA: Self = Self(1 << 2);
    /// Carries out what an operator asks: the admin API of any process, and the verbs that work without a server.
    pub const ADMIN: Self = Self(1 << 3);
    /// Any process of the cluster.
    pub const ANY: Self = Self(u16::MAX);

    const NAMES: [(Self, &'static str); 4] = [
        (Self::GATEWAY, "gateway"),
        (Self::STORAGE_NODE, "storage node"),
        (Self::METADATA, "metadata"),
        (Self::ADMIN, "admin"),
    ];

    pub(super) const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    pub(super) const fn bits(self) -> u16 {
        self.0
    }

    /// Whether one of the roles is in both sets.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Both sets together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOr for Roles {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.and(other)
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = Self::NAMES.iter().filter(|(role, _)| self.intersects(*role)).map(|(_, n)| *n).collect();
        f.write_str(&if names.is_empty() { "no role".to_owned() } else { names.join(", ") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_named_and_unknown_ones_give_no_right() {
        let both = Roles::GATEWAY | Roles::ADMIN;
        assert_eq!(both.to_string(), "gateway, admin");
        assert!(both.intersects(Roles::ADMIN) && !both.intersects(Roles::METADATA | Roles::STORAGE_NODE));
        let newer = Roles::from_bits(1 << 9);
        assert_eq!(newer.to_string(), "no role");
        assert!(!newer.intersects(both));
        assert_eq!(Roles::from_bits(both.bits()), both);
    }
}
