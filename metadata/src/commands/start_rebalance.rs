//! See [`StartRebalance`].

use cairn_protocol::metadata::Outcome;
use cairn_protocol::metadata::command::StartRebalance;
use cairn_protocol::metadata::query::RebalanceRecord;

use super::Context;
use crate::error::Refused;
use crate::tables::{Tables, rebalance};

pub(super) fn apply(tables: &mut Tables<'_>, command: &StartRebalance, context: Context) -> Result<Outcome, Refused> {
    let new = || RebalanceRecord {
        id: context.sequence,
        started_ms: context.now_ms,
        bytes_per_s_max: None,
        moved_shards: 0,
        moved_bytes: 0,
        ended: None,
    };
    let running = rebalance::running(&tables.meta)?.unwrap_or_else(new);
    let record = RebalanceRecord { bytes_per_s_max: command.bytes_per_s_max, ..running };
    rebalance::put(&mut tables.meta, &record)?;
    Ok(Outcome::Done)
}
