//! What can be wrong with a record.

/// What is wrong with the record of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    #[error("its header does not verify")]
    Header,
    #[error("another record lies in its place")]
    OtherRecord,
    #[error("the volume ends inside it")]
    CutShort,
    /// The stripe of the first bad cell.
    #[error("cell {0} does not match its checksum")]
    Cell(u32),
    #[error("its footer does not match its cells")]
    Footer,
    #[error("the disk does not give its bytes")]
    Unreadable,
    #[error("the file of its volume is gone")]
    VolumeGone,
}
