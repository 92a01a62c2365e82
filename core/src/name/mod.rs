//! Validated names: of buckets and of object keys.

/// Displays and encodes a name as text, and checks it again when it is decoded.
macro_rules! text_codec {
    ($name:ident, $read:ident) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({:?})", stringify!($name), &*self.0)
            }
        }

        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.str(&self.0)?.ok()
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                Self::$read(d.str()?).map_err(minicbor::decode::Error::custom)
            }
        }
    };
}
use text_codec;

mod bucket_name;
mod object_key;

pub use bucket_name::{BucketName, BucketNameError};
pub use object_key::{ObjectKey, ObjectKeyError};
