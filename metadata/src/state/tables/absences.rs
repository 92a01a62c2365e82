//! For how long disks have been away, as the leaders have seen it one after the other. It is one row in the table of
//! [`super::meta`].
//!
//! A leader measures by its monotonic clock, and from time to time has the duration written down, so that the next leader
//! does not begin at zero. Only durations are kept, never points in time: no wall clock decides anything (I20).

use std::collections::BTreeMap;
use std::time::Duration;

use cairn_core::cluster_map::{ClusterMap, DiskState};
use cairn_core::id::DiskId;
use minicbor::{Decode, Encode};
use redb::{ReadableTable, Table};

use super::Row;
use super::meta::{self, ABSENCES, Key, Value};
use crate::error::StoreError;

/// The disks that are away, each with the time in seconds for which leaders have seen that. At least so long it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Absences(#[n(0)] Vec<(DiskId, u64)>);

impl Row for Absences {
    const TABLE: &'static str = "meta";
}

impl Absences {
    /// Of each disk.
    pub(crate) fn durations(&self) -> BTreeMap<DiskId, Duration> {
        self.0.iter().map(|(disk, seconds)| (*disk, Duration::from_secs(*seconds))).collect()
    }
}

impl FromIterator<(DiskId, Duration)> for Absences {
    /// Fractions of a second are dropped.
    fn from_iter<I: IntoIterator<Item = (DiskId, Duration)>>(durations: I) -> Self {
        Self(durations.into_iter().map(|(disk, time)| (disk, time.as_secs())).collect())
    }
}

pub(crate) fn get(table: &impl ReadableTable<Key, Value>) -> Result<Absences, StoreError> {
    Ok(meta::get(table, ABSENCES)?.unwrap_or_default())
}

/// Replaces what was known. Disks that have come back meanwhile are left out.
pub(crate) fn note(table: &mut Table<'_, Key, Value>, map: &ClusterMap, noted: &Absences) -> Result<(), StoreError> {
    let is_away = |id| map.disk_by_id(id).is_some_and(|disk| disk.state == DiskState::Unavailable);
    let still = noted.0.iter().copied().filter(|(id, _)| is_away(*id)).collect();
    meta::put(table, ABSENCES, &Absences(still))
}

/// Forgets disks that are not away in `map`: when they go again, their time begins anew.
pub(crate) fn follow(table: &mut Table<'_, Key, Value>, map: &ClusterMap) -> Result<(), StoreError> {
    let known = get(table)?;
    if known == Absences::default() { Ok(()) } else { note(table, map, &known) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// I30: what an earlier release wrote stays readable.
    #[test]
    fn absences_keep_their_encoding() {
        let absences: Absences = [(DiskId::from_bytes([7; 16]), Duration::from_millis(330_900))].into_iter().collect();
        let bytes = absences.to_bytes();
        assert_eq!(hex::encode(&bytes), "818182500707070707070707070707070707070719014a");
        assert_eq!(
            Absences::read(&bytes).unwrap().durations().into_values().collect::<Vec<_>>(),
            [Duration::from_secs(330)]
        );
    }
}
