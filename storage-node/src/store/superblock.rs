//! The superblock: whose disk is in a directory.

use crate::disk_io::DiskIo;
use crate::format::{BlockKind, DiskIdentity, IdentityBlock};

use super::error::OpenError;

/// The name of the superblock's file.
pub(crate) const SUPERBLOCK: &str = "superblock";

/// Reads whose disk is in a directory, without opening the store.
pub fn probe(io: &dyn DiskIo, path: &str) -> Result<DiskIdentity, OpenError> {
    let bytes = io.read_file(SUPERBLOCK).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => OpenError::NotADisk { path: path.to_owned(), source },
        _ => OpenError::Io { path: path.to_owned(), what: "reading the superblock", source },
    })?;
    let block = IdentityBlock::decode(BlockKind::Superblock, &bytes);
    block.map(|b| b.identity).map_err(|source| OpenError::Superblock { path: path.to_owned(), source })
}

/// Makes a disk of an empty directory.
///
/// # Errors
/// If the directory holds a disk or volumes, or the filesystem fails.
pub fn format(io: &dyn DiskIo, path: &str, block: &IdentityBlock) -> Result<(), OpenError> {
    let failed = |what| move |source| OpenError::Io { path: path.to_owned(), what, source };
    let not_empty = |found| OpenError::NotEmpty { path: path.to_owned(), found };
    io.create_folders().map_err(failed("making the directory"))?;
    match io.read_file(SUPERBLOCK) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        // What cannot be read is there.
        Err(error) => return Err(failed("reading the superblock")(error)),
        Ok(_) => return Err(not_empty("a disk")),
    }
    if !io.list_volumes().map_err(failed("listing the volumes"))?.is_empty() {
        return Err(not_empty("volumes"));
    }
    io.remove_index().map_err(failed("removing an old index"))?;
    io.replace_file(SUPERBLOCK, &block.encode(BlockKind::Superblock)).map_err(failed("writing the superblock"))
}
