//! Backups of the metadata on the storage nodes, found without any metadata: their extents sort after all others, and
//! their descriptors name them.

use std::collections::HashMap;
use std::sync::Arc;

use cairn_core::clock::Clock;
use cairn_core::cluster_map::{ClusterMap, Disk, DiskState, Labels, Node, Standing};
use cairn_core::id::{ClusterId, DiskNumber, ExtentId, GroupId, NodeId, SessionId};
use cairn_core::release::Release;
use cairn_gateway::data::{DataPath, DataPathOptions, ReadError};
use cairn_protocol::metadata::Metadata;
use cairn_protocol::metadata::content::Content;
use cairn_protocol::storage::{NodeStatus, StorageDirectory, StorageError};

use super::assembly::{Assembled, Assembly, FoundBody};
use super::census::{Census, serving_disks};
use crate::backup_key;

/// A node that is searched.
pub(crate) struct SearchedNode {
    /// `host:port` of its internal RPC; empty for one in this process.
    pub(crate) rpc_addr: String,
    pub(crate) status: NodeStatus,
}

/// A whole backup on the disks. Its bytes are not verified yet.
pub(crate) struct FoundBackup {
    /// Sorts by age.
    pub(crate) key: String,
    pub(crate) written_ms: u64,
    pub(crate) bytes: u64,
    body: FoundBody,
}

/// A cluster map of the nodes that were found, with numbers of its own: good for reading while there is no other map.
pub(crate) fn search_map(nodes: &[SearchedNode]) -> ClusterMap {
    let cluster = nodes.iter().find_map(|node| node.status.cluster).unwrap_or(ClusterId::from_bytes([0; 16]));
    let mut map = ClusterMap::empty(cluster, Vec::new());
    for node in nodes {
        let id = node.status.node;
        let (name, rpc_addr) = (node.rpc_addr.clone(), node.rpc_addr.clone());
        map.nodes.push(Node { id, name, rpc_addr, labels: Labels::default(), release: Release::current() });
        for disk in &node.status.disks {
            map.disks.push(Disk {
                number: DiskNumber(map.disks.len() as u32 + 1),
                id: disk.disk,
                node: id,
                path: disk.path.clone(),
                capacity_bytes: disk.capacity_bytes,
                state: if disk.state.serves() { disk.state } else { DiskState::Unavailable },
                standing: Standing::Member,
            });
        }
    }
    map
}

/// The backups on the disks of the map, newest first.
pub(crate) async fn find_backups(map: &ClusterMap, nodes: &StorageDirectory) -> Result<Vec<FoundBackup>, StorageError> {
    let before = ExtentId::new(SessionId(SessionId::system(GroupId::FIRST, 0).0 - 1), u64::MAX);
    let mut census = Census::new(serving_disks(map, nodes), Some(before));
    let mut assembly = Assembly::default();
    let mut found: HashMap<String, FoundBackup> = HashMap::new();
    loop {
        let seen = census.next().await?;
        let assembled: Vec<Assembled> = match &seen {
            Some(seen) => {
                let header = census.describe(seen).await.map_err(|error| error.to_string());
                assembly.take(seen, header)
            }
            None => assembly.end().into_iter().collect(),
        };
        for assembled in assembled {
            match assembled {
                Assembled::Whole(body) => {
                    let key = body.descriptor.key.as_str().to_owned();
                    if body.descriptor.bucket.is_system() && backup_key::is_backup(&key) {
                        let (written_ms, bytes) = (body.descriptor.written_at_ms, body.placed.run.size);
                        found.insert(key.clone(), FoundBackup { key, written_ms, bytes, body });
                    }
                }
                Assembled::Broken(fragment) => {
                    tracing::warn!(extent = %fragment.first, detail = fragment.detail, "a backup on the disks is not whole; skipping it");
                }
            }
        }
        if seen.is_none() {
            break;
        }
    }
    let mut found: Vec<FoundBackup> = found.into_values().collect();
    found.sort_by(|a, b| b.key.cmp(&a.key));
    Ok(found)
}

/// Through what a backup is read.
pub(crate) struct ReadPlan<'a> {
    pub(crate) map: &'a ClusterMap,
    pub(crate) nodes: &'a StorageDirectory,
    pub(crate) metadata: Arc<dyn Metadata>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Reads a backup from the disks and hands it to `take` piece by piece.
pub(crate) async fn read_backup<E: From<ReadError>>(
    backup: &FoundBackup,
    plan: ReadPlan<'_>,
    mut take: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    // It reads one body, whose own share is the bound.
    let options = DataPathOptions { gateway: NodeId::from_bytes([0; 16]), name: String::new(), memory_bytes: u64::MAX };
    let path = DataPath::new(plan.metadata, plan.nodes.clone(), &options, plan.clock);
    path.view.update(plan.map.clone());
    let run = backup.body.placed.run;
    let mut reader = path.read(Content::Run(run), 0..run.size, backup.body.located()).await?;
    while let Some(frames) = reader.next_batch().await? {
        for frame in frames {
            take(&frame)?;
        }
    }
    Ok(())
}
