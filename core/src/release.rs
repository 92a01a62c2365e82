//! What processes of different releases agree to use of what each of them can do.

use std::fmt;

use minicbor::{Decode, Encode};

/// How far the formats and messages of a cluster have come. It is part of the cluster map: commands, fields of rows and messages,
/// and formats on disk are used only from the level on that brought them. An upgrade replaces the binaries first, while
/// the level stays, and raises the level once every process supports the next one: from then on earlier releases take no part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct FeatureLevel(#[n(0)] pub u32);

impl FeatureLevel {
    /// The lowest there is.
    pub const FIRST: Self = Self(1);
    /// Sessions keep the name of their gateway.
    pub const SESSION_NAMES: Self = Self(2);
    /// The level at which this release forms a cluster: the highest that it supports.
    pub const NEWEST: Self = Self::SESSION_NAMES;
}

impl Default for FeatureLevel {
    fn default() -> Self {
        Self::FIRST
    }
}

impl fmt::Display for FeatureLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The release that a process runs, and the levels at which it can take part.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Release {
    /// Its version, for people.
    #[n(0)]
    pub version: String,
    /// The lowest level that it supports.
    #[n(1)]
    pub oldest: FeatureLevel,
    /// The highest level that it supports.
    #[n(2)]
    pub newest: FeatureLevel,
}

impl Release {
    /// The release that runs here.
    pub fn current() -> Self {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self { version, oldest: FeatureLevel::FIRST, newest: FeatureLevel::NEWEST }
    }

    /// Whether it can take part at `level`.
    pub fn supports(&self, level: FeatureLevel) -> bool {
        (self.oldest..=self.newest).contains(&level)
    }

    /// Why it cannot take part in a cluster at `level`, if it cannot.
    pub fn refusal(&self, level: FeatureLevel) -> Option<String> {
        (!self.supports(level)).then(|| {
            format!(
                "the cluster is at feature level {level}, and {self}: install a release that supports level {level}"
            )
        })
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, oldest, newest } = self;
        if oldest == newest {
            write!(f, "release {version} supports level {newest} only")
        } else {
            write!(f, "release {version} supports levels {oldest} to {newest}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_takes_part_at_the_levels_that_it_supports() {
        let release = |oldest, newest| Release {
            version: "0.9.0".to_owned(),
            oldest: FeatureLevel(oldest),
            newest: FeatureLevel(newest),
        };
        let supported = |level| release(2, 3).supports(FeatureLevel(level));
        assert_eq!([1, 2, 3, 4].map(supported), [false, true, true, false]);
        assert_eq!(release(2, 3).refusal(FeatureLevel(3)), None);
        let refusal = release(2, 2).refusal(FeatureLevel(3)).unwrap();
        assert!(refusal.contains("level 2 only") && refusal.contains("supports level 3"), "{refusal}");
        let current = Release::current();
        assert!(current.supports(FeatureLevel::NEWEST) && !current.supports(FeatureLevel(FeatureLevel::NEWEST.0 + 1)));
    }
}
