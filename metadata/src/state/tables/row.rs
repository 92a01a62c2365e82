//! The encoding of rows: CBOR arrays with numbered fields, so that a later release may add a field at the end.

use minicbor::{Decode, Encode};

use crate::error::StoreError;

/// A table's value, with the table's name for errors.
pub(crate) trait Row: Encode<()> + for<'b> Decode<'b, ()> {
    const TABLE: &'static str;

    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        // Writing to a Vec cannot fail.
        let _ = minicbor::encode(self, &mut out);
        out
    }

    fn read(bytes: &[u8]) -> Result<Self, StoreError> {
        minicbor::decode(bytes).map_err(|e| StoreError::Damaged { table: Self::TABLE, detail: e.to_string() })
    }
}

/// The smallest byte string that sorts after every string starting with `prefix`; `None` if there is none.
pub(crate) fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut next = prefix.to_vec();
    while let Some(last) = next.pop() {
        if let Some(up) = last.checked_add(1) {
            next.push(up);
            return Some(next);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_successor_bounds_exactly_the_prefix(prefix in proptest::collection::vec(any::<u8>(), 0..6), other in proptest::collection::vec(any::<u8>(), 0..8)) {
            let below = successor(&prefix).is_none_or(|next| other < next);
            prop_assert_eq!(other >= prefix && below, other.starts_with(&prefix));
        }
    }
}
