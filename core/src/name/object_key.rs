//! Object keys: any UTF-8 of 1 to 1,024 bytes.

use std::fmt;
use std::sync::Arc;

use crate::limits::KEY_BYTES_MAX;

/// Why a text is not an object key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ObjectKeyError {
    /// No character at all.
    #[error("an object key has at least one character")]
    Empty,
    /// More than 1,024 bytes of UTF-8.
    #[error("an object key has at most {KEY_BYTES_MAX} bytes of UTF-8, not {0}")]
    TooLong(usize),
}

/// An object's key. Cheap to clone; sorts by its UTF-8 bytes, which is S3's listing order.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey(Arc<str>);

impl ObjectKey {
    /// Accepts any UTF-8 of 1 to 1,024 bytes.
    pub fn new(key: &str) -> Result<Self, ObjectKeyError> {
        match key.len() {
            0 => Err(ObjectKeyError::Empty),
            n if n > KEY_BYTES_MAX => Err(ObjectKeyError::TooLong(n)),
            _ => Ok(Self(key.into())),
        }
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectKey({:?})", &*self.0)
    }
}

impl<C> minicbor::Encode<C> for ObjectKey {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(&self.0)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for ObjectKey {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::new(d.str()?).map_err(minicbor::decode::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_one_to_1024_bytes() {
        assert_eq!(ObjectKey::new(""), Err(ObjectKeyError::Empty));
        assert!(ObjectKey::new(&"a".repeat(1024)).is_ok());
        assert_eq!(ObjectKey::new(&"é".repeat(513)), Err(ObjectKeyError::TooLong(1026)));
    }
}
