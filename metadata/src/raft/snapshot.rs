//! Snapshots: a consistent view of all tables that streams itself in chunks of records, and the file that the
//! receiver loads them into.

use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use openraft::{Snapshot, SnapshotMeta};
use redb::{Database, Durability, ReadOnlyTable, Table};

use super::codec::{LogIdRow, MembershipRow};
use super::machine::Machine;
use super::snapshot_data::SnapshotData;
use super::types::{LogId, TypeConfig};
use crate::error::StoreError;
use crate::state::tables::{Tables, View, for_each_table, meta};

/// Approximate size of a chunk in bytes.
const CHUNK_BYTES: usize = 1 << 20;

/// Syncs the state and describes it. The log may be purged up to here.
pub(crate) fn take(machine: &Machine) -> Result<Snapshot<TypeConfig>, StoreError> {
    let view = machine.sync()?;
    let table = view.meta()?;
    let applied: Option<LogId> = meta::get::<LogIdRow>(&table, meta::APPLIED)?.map(Into::into);
    let membership: Option<MembershipRow> = meta::get(&table, meta::MEMBERSHIP)?;
    let meta = SnapshotMeta {
        last_log_id: applied,
        last_membership: membership.map(Into::into).unwrap_or_default(),
        snapshot_id: applied.map_or_else(String::new, |id| id.to_string()),
    };
    Ok(Snapshot { meta, snapshot: Box::new(SnapshotData::Live(Arc::new(view))) })
}

/// Where a stream continues: in this table, after this key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Position {
    table: u8,
    after: Option<Vec<u8>>,
}

/// The next chunk of records. The snapshot is complete if no position comes with it.
pub(crate) fn chunk(view: &View, from: Position) -> Result<(Vec<u8>, Option<Position>), StoreError> {
    let mut out = Vec::with_capacity(CHUNK_BYTES + (64 << 10));
    let mut after = from.after;
    macro_rules! visit {
        ($($number:literal => $table:ident),*) => {$(
            if $number >= from.table {
                let stopped = dump($number, &view.$table()?, after.take().as_deref(), &mut out)?;
                if stopped.is_some() {
                    return Ok((out, Some(Position { table: $number, after: stopped })));
                }
            }
        )*};
    }
    for_each_table!(visit);
    Ok((out, None))
}

/// Writes records of one table; returns the last key written if the chunk is full.
fn dump<K: redb::Key + 'static, V: redb::Value + 'static>(
    number: u8,
    table: &ReadOnlyTable<K, V>,
    after: Option<&[u8]>,
    out: &mut Vec<u8>,
) -> Result<Option<Vec<u8>>, StoreError> {
    let lower = after.map_or(Bound::Unbounded, |key| Bound::Excluded(K::from_bytes(key)));
    for entry in table.range::<K::SelfType<'_>>((lower, Bound::Unbounded))? {
        let (key, value) = entry?;
        let (key, value) = (key.value(), value.value());
        let (key, value) = (K::as_bytes(&key), V::as_bytes(&value));
        let (key, value) = (key.as_ref(), value.as_ref());
        out.push(number);
        out.extend((key.len() as u32).to_be_bytes());
        out.extend((value.len() as u32).to_be_bytes());
        out.extend(key);
        out.extend(value);
        if out.len() >= CHUNK_BYTES {
            return Ok(Some(key.to_vec()));
        }
    }
    Ok(None)
}

/// A state that is being loaded from chunks.
pub(crate) struct Loader {
    database: Database,
}

impl Loader {
    /// Starts over in `path`; removes what an earlier attempt left there.
    pub(crate) fn create(path: &Path, cache_bytes: usize) -> Result<Self, StoreError> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(StoreError::file(path, error)),
            _ => {}
        }
        Ok(Self { database: Database::builder().set_cache_size(cache_bytes).create(path)? })
    }

    pub(crate) fn load(&self, chunk: &[u8]) -> Result<(), StoreError> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(Durability::None)?;
        {
            let mut tables = Tables::open(&transaction)?;
            let mut rest = chunk;
            while !rest.is_empty() {
                rest = load_record(&mut tables, rest)?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// Makes the loaded state durable.
    pub(crate) fn finish(self) -> Result<Arc<Database>, StoreError> {
        let mut transaction = self.database.begin_write()?;
        drop(Tables::open(&transaction)?);
        transaction.set_quick_repair(true);
        transaction.commit()?;
        Ok(Arc::new(self.database))
    }
}

fn damaged(detail: impl Into<String>) -> StoreError {
    StoreError::Damaged { table: "snapshot", detail: detail.into() }
}

/// Loads the first record and returns what follows it.
fn load_record<'a>(tables: &mut Tables<'_>, bytes: &'a [u8]) -> Result<&'a [u8], StoreError> {
    let short = || damaged("a record is cut short");
    let (number, rest) = bytes.split_first().ok_or_else(short)?;
    let (key_length, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
    let (value_length, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
    let (key, rest) = rest.split_at_checked(u32::from_be_bytes(*key_length) as usize).ok_or_else(short)?;
    let (value, rest) = rest.split_at_checked(u32::from_be_bytes(*value_length) as usize).ok_or_else(short)?;
    macro_rules! visit {
        ($($known:literal => $table:ident),*) => {
            match number {
                $($known => insert(&mut tables.$table, key, value)?,)*
                unknown => return Err(damaged(format!("table {unknown} is of a newer release: upgrade this member"))),
            }
        };
    }
    for_each_table!(visit);
    Ok(rest)
}

fn insert<K: redb::Key + 'static, V: redb::Value + 'static>(
    table: &mut Table<'_, K, V>,
    key: &[u8],
    value: &[u8],
) -> Result<(), StoreError> {
    let fits = |width: Option<usize>, bytes: &[u8]| width.is_none_or(|width| width == bytes.len());
    if !fits(K::fixed_width(), key) || !fits(V::fixed_width(), value) {
        return Err(damaged("a record has the wrong length"));
    }
    table.insert(K::from_bytes(key), V::from_bytes(value))?;
    Ok(())
}

/// Loads a view into `machine`'s file for incoming snapshots.
pub(crate) fn copy(view: &View, machine: &Machine) -> Result<Arc<Database>, StoreError> {
    let loader = Loader::create(&machine.incoming_path(), machine.cache_bytes())?;
    copy_into(view, &loader)?;
    loader.finish()
}

/// Loads a view; returns the size of its records in bytes.
pub(crate) fn copy_into(view: &View, loader: &Loader) -> Result<u64, StoreError> {
    let mut bytes = 0;
    let mut position = Some(Position::default());
    while let Some(from) = position {
        let (records, next) = chunk(view, from)?;
        bytes += records.len() as u64;
        loader.load(&records)?;
        position = next;
    }
    Ok(bytes)
}
