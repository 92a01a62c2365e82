//! Random identities that never change: of clusters, nodes and disks.

use std::fmt;
use std::str::FromStr;

/// A text that is not a UUID where an identity was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a {kind} id: expected a UUID such as 0b3f6c1e-58a4-4c1c-9d57-3e1f0a7c2b44")]
pub struct IdParseError {
    /// What was parsed: `cluster`, `node` or `disk`.
    pub kind: &'static str,
    /// The text that was given.
    pub text: String,
}

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(uuid::Uuid);

        impl $name {
            /// Makes an id from 16 random bytes, and sets the version and variant bits of RFC 9562.
            pub fn from_random(bytes: [u8; 16]) -> Self {
                Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
            }

            /// Takes the bytes of an existing id as they are.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(uuid::Uuid::from_bytes(bytes))
            }

            /// The 16 bytes as they stand in headers and messages.
            pub const fn to_bytes(self) -> [u8; 16] {
                self.0.into_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdParseError;

            fn from_str(text: &str) -> Result<Self, IdParseError> {
                uuid::Uuid::from_str(text).map(Self).map_err(|_| IdParseError { kind: $kind, text: text.to_owned() })
            }
        }

        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.bytes(self.0.as_bytes())?.ok()
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                let bytes = d.bytes()?;
                let bytes = <[u8; 16]>::try_from(bytes)
                    .map_err(|_| minicbor::decode::Error::message(concat!($kind, " id is not 16 bytes")))?;
                Ok(Self::from_bytes(bytes))
            }
        }
    };
}

random_id!(
    /// A cluster. Recorded in every superblock and shard header, so that a foreign disk is recognized.
    ClusterId,
    "cluster"
);
random_id!(
    /// A process that owns disks.
    NodeId,
    "node"
);
random_id!(
    /// A disk: one directory on one mounted filesystem, named in its superblock.
    DiskId,
    "disk"
);

random_id!(
    /// One history of the metadata. Every leader draws one when its term begins, so that a store put back from an old
    /// copy differs from the one that continued.
    HistoryId,
    "history"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_from_its_text_and_its_bytes() {
        let id = DiskId::from_random([7; 16]);
        assert_eq!(id.to_string().parse::<DiskId>().unwrap(), id);
        assert_eq!(DiskId::from_bytes(id.to_bytes()), id);
        assert_eq!(minicbor::decode::<DiskId>(&minicbor::to_vec(id).unwrap()).unwrap(), id);
    }

    #[test]
    fn a_text_that_is_not_a_uuid_is_named_in_the_error() {
        let error = "disk7".parse::<DiskId>().unwrap_err();
        assert!(error.to_string().contains("\"disk7\" is not a disk id"));
    }
}
