//! All tables together: open for writing in one transaction, or as one consistent view.

use std::cell::OnceCell;
use std::sync::Arc;

use cairn_core::cluster_map::ClusterMap;
use redb::{Database, ReadOnlyTable, ReadTransaction, ReadableDatabase, Table, WriteTransaction};

use super::{
    abandoned, absences, bucket_settings, buckets, calls, cluster_map, counters, disk_extents, extents, findings, meta,
    noncurrent, null_versions, parts, rebuilds, reclaim, repair, sessions, uploads, usage, versions,
};
use crate::error::StoreError;

#[cfg(test)]
thread_local! {
    /// Tables that this thread has opened in views.
    pub(crate) static TABLES_OPENED: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Calls `$visit` with every table's definition and its number in snapshots, which is never reused: 45 and 50 were the
/// tables of lifecycle rules and of versioning states.
macro_rules! for_each_table {
    ($visit:ident) => {
        $visit! {
            1 => buckets, 2 => usage, 3 => versions, 4 => extents, 5 => disk_extents, 6 => uploads, 7 => parts,
            8 => reclaim, 9 => repair, 10 => sessions, 11 => counters, 12 => cluster_map, 13 => meta,
            20 => calls, 21 => rebuilds, 22 => findings, 48 => noncurrent, 49 => null_versions, 60 => abandoned,
            61 => bucket_settings
        }
    };
}
pub(crate) use for_each_table;

macro_rules! define {
    ($($number:literal => $table:ident),*) => {
        /// All tables, open for writing in one transaction.
        pub(crate) struct Tables<'t> {
            $(pub(crate) $table: Table<'t, $table::Key, $table::Value>,)*
            /// The cluster map once it was read: every commit needs it, and decoding it for each would cost more than the
            /// commit.
            map: OnceCell<Option<Arc<ClusterMap>>>,
        }

        impl<'t> Tables<'t> {
            /// Opens all tables; missing ones are created.
            pub(crate) fn open(transaction: &'t WriteTransaction) -> Result<Self, StoreError> {
                Ok(Self { $($table: transaction.open_table($table::DEFINITION)?,)* map: OnceCell::new() })
            }
        }

        impl View {
            $(
                pub(crate) fn $table(&self) -> Result<ReadOnlyTable<$table::Key, $table::Value>, StoreError> {
                    #[cfg(test)]
                    TABLES_OPENED.with(|opened| opened.set(opened.get() + 1));
                    Ok(self.transaction.open_table($table::DEFINITION)?)
                }
            )*
        }
    };
}

/// A consistent view of all tables; opens only the tables a query needs.
pub(crate) struct View {
    transaction: ReadTransaction,
}

impl View {
    /// The state as of now.
    pub(crate) fn new(database: &Database) -> Result<Self, StoreError> {
        Ok(Self { transaction: database.begin_read()? })
    }
}

for_each_table!(define);

impl Tables<'_> {
    /// The cluster map; `None` before the cluster is formed.
    pub(crate) fn map(&self) -> Result<Option<Arc<ClusterMap>>, StoreError> {
        if let Some(map) = self.map.get() {
            return Ok(map.clone());
        }
        let map = cluster_map::get(&self.cluster_map)?.map(Arc::new);
        Ok(self.map.get_or_init(|| map).clone())
    }

    pub(crate) fn set_map(&mut self, map: ClusterMap) -> Result<(), StoreError> {
        cluster_map::put(&mut self.cluster_map, &map)?;
        absences::follow(&mut self.meta, &map)?;
        self.map = OnceCell::from(Some(Arc::new(map)));
        Ok(())
    }
}
