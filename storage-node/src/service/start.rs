//! The start of a node.

use std::path::Path;
use std::sync::Arc;

use cairn_core::id::ClusterId;

use super::disks::{measure, survey};
use super::error::StartError;
use super::handle::Handle;
use super::node::Node;
use super::node_state::NodeState;
use super::options::{Dependencies, Options};
use super::run;

/// The cluster of the node with this state directory; `None` for a node that never joined one. A metadata service in the
/// same process refuses to form a new cluster where this names one (I15).
pub fn known_cluster(state_dir: &Path) -> Result<Option<ClusterId>, StartError> {
    Ok(NodeState::read(state_dir)?.and_then(|state| state.cluster))
}

/// Starts storage nodes.
pub struct StorageNodeService;

impl StorageNodeService {
    /// Looks at the disks, starts the node's tasks, and returns at once: disks come into service one by one, and the node
    /// retries until the metadata service answers. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// If no disks are given, or one twice, or the node's own state cannot be used. A bad disk is no error.
    pub fn start(options: Options, dependencies: Dependencies) -> Result<Handle, StartError> {
        if options.disks.is_empty() {
            return Err(StartError::NoDisks);
        }
        let mut state = NodeState::load(&options.state_dir, dependencies.random.as_ref())?;
        let slots = survey(&options, &mut state, dependencies.random.as_ref(), &dependencies.clock)?;
        // Before anything is formatted: a disk whose formatting was begun must be known.
        state.save(&options.state_dir)?;
        let node = Arc::new(Node::new(options, dependencies, state, slots));
        measure(&node.slots(), node.options.capacity_bytes);
        run::spawn(&node);
        Ok(Handle::new(node))
    }
}
