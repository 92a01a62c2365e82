//! Object keys: any UTF-8 of 1 to 1,024 bytes.

use std::sync::Arc;

use crate::limits::KEY_BYTES_MAX;

/// Why a text is not an object key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ObjectKeyError {
    /// It is empty.
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

super::text_codec!(ObjectKey, new);

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
