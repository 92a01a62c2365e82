//! A view of all tables as a stream of records, in chunks.

use std::ops::Bound;

use minicbor::{Decode, Encode};
use redb::ReadOnlyTable;

use crate::error::StoreError;
use crate::state::tables::{View, for_each_table};

/// Approximate size of a chunk in bytes.
const CHUNK_BYTES: usize = 1 << 20;

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

/// Passes the chunks of a view to `take`, each with whether it is the last, and lets go of the view.
pub(crate) fn drain<E: From<StoreError>>(
    view: View,
    mut take: impl FnMut(&[u8], bool) -> Result<(), E>,
) -> Result<(), E> {
    let mut position = Some(Position::default());
    while let Some(from) = position {
        let (records, next) = chunk(&view, from)?;
        take(&records, next.is_none())?;
        position = next;
    }
    Ok(())
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

/// The hash of a stream up to here. It covers every chunk and their order, so that no two streams are mixed, and none is
/// taken for whole that is not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub(crate) struct StreamHash(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]);

impl StreamHash {
    /// The hash up to the end of the next chunk.
    #[must_use]
    pub(crate) fn after(self, records: &[u8], is_last: bool) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0).update(&[u8::from(is_last)]).update(records);
        Self(*hasher.finalize().as_bytes())
    }
}
