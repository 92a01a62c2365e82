//! See [`SetVersioning`].

use crate::state::stored::SetVersioning;
use cairn_core::version::Versioning;
use cairn_protocol::metadata::{Outcome, Rejection};

use crate::error::Refused;
use crate::state::tables::{Tables, buckets, versioning};

pub(super) fn apply(tables: &mut Tables<'_>, command: &SetVersioning) -> Result<Outcome, Refused> {
    let bucket = buckets::get(&tables.buckets, &command.bucket)?.id;
    if command.versioning == Versioning::Unversioned || command.bucket.is_system() {
        return Err(Rejection::Topology("versioning is enabled or suspended, and never taken back".to_owned()).into());
    }
    versioning::put(&mut tables.versioning, bucket, command.versioning)?;
    Ok(Outcome::Done)
}
