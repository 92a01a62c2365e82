//! Loads records into a new state.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use redb::{Database, Durability, ReadableTableMetadata, Table};

use super::stream::drain;
use crate::error::StoreError;
use crate::space::{self, Space};
use crate::state::tables::{Tables, View, for_each_table};

/// The number of the table that says how far a state reaches.
const META: u8 = 13;

/// A state that is being loaded from chunks. Until [`Loader::finish`] it does not say how far it reaches, so a part of a
/// state never passes for a state.
pub(crate) struct Loader {
    database: Database,
    /// Records of the table [`META`], which are written last.
    held: Vec<u8>,
    /// Records loaded so far, by table.
    loaded: BTreeMap<u8, u64>,
}

impl Loader {
    /// Begins a state in a new file.
    pub(crate) fn create(path: &Path, cache_bytes: usize, space: &Arc<Space>) -> Result<Self, StoreError> {
        if path.exists() {
            return Err(StoreError::file(path, "it exists already"));
        }
        let database = space::open(path, true, cache_bytes, space)?;
        Ok(Self { database, held: Vec::new(), loaded: BTreeMap::new() })
    }

    pub(crate) fn load(&mut self, chunk: &[u8]) -> Result<(), StoreError> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(Durability::None)?;
        {
            let mut tables = Tables::open(&transaction)?;
            let mut rest = chunk;
            while !rest.is_empty() {
                let (record, after) = Record::split(rest)?;
                if record.table == META {
                    self.held.extend_from_slice(&rest[..rest.len() - after.len()]);
                } else {
                    record.insert(&mut tables)?;
                }
                *self.loaded.entry(record.table).or_default() += 1;
                rest = after;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// Completes the state and makes it durable. Fails if a table does not hold what was loaded into it.
    pub(crate) fn finish(self) -> Result<Arc<Database>, StoreError> {
        let mut transaction = self.database.begin_write()?;
        {
            let mut tables = Tables::open(&transaction)?;
            let mut rest = self.held.as_slice();
            while !rest.is_empty() {
                let (record, after) = Record::split(rest)?;
                record.insert(&mut tables)?;
                rest = after;
            }
            check_counts(&tables, &self.loaded)?;
        }
        transaction.set_quick_repair(true);
        transaction.commit()?;
        Ok(Arc::new(self.database))
    }
}

fn check_counts(tables: &Tables<'_>, loaded: &BTreeMap<u8, u64>) -> Result<(), StoreError> {
    macro_rules! visit {
        ($($number:literal => $table:ident),*) => {$(
            let (held, expected) = (tables.$table.len()?, loaded.get(&$number).copied().unwrap_or(0));
            if held != expected {
                let table = stringify!($table);
                return Err(damaged(format!("{expected} records were loaded into {table}, which holds {held}")));
            }
        )*};
    }
    for_each_table!(visit);
    Ok(())
}

fn damaged(detail: impl Into<String>) -> StoreError {
    StoreError::Damaged { table: "snapshot", detail: detail.into() }
}

/// One row of a table.
struct Record<'a> {
    table: u8,
    key: &'a [u8],
    value: &'a [u8],
}

impl<'a> Record<'a> {
    /// The first record, and what follows it.
    fn split(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), StoreError> {
        let short = || damaged("a record is cut short");
        let (table, rest) = bytes.split_first().ok_or_else(short)?;
        let (key_length, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
        let (value_length, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
        let (key, rest) = rest.split_at_checked(u32::from_be_bytes(*key_length) as usize).ok_or_else(short)?;
        let (value, rest) = rest.split_at_checked(u32::from_be_bytes(*value_length) as usize).ok_or_else(short)?;
        Ok((Self { table: *table, key, value }, rest))
    }

    fn insert(&self, tables: &mut Tables<'_>) -> Result<(), StoreError> {
        macro_rules! visit {
            ($($known:literal => $table:ident),*) => {
                match self.table {
                    $($known => insert(&mut tables.$table, self.key, self.value),)*
                    unknown => Err(damaged(format!("table {unknown} is of a newer release: upgrade this member"))),
                }
            };
        }
        for_each_table!(visit)
    }
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

/// Loads a view; returns the size of its records in bytes.
pub(crate) fn copy_into(view: View, loader: &mut Loader) -> Result<u64, StoreError> {
    let mut bytes = 0;
    drain(view, |records, _| {
        bytes += records.len() as u64;
        loader.load(records)
    })?;
    Ok(bytes)
}
