//! The volume files of a disk; a bounded number of them is open.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};

use cairn_core::sync::IgnorePoison;

use super::options::OPEN_FILES_MAX;
use crate::disk_io::{DiskFile, DiskIo};

/// The name of a volume's file.
pub(crate) fn volume_name(number: u32) -> String {
    format!("{number:08}.vol")
}

/// The number in a volume's file name.
pub(crate) fn volume_number(name: &str) -> Option<u32> {
    let digits = name.strip_suffix(".vol")?;
    (digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// Opens volumes and keeps the recently used ones open.
pub(crate) struct VolumeFiles {
    io: Arc<dyn DiskIo>,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    files: HashMap<u32, (Arc<dyn DiskFile>, u64)>,
    uses: u64,
}

impl VolumeFiles {
    pub(crate) fn new(io: Arc<dyn DiskIo>) -> Self {
        Self { io, open: Mutex::default() }
    }

    /// The file, if it is open already.
    pub(crate) fn opened(&self, number: u32) -> Option<Arc<dyn DiskFile>> {
        let mut open = self.open.lock().ignore_poison();
        open.uses += 1;
        let now = open.uses;
        let (file, used) = open.files.get_mut(&number)?;
        *used = now;
        Some(Arc::clone(file))
    }

    /// The file, opened if need be.
    pub(crate) fn get(&self, number: u32) -> io::Result<Arc<dyn DiskFile>> {
        if let Some(file) = self.opened(number) {
            return Ok(file);
        }
        let file = self.io.open_volume(&volume_name(number))?;
        self.add(number, Arc::clone(&file));
        Ok(file)
    }

    /// Keeps a file open; closes the least recently used one if there are too many.
    pub(crate) fn add(&self, number: u32, file: Arc<dyn DiskFile>) {
        let mut open = self.open.lock().ignore_poison();
        if open.files.len() >= OPEN_FILES_MAX
            && let Some(oldest) = open.files.iter().min_by_key(|(_, (_, used))| *used).map(|(number, _)| *number)
        {
            open.files.remove(&oldest);
        }
        open.uses += 1;
        let now = open.uses;
        open.files.insert(number, (file, now));
    }

    /// Closes the file of a volume that is about to be removed.
    pub(crate) fn forget(&self, number: u32) {
        self.open.lock().ignore_poison().files.remove(&number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_agree() {
        assert_eq!(volume_number(&volume_name(42)), Some(42));
        for name in ["42.vol", "00000042.vol.new", "0000004x.vol", "+0000042.vol", ""] {
            assert_eq!(volume_number(name), None, "{name}");
        }
    }
}
