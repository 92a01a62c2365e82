//! What the filesystem does without a store.

use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Instant;

use cairn_benches::{Rate, Unit};
use cairn_core::cell::checksum;

use crate::dice::Dice;
use crate::disk::small_id;
use crate::sizes::{LARGE, SEQUENTIAL, SMALL, STREAMS, TIME};

/// Bytes of the sequential write before each sync, as many as are streamed at the same time.
const SYNC_EVERY: usize = STREAMS as usize * LARGE;
/// Bytes of one sequential write.
const BLOCK: usize = 1 << 20;

/// Writes of 4 KiB per second, one after the other, each with its own fdatasync. In a growing file each of these also
/// commits the filesystem's journal; in one that is already `written`, only the disk counts.
pub(crate) fn fdatasync_rate(dir: &Path, body: &[u8], written: bool) -> Rate {
    let path = dir.join("fdatasync");
    let file = File::create(&path).unwrap();
    if written {
        file.write_all_at(body, 0).and_then(|()| file.sync_all()).unwrap();
    }
    let mut at = 0;
    let rate = Rate::measure(1, Unit::Operations, TIME, || {
        file.write_all_at(&body[..SMALL], at).and_then(|()| file.sync_data()).unwrap();
        at += SMALL as u64;
    });
    std::fs::remove_file(path).unwrap();
    rate
}

/// Writes [`SEQUENTIAL`] bytes in order into a new file, with an fdatasync every [`SYNC_EVERY`].
pub(crate) fn sequential_rate(dir: &Path, body: &[u8]) -> Rate {
    let path = dir.join("sequential");
    let mut file = File::create(&path).unwrap();
    let begin = Instant::now();
    for _ in 0..SEQUENTIAL / SYNC_EVERY {
        (0..STREAMS).for_each(|_| body.chunks(BLOCK).for_each(|block| file.write_all(block).unwrap()));
        file.sync_data().unwrap();
    }
    let per_s = SEQUENTIAL as f64 / begin.elapsed().as_secs_f64();
    std::fs::remove_file(path).unwrap();
    Rate { per_s, unit: Unit::Bytes }
}

/// Random reads of 4 KiB per second from a file in the page cache, each with a checksum: reads without a store.
pub(crate) fn bare_read_rate(file: &File, places: u64) -> Rate {
    let (mut dice, address) = (Dice(3), small_id(0).cell(0));
    Rate::measure(1, Unit::Operations, TIME, || {
        let mut bytes = vec![0; SMALL];
        file.read_exact_at(&mut bytes, dice.roll(places) * SMALL as u64).unwrap();
        black_box(checksum(&bytes, address));
    })
}

/// What fio measures for random reads of 4 KiB from a file, `readers` at a time and through the page cache, as the
/// store reads. If `cold`, they come from the device at first. `None` if fio is not installed.
pub(crate) fn fio_rate(file: &Path, readers: u64, cold: bool) -> Option<Rate> {
    let output = std::process::Command::new("fio")
        .args(["--name=read", "--rw=randread", "--bs=4k", "--ioengine=psync", "--readonly", "--thread"])
        .args(["--time_based", "--runtime=500ms", "--minimal", "--group_reporting"])
        .arg(format!("--invalidate={}", u8::from(cold)))
        .arg(format!("--numjobs={readers}"))
        .arg(format!("--filename={}", file.display()))
        .output()
        .ok()?;
    // Reads per second are the eighth field of the terse format, version 3.
    let per_s = String::from_utf8(output.stdout).ok()?.split(';').nth(7)?.parse().ok()?;
    Some(Rate { per_s, unit: Unit::Operations })
}
