//! What an I/O error means: a full disk, a process without resources, or a failed disk (I9, I21).

use std::io;

use cairn_protocol::storage::StorageErrorKind;
use rustix::io::Errno;

/// The kind of failure behind the error of a write or a sync.
pub(crate) fn classify(error: &io::Error) -> StorageErrorKind {
    match Errno::from_io_error(error) {
        Some(Errno::NOSPC | Errno::DQUOT) => StorageErrorKind::Full,
        Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS | Errno::AGAIN) => {
            StorageErrorKind::OutOfResources
        }
        _ if error.kind() == io::ErrorKind::OutOfMemory => StorageErrorKind::OutOfResources,
        _ => StorageErrorKind::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_disk_is_told_from_a_full_one_and_from_a_process_without_resources() {
        let check = |errno: Errno, expected| assert_eq!(classify(&errno.into()), expected, "{errno:?}");
        check(Errno::NOSPC, StorageErrorKind::Full);
        check(Errno::DQUOT, StorageErrorKind::Full);
        check(Errno::MFILE, StorageErrorKind::OutOfResources);
        check(Errno::NFILE, StorageErrorKind::OutOfResources);
        check(Errno::NOMEM, StorageErrorKind::OutOfResources);
        check(Errno::IO, StorageErrorKind::Failed);
        check(Errno::ROFS, StorageErrorKind::Failed);
        assert_eq!(classify(&io::ErrorKind::WriteZero.into()), StorageErrorKind::Failed);
    }
}
