//! What a process does.

/// A role of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Gateway,
    Metadata,
    StorageNode,
}

impl Role {
    pub const ALL: [Role; 3] = [Role::Gateway, Role::Metadata, Role::StorageNode];

    /// The name in configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Metadata => "metadata",
            Self::StorageNode => "storage-node",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}
