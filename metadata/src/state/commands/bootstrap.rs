//! Forms a new cluster: its id and its first map.

use cairn_core::cluster_map::ClusterMap;
use cairn_core::id::ClusterId;
use cairn_core::profile::Profile;
use cairn_core::release::FeatureLevel;
use minicbor::{Decode, Encode};

use crate::error::StoreError;
use crate::state::tables::members::MembershipRecord;
use crate::state::tables::{Tables, members};

/// The first entry of every cluster, proposed by its first leader.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Bootstrap {
    /// Drawn at random by the proposer.
    #[n(0)]
    pub(crate) cluster: ClusterId,
    #[n(1)]
    pub(crate) profiles: Vec<Profile>,
    /// The directories of the first members.
    #[n(2)]
    pub(crate) members: Option<MembershipRecord>,
    /// The highest that all of them support.
    #[n(3)]
    pub(crate) level: FeatureLevel,
}

pub(super) fn apply(tables: &mut Tables<'_>, command: &Bootstrap) -> Result<(), StoreError> {
    if tables.map()?.is_some() {
        return Ok(());
    }
    if let Some(record) = &command.members {
        members::put_record(&mut tables.meta, record)?;
    }
    let map = ClusterMap::empty(command.cluster, command.profiles.clone());
    tables.set_map(ClusterMap { level: command.level, ..map })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::commands::testing::State;

    #[test]
    fn the_first_cluster_id_stays() {
        let state = State::new();
        let map = state.map();
        let (cluster, level) = (ClusterId::from_random([9; 16]), FeatureLevel::NEWEST);
        let second = Bootstrap { cluster, profiles: Vec::new(), members: None, level };
        state.write(|tables| apply(tables, &second).unwrap());
        assert_eq!(state.map(), map);
    }
}
