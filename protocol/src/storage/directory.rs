//! Finds the storage node that owns a disk.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use cairn_core::cluster_map::Node;
use cairn_core::id::NodeId;
use cairn_core::sync::IgnorePoison;

use super::node::StorageNode;

/// Makes clients of storage nodes in other processes.
pub trait RemoteNodes: Send + Sync + 'static {
    /// A client of the node that listens on `rpc_addr` (`host:port`). It connects when it is first called.
    fn client(&self, rpc_addr: &str) -> Arc<dyn StorageNode>;
}

/// All storage nodes that this process can call: its own directly, the others over the network.
#[derive(Clone)]
pub struct StorageDirectory {
    remote: Arc<dyn RemoteNodes>,
    nodes: Arc<RwLock<HashMap<NodeId, Known>>>,
}

#[derive(Clone)]
enum Known {
    Local(Arc<dyn StorageNode>),
    Remote { rpc_addr: String, client: Arc<dyn StorageNode> },
}

impl StorageDirectory {
    /// A directory that reaches nodes of other processes through `remote`.
    pub fn new(remote: impl RemoteNodes) -> Self {
        Self { remote: Arc::new(remote), nodes: Arc::default() }
    }

    /// Adds a node of this process, which is called directly.
    pub fn add_local(&self, id: NodeId, node: Arc<dyn StorageNode>) {
        self.nodes.write().ignore_poison().insert(id, Known::Local(node));
    }

    /// Drops a node of this process that has stopped, so that its memory is freed. Later calls go to its address, where
    /// nobody answers.
    pub fn remove_local(&self, id: NodeId) {
        self.nodes.write().ignore_poison().remove(&id);
    }

    /// The client for `node` of the cluster map. A node that moved to another address gets a new client.
    pub fn node(&self, node: &Node) -> Arc<dyn StorageNode> {
        match self.nodes.read().ignore_poison().get(&node.id) {
            Some(Known::Local(local)) => return Arc::clone(local),
            Some(Known::Remote { rpc_addr, client }) if *rpc_addr == node.rpc_addr => return Arc::clone(client),
            _ => {}
        }
        let client = self.remote.client(&node.rpc_addr);
        let known = Known::Remote { rpc_addr: node.rpc_addr.clone(), client: Arc::clone(&client) };
        self.nodes.write().ignore_poison().insert(node.id, known);
        client
    }
}
