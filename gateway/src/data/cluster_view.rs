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
    pub fn new() -> Self {
        Self::default()
    }

    /// `None` before the first map.
    pub fn get(&self) -> Option<Arc<ClusterMap>> {
        self.map.read().ignore_poison().clone()
    }

    /// 0 before the first map.
    pub fn epoch(&self) -> Epoch {
        self.get().map_or(Epoch(0), |map| map.epoch)
    }

    /// Keeps `map` if it is newer.
    pub fn update(&self, map: ClusterMap) {
        let mut current = self.map.write().ignore_poison();
        if current.as_ref().is_none_or(|c| c.epoch < map.epoch) {
            *current = Some(Arc::new(map));
        }
    }
}
