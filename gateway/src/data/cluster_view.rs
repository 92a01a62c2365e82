//! The gateway's copy of the cluster map.

use std::sync::{Arc, RwLock};

use cairn_core::cluster_map::ClusterMap;
use cairn_core::id::Epoch;
use cairn_core::sync::IgnorePoison;

/// The newest cluster map that this gateway has seen. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct ClusterView {
    map: Arc<RwLock<Option<Arc<ClusterMap>>>>,
}

impl ClusterView {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The map, once there is one.
    pub fn get(&self) -> Option<Arc<ClusterMap>> {
        self.map.read().ignore_poison().clone()
    }

    /// The epoch of the map; 0 for none.
    pub fn epoch(&self) -> Epoch {
        self.get().map_or(Epoch(0), |map| map.epoch)
    }

    /// Takes a map over if it is newer.
    pub fn update(&self, map: ClusterMap) {
        let mut current = self.map.write().ignore_poison();
        if current.as_ref().is_none_or(|c| c.epoch < map.epoch) {
            *current = Some(Arc::new(map));
        }
    }
}
