//! `cairn disk inspect`: reads a disk's directory without a server and without writing to it.

use std::fmt::Write as _;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use cairn_core::shard::ShardId;
use cairn_server::inspect::{InspectOptions, Inspection, Problem, ShardReport, VolumeReport, export, inspect};
use clap::Args;
use serde::Serialize;

use crate::commands::CommandError;
use crate::commands::output::{print, print_json, table};
use crate::unit::{format_bytes, format_ms};

/// Inspect a disk offline.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The disk's directory, such as cairn-data/disk1.
    path: PathBuf,
    /// List the live shards.
    #[arg(long)]
    shards: bool,
    /// Verify every checksum; the exit code is 1 if anything is wrong.
    #[arg(long)]
    verify: bool,
    /// Write the verified data of one shard, EXTENT.INDEX as listed by --shards, to a file.
    #[arg(long, value_name = "SHARD", requires = "to", conflicts_with_all = ["shards", "verify"])]
    export: Option<String>,
    /// The output file; it must not exist or lie under PATH.
    #[arg(long, value_name = "FILE", requires = "export")]
    to: Option<PathBuf>,
    /// Inspect even while a server uses the disk; records being written then look unfinished.
    #[arg(long)]
    in_use: bool,
    /// Print JSON instead of tables.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &InspectArgs) -> Result<(), CommandError> {
    if let (Some(shard), Some(to)) = (&args.export, &args.to) {
        return export_to(args, shard, to);
    }
    let options = InspectOptions { verify: args.verify, in_use: args.in_use };
    let inspection = inspect(&args.path, options).map_err(Box::new)?;
    if args.json {
        print_json(&DiskDocument::of(&inspection, args.shards))?;
    } else {
        print(&render(&inspection, &args.path, args.shards))?;
    }
    match inspection.problems.len() {
        0 => Ok(()),
        count => Err(CommandError::DiskDamaged { path: args.path.clone(), count }),
    }
}

fn export_to(args: &InspectArgs, shard: &str, to: &Path) -> Result<(), CommandError> {
    let shard = parse_shard(shard).ok_or_else(|| CommandError::ShardName(shard.to_owned()))?;
    let failed = |cause| CommandError::Export { path: to.to_owned(), cause };
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let inside = args.path.canonicalize().is_ok_and(|disk| parent.canonicalize().is_ok_and(|to| to.starts_with(disk)));
    if inside {
        return Err(CommandError::ExportInside { path: to.to_owned() });
    }
    let mut file = BufWriter::new(File::create_new(to).map_err(failed)?);
    let written = export(&args.path, shard, args.in_use, &mut file).map_err(Box::new);
    let written = written.map_err(CommandError::from).and_then(|bytes| {
        let file = file.into_inner().map_err(|e| failed(e.into_error()))?;
        file.sync_all().map_err(failed)?;
        Ok(bytes)
    });
    match written {
        Ok(bytes) => print(&format!("{bytes} bytes of {shard} are in {}", to.display())),
        Err(error) => {
            // A partial shard would be mistaken for a whole one.
            let _ = std::fs::remove_file(to);
            Err(error)
        }
    }
}

/// A shard's printed form: 32 hexadecimal digits, a dot, and the index.
fn parse_shard(text: &str) -> Option<ShardId> {
    let (extent, index) = text.split_once('.')?;
    Some(ShardId { extent: extent.parse().ok()?, index: index.parse().ok()? })
}

fn render(disk: &Inspection, path: &Path, with_shards: bool) -> String {
    let bytes = |bytes: u64| format_bytes(bytes as f64);
    let live: u64 = disk.volumes.iter().map(|volume| volume.live_bytes).sum();
    let mut summary = table(&["disk", &disk.disk.to_string()]);
    for (name, value) in [
        ("path", path.display().to_string()),
        ("cluster", disk.cluster.to_string()),
        ("formatted", format_ms(disk.created_ms)),
        ("shards", format!("{} live, {}", disk.shards.len(), bytes(live))),
        ("checksums", verdict(disk)),
    ] {
        summary.add_row([name.to_owned(), value]);
    }
    let mut volumes = table(&["volume", "file", "on disk", "records", "live", "live bytes", "dead bytes", "other"]);
    for volume in &disk.volumes {
        volumes.add_row([
            volume.number.to_string(),
            bytes(volume.file_bytes),
            bytes(volume.allocated_bytes),
            volume.shard_records.to_string(),
            volume.live_shards.to_string(),
            bytes(volume.live_bytes),
            bytes(volume.dead_bytes),
            format!("{} deletions, {} unfinished", volume.tombstones, volume.unfinished),
        ]);
    }
    let mut text = format!("{summary}\n\n{volumes}");
    if with_shards {
        let mut shards = table(&["shard", "profile", "shape", "extent bytes", "volume", "offset", "bytes"]);
        for shard in &disk.shards {
            let geometry = &shard.geometry;
            shards.add_row([
                shard.shard.to_string(),
                shard.profile.to_string(),
                format!("{}+{}", geometry.data_shards, geometry.parity_shards),
                geometry.length.to_string(),
                shard.volume.to_string(),
                shard.offset.to_string(),
                shard.written_bytes.to_string(),
            ]);
        }
        let _ = write!(text, "\n\n{shards}");
    }
    for problem in &disk.problems {
        let shard = problem.shard.map_or_else(String::new, |shard| format!(", shard {shard}"));
        let _ = write!(text, "\n\nvolume {} offset {}{shard}: {}", problem.volume, problem.offset, problem.what);
    }
    text
}

