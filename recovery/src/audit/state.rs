//! The state of an audited disk, as a name in JSON and in tables.

use std::fmt;

use cairn_core::cluster_map::DiskState;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The state in which the cluster had a disk when it was stopped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AuditedState {
    /// The directory holds no disk of the cluster.
    #[default]
    NotUsed,
    InCluster(DiskState),
}

const NOT_USED: &str = "not used";
const STATES: [DiskState; 9] = [
    DiskState::Active,
    DiskState::Full,
    DiskState::Suspect,
    DiskState::Unavailable,
    DiskState::Joining,
    DiskState::Quarantined,
    DiskState::Draining,
    DiskState::Failed,
    DiskState::Removed,
];

impl AuditedState {
    const fn name(self) -> &'static str {
        match self {
            Self::NotUsed => NOT_USED,
            Self::InCluster(state) => state.name(),
        }
    }
}

impl fmt::Display for AuditedState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for AuditedState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for AuditedState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = STATES.into_iter().find(|state| state.name() == name).map(Self::InCluster);
        let other = (name == NOT_USED).then_some(Self::NotUsed);
        known.or(other).ok_or_else(|| serde::de::Error::custom(format!("{name:?} is not a state of a disk")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_written_and_read_by_name() {
        let states = STATES.map(AuditedState::InCluster).into_iter().chain([AuditedState::NotUsed]);
        for state in states {
            let json = format!("\"{state}\"");
            assert_eq!(serde_json::to_string(&state).unwrap(), json);
            assert_eq!(serde_json::from_str::<AuditedState>(&json).unwrap(), state);
        }
    }
}
