//! See [`EndRebuilds`].

use crate::state::stored::EndRebuilds;
use cairn_protocol::metadata::Outcome;

use crate::error::Refused;
use crate::state::tables::{Tables, rebuilds};

pub(super) fn apply(tables: &mut Tables<'_>, command: &EndRebuilds) -> Result<Outcome, Refused> {
    for id in &command.rebuilds {
        // Another rebuild of the shard may have been granted since.
        if rebuilds::get(&tables.rebuilds, id.extent, id.index)?.is_some_and(|rebuild| rebuild.grant == id.grant) {
            tables.rebuilds.remove((id.extent.to_bytes(), id.index))?;
        }
    }
    Ok(Outcome::Done)
}
