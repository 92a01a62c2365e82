//! Finds the storage node that owns a disk.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use cairn_core::cluster_map::Node;
use cairn_core::id::NodeId;

use super::StorageNode;
use crate::rpc::{HttpStorageNode, RpcClient};

/// All storage nodes that this process can talk to: those in the process directly, the others over the network.
#[derive(Clone)]
pub struct StorageDirectory {
    rpc: RpcClient,
    nodes: Arc<RwLock<HashMap<NodeId, Known>>>,
}

#[derive(Clone)]
enum Known {
    Local(Arc<dyn StorageNode>),
    Remote { rpc_addr: String, client: Arc<dyn StorageNode> },
}

impl StorageDirectory {
    /// A directory that reaches remote nodes through `rpc`.
    pub fn new(rpc: RpcClient) -> Self {
        Self { rpc, nodes: Arc::default() }
    }

    /// Makes a node of this process known; it is called directly from now on.
    pub fn add_local(&self, id: NodeId, node: Arc<dyn StorageNode>) {
        self.nodes.write().unwrap_or_else(PoisonError::into_inner).insert(id, Known::Local(node));
    }

    /// A node of this process has stopped: whoever calls it now gets no answer, and nothing here keeps it in memory.
    pub fn remove_local(&self, id: NodeId) {
        self.nodes.write().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    /// The client for `node` of the cluster map. A node that moved to another address gets a new client.
    pub fn node(&self, node: &Node) -> Arc<dyn StorageNode> {
        match self.nodes.read().unwrap_or_else(PoisonError::into_inner).get(&node.id) {
            Some(Known::Local(local)) => return Arc::clone(local),
            Some(Known::Remote { rpc_addr, client }) if *rpc_addr == node.rpc_addr => return Arc::clone(client),
            _ => {}
        }
        let client: Arc<dyn StorageNode> = Arc::new(HttpStorageNode::new(self.rpc.clone(), &node.rpc_addr));
        let known = Known::Remote { rpc_addr: node.rpc_addr.clone(), client: Arc::clone(&client) };
        self.nodes.write().unwrap_or_else(PoisonError::into_inner).insert(node.id, known);
        client
    }
}
