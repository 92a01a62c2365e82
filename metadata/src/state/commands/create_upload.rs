//! See [`CreateUpload`].

use crate::state::stored::CreateUpload;
use cairn_core::id::UploadId;
use cairn_protocol::metadata::Outcome;

use super::context::Context;
use super::revision::check_revision;
use crate::error::Refused;
use crate::state::tables::uploads::UploadRow;
use crate::state::tables::usage::Change;
use crate::state::tables::{Row, Tables, buckets, usage};

pub(super) fn apply(tables: &mut Tables<'_>, command: &CreateUpload, context: Context) -> Result<Outcome, Refused> {
    let row = buckets::get(&tables.buckets, &command.bucket)?;
    check_revision(&row, command.revision)?;
    let bucket = row.id;
    let id = UploadId(context.sequence.0);
    let upload = UploadRow {
        created_ms: context.now_ms,
        headers: command.headers.clone(),
        checksum_algorithm: command.checksum_algorithm.clone(),
        checksum_composite: command.checksum_composite,
        storage_class: command.storage_class,
    };
    tables.uploads.insert((bucket.0, command.key.as_str().as_bytes(), id.0), upload.to_bytes().as_slice())?;
    usage::add(&mut tables.usage, bucket, Change { uploads: 1, ..Change::default() })?;
    Ok(Outcome::UploadCreated(id))
}
