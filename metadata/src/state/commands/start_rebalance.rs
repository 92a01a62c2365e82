//! See [`StartRebalance`].

use crate::state::stored::StartRebalance;
use cairn_protocol::metadata::query::RebalanceRecord;
use cairn_protocol::metadata::{Outcome, Rejection};

use super::context::Context;
use crate::error::Refused;
use crate::state::tables::{Tables, rebalance};

pub(super) fn apply(tables: &mut Tables<'_>, command: &StartRebalance, context: Context) -> Result<Outcome, Refused> {
    let new = || RebalanceRecord {
        id: context.sequence,
        started_ms: context.now_ms,
        bytes_per_s_max: None,
        moved_shards: 0,
        moved_bytes: 0,
        ended: None,
        reencodes: command.reencodes,
    };
    let running = rebalance::running(&tables.meta)?.unwrap_or_else(new);
    if running.reencodes != command.reencodes {
        let text = "a rebalance of the other kind is under way: wait, or stop it with `cairn rebalance stop`";
        return Err(Rejection::Topology(text.to_owned()).into());
    }
    let record = RebalanceRecord { bytes_per_s_max: command.bytes_per_s_max, ..running };
    rebalance::put(&mut tables.meta, &record)?;
    Ok(Outcome::Done)
}
