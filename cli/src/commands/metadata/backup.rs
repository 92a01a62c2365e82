//! `cairn metadata backup`

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use cairn_recovery::backup::{self, BackupSummary};
use cairn_server::SystemClock;
use clap::Args;
use tokio::sync::mpsc;

use super::error::BackupError;
use super::restore::describe;
use crate::admin::{StoredBackup, discover_keys};
use crate::commands::output::print;
use crate::commands::{AdminArgs, CommandError};
use crate::s3::{Account, Client, CompletedPart};
use crate::unit::format_bytes;

/// Bytes of a part of an object.
const PART_BYTES: usize = 64 << 20;
/// Pieces of an object queued for verification.
const PIECES_MAX: usize = 16;

#[derive(Debug, Args)]
pub struct BackupArgs {
    /// A file, or s3://BUCKET/KEY.
    #[arg(required_unless_present = "in_store", conflicts_with = "in_store")]
    target: Option<String>,
    /// Back up into the store itself, for `cairn metadata restore --from-disks`.
    #[arg(long)]
    in_store: bool,
    /// The bucket's endpoint [default: AWS_ENDPOINT_URL, else http://127.0.0.1:9000].
    #[arg(long, value_name = "URL")]
    s3_endpoint: Option<String>,
    /// The admin endpoint of a metadata member.
    #[command(flatten)]
    admin: AdminArgs,
}

pub(super) async fn run(args: &BackupArgs) -> Result<(), CommandError> {
    let Some(target) = &args.target else {
        let made = args.admin.client()?.store_metadata_backup().await?;
        let StoredBackup { commit, objects, bytes } = made;
        let rows = format_bytes(bytes as f64);
        return print(&format!(
            "backed up into the store and read back: commit {commit}, {objects} objects, {rows} of rows"
        ));
    };
    let summary = match target.strip_prefix("s3://") {
        Some(object) => to_object(args, target, object).await?,
        None => to_file(args, Path::new(target)).await?,
    };
    print(&describe("backed up and read back", &summary))
}

async fn to_file(args: &BackupArgs, path: &Path) -> Result<BackupSummary, CommandError> {
    if path.exists() {
        return Err(BackupError::Exists(path.to_owned()).into());
    }
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let summary = write_file(args, &partial).await;
    if summary.is_err() {
        // A partial file would be mistaken for a backup.
        let _ = std::fs::remove_file(&partial);
    }
    let summary = summary?;
    let failed = |source| BackupError::File { path: path.to_owned(), source };
    std::fs::rename(&partial, path).map_err(failed)?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent).and_then(|dir| dir.sync_all()).map_err(failed)?;
    Ok(summary)
}

async fn write_file(args: &BackupArgs, path: &Path) -> Result<BackupSummary, CommandError> {
    let failed = |source| CommandError::from(BackupError::File { path: path.to_owned(), source });
    let mut file = File::create(path).map_err(failed)?;
    args.admin.client()?.metadata_backup(async |piece: Bytes| file.write_all(&piece).map_err(failed)).await?;
    file.sync_all().map_err(failed)?;
    let written = BufReader::with_capacity(1 << 20, File::open(path).map_err(failed)?);
    Ok(backup::verify(written).map_err(BackupError::from)?)
}

async fn to_object(args: &BackupArgs, target: &str, object: &str) -> Result<BackupSummary, CommandError> {
    let named = object.split_once('/').filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty());
    let (bucket, key) = named.ok_or_else(|| BackupError::Target(target.to_owned()))?;
    let mut client = s3_client(args)?;
    let upload = client.create_upload(bucket, key).await.map_err(BackupError::from)?;
    match upload_parts(args, &mut client, bucket, key, &upload).await {
        Ok(parts) => {
            let completed = client.complete_upload(bucket, key, &upload, &parts).await;
            completed.map_err(BackupError::from)?;
        }
        Err(error) => {
            // A leftover only costs space; the original error matters more.
            let _ = client.abort_upload(bucket, key, &upload).await;
            return Err(error);
        }
    }
    Ok(read_back(&mut client, bucket, key).await?)
}

fn s3_client(args: &BackupArgs) -> Result<Client, CommandError> {
    let environment = |name: &str| std::env::var(name).ok();
    let endpoint = args.s3_endpoint.clone().or_else(|| environment("AWS_ENDPOINT_URL"));
    let endpoint = endpoint.as_deref().unwrap_or("http://127.0.0.1:9000").parse().map_err(BackupError::from)?;
    let keys = discover_keys(environment, Path::new("."))?;
    Ok(Client::new(Arc::new(Account::new(endpoint, keys.credentials, Arc::new(SystemClock::new())))))
}

async fn upload_parts(
    args: &BackupArgs,
    client: &mut Client,
    bucket: &str,
    key: &str,
    upload: &str,
) -> Result<Vec<CompletedPart>, CommandError> {
    let mut parts = Vec::new();
    let mut held = BytesMut::new();
    let mut send = async |body: Bytes, parts: &mut Vec<CompletedPart>| {
        let number = parts.len() as u32 + 1;
        let part = client.upload_part(bucket, key, upload, number, body).await.map_err(BackupError::from)?;
        parts.push(part);
        Ok::<_, CommandError>(())
    };
    let mut admin = args.admin.client()?;
    admin
        .metadata_backup(async |piece: Bytes| {
            held.extend_from_slice(&piece);
            if held.len() >= PART_BYTES {
                send(held.split().freeze(), &mut parts).await?;
            }
            Ok::<_, CommandError>(())
        })
        .await?;
    send(held.freeze(), &mut parts).await?;
    Ok(parts)
}

/// Reads the object back and verifies every byte.
async fn read_back(client: &mut Client, bucket: &str, key: &str) -> Result<BackupSummary, BackupError> {
    let (sender, receiver) = mpsc::channel(PIECES_MAX);
    let checked = tokio::task::spawn_blocking(move || backup::verify(ChannelReader { receiver, piece: Bytes::new() }));
    let mut body = client.get(bucket, key).await?;
    while let Some(piece) = body.next().await? {
        // The verification has ended and reports why.
        if sender.send(piece).await.is_err() {
            break;
        }
    }
    drop(sender);
    Ok(checked.await??)
}

/// Reads pieces from a channel.
struct ChannelReader {
    receiver: mpsc::Receiver<Bytes>,
    piece: Bytes,
}

impl Read for ChannelReader {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        while self.piece.is_empty() {
            match self.receiver.blocking_recv() {
                Some(piece) => self.piece = piece,
                None => return Ok(0),
            }
        }
        let length = self.piece.len().min(out.len());
        self.piece.copy_to_slice(&mut out[..length]);
        Ok(length)
    }
}
