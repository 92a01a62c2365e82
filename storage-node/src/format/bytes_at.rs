//! Fixed-size fields at stated offsets.

/// The `N` bytes at `at`, if the buffer has them.
pub(super) fn array_at<const N: usize>(buffer: &[u8], at: usize) -> Option<[u8; N]> {
    buffer.get(at..at.checked_add(N)?)?.try_into().ok()
}

pub(super) fn u16_at(buffer: &[u8], at: usize) -> Option<u16> {
    array_at(buffer, at).map(u16::from_le_bytes)
}

pub(super) fn u32_at(buffer: &[u8], at: usize) -> Option<u32> {
    array_at(buffer, at).map(u32::from_le_bytes)
}

pub(super) fn u64_at(buffer: &[u8], at: usize) -> Option<u64> {
    array_at(buffer, at).map(u64::from_le_bytes)
}

/// Writes `field` at `at`. The callers' offsets are constants inside their buffers.
pub(super) fn put(buffer: &mut [u8], at: usize, field: &[u8]) {
    if let Some(target) = buffer.get_mut(at..at + field.len()) {
        target.copy_from_slice(field);
    }
}