fn verdict(disk: &Inspection) -> String {
    match (disk.verified, disk.problems.len()) {
        (true, 0) => "all verified".to_owned(),
        (true, count) => format!("{count} problems, see below"),
        (false, _) => "not verified; --verify does".to_owned(),
    }
}

#[derive(Serialize)]
struct DiskDocument {
    cluster: String,
    disk: String,
    created_ms: u64,
    verified: bool,
    live_shards: usize,
    volumes: Vec<VolumeDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shards: Option<Vec<ShardDocument>>,
    problems: Vec<ProblemDocument>,
}

#[derive(Serialize)]
struct VolumeDocument {
    number: u32,
    file_bytes: u64,
    allocated_bytes: u64,
    shard_records: u64,
    tombstones: u64,
    unfinished: u64,
    live_shards: u64,
    live_bytes: u64,
    dead_bytes: u64,
}

#[derive(Serialize)]
struct ShardDocument {
    shard: String,
    profile: u16,
    data_shards: u8,
    parity_shards: u8,
    cell_bytes: u32,
    extent_bytes: u64,
    volume: u32,
    offset: u64,
    head_bytes: u64,
    body_bytes: u64,
    written_bytes: u64,
}

#[derive(Serialize)]
struct ProblemDocument {
    volume: u32,
    offset: u64,
    shard: Option<String>,
    what: String,
}

impl DiskDocument {
    fn of(disk: &Inspection, with_shards: bool) -> Self {
        Self {
            cluster: disk.cluster.to_string(),
            disk: disk.disk.to_string(),
            created_ms: disk.created_ms,
            verified: disk.verified,
            live_shards: disk.shards.len(),
            volumes: disk.volumes.iter().map(volume_document).collect(),
            shards: with_shards.then(|| disk.shards.iter().map(shard_document).collect()),
            problems: disk.problems.iter().map(problem_document).collect(),
        }
    }
}

fn volume_document(volume: &VolumeReport) -> VolumeDocument {
    VolumeDocument {
        number: volume.number,
        file_bytes: volume.file_bytes,
        allocated_bytes: volume.allocated_bytes,
        shard_records: volume.shard_records,
        tombstones: volume.tombstones,
        unfinished: volume.unfinished,
        live_shards: volume.live_shards,
        live_bytes: volume.live_bytes,
        dead_bytes: volume.dead_bytes,
    }
}

fn shard_document(shard: &ShardReport) -> ShardDocument {
    ShardDocument {
        shard: shard.shard.to_string(),
        profile: shard.profile.0,
        data_shards: shard.geometry.data_shards,
        parity_shards: shard.geometry.parity_shards,
        cell_bytes: shard.geometry.cell_bytes,
        extent_bytes: shard.geometry.length,
        volume: shard.volume,
        offset: shard.offset,
        head_bytes: shard.head_bytes,
        body_bytes: shard.body_bytes,
        written_bytes: shard.written_bytes,
    }
}

fn problem_document(problem: &Problem) -> ProblemDocument {
    ProblemDocument {
        volume: problem.volume,
        offset: problem.offset,
        shard: problem.shard.map(|shard| shard.to_string()),
        what: problem.what.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_named_as_they_are_printed() {
        let shard = parse_shard("0000000000000007000000000000002a.5").unwrap();
        assert_eq!(shard.to_string(), "0000000000000007000000000000002a.5");
        for text in ["", "7.5", "0000000000000007000000000000002a", "0000000000000007000000000000002a.x"] {
            assert!(parse_shard(text).is_none(), "{text}");
        }
    }
}
