//! S3's storage classes.

use crate::by_number::by_number;

/// A storage class of S3 whose objects are readable at once. Source: S3 user guide, "Understanding and managing Amazon S3
/// storage classes".
///
/// The operator decides how a class is coded, with a [`crate::cluster_map::ProfileRule`]; without one all classes are coded
/// alike. The classes that need RestoreObject first (`GLACIER`, `DEEP_ARCHIVE`), and those of other products (`OUTPOSTS`,
/// `EXPRESS_ONEZONE`, `SNOW`), are refused instead of being accepted and ignored.
///
/// Rows and messages leave out [`StorageClass::Standard`], so that data from before there were classes is of that class, and
/// data of that class has not changed. An unknown number is an error and not the default; otherwise writing a row again
/// would silently change an object's class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum StorageClass {
    /// `STANDARD`, the default.
    #[default]
    Standard = 0,
    /// `REDUCED_REDUNDANCY`
    ReducedRedundancy = 1,
    /// `STANDARD_IA`
    StandardIa = 2,
    /// `ONEZONE_IA`
    OnezoneIa = 3,
    /// `INTELLIGENT_TIERING`
    IntelligentTiering = 4,
    /// `GLACIER_IR`
    GlacierIr = 5,
}

impl StorageClass {
    /// All classes by number.
    pub const ALL: [Self; 6] = [
        Self::Standard,
        Self::ReducedRedundancy,
        Self::StandardIa,
        Self::OnezoneIa,
        Self::IntelligentTiering,
        Self::GlacierIr,
    ];

    /// The class that S3 calls `name`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// S3's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Standard => "STANDARD",
            Self::ReducedRedundancy => "REDUCED_REDUNDANCY",
            Self::StandardIa => "STANDARD_IA",
            Self::OnezoneIa => "ONEZONE_IA",
            Self::IntelligentTiering => "INTELLIGENT_TIERING",
            Self::GlacierIr => "GLACIER_IR",
        }
    }
}

impl std::fmt::Display for StorageClass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

by_number!(StorageClass, "storage class");

#[cfg(test)]
mod tests {
    use minicbor::{Decode, Encode};

    use super::*;

    #[derive(Debug, PartialEq, Eq, Encode, Decode)]
    #[cbor(map)]
    struct Message {
        #[n(0)]
        class: StorageClass,
        #[n(1)]
        wanted: Option<StorageClass>,
    }

    #[derive(Debug, PartialEq, Eq, Encode, Decode)]
    struct Row {
        #[n(0)]
        size: u64,
        #[n(1)]
        class: StorageClass,
    }

    /// I30: numbers and names never change.
    #[test]
    fn every_class_has_its_number_and_its_name() {
        let names =
            ["STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR"];
        for ((number, class), name) in (0u8..).zip(StorageClass::ALL).zip(names) {
            assert_eq!((class as u8, class.to_string(), StorageClass::parse(name)), (number, name.into(), Some(class)));
            assert_eq!(minicbor::to_vec(class).unwrap(), [number]);
            assert_eq!(minicbor::decode::<StorageClass>(&[number]).unwrap(), class);
        }
        for other in ["", "standard", "GLACIER", "DEEP_ARCHIVE", "OUTPOSTS", "EXPRESS_ONEZONE", "SNOW"] {
            assert_eq!(StorageClass::parse(other), None, "{other}");
        }
    }

    /// I30: what the previous release wrote is of class STANDARD, and that class is still encoded as before.
    #[test]
    fn absent_classes_read_as_standard() {
        let plain = Message { class: StorageClass::Standard, wanted: None };
        assert_eq!(minicbor::to_vec(&plain).unwrap(), [0xa0]);
        assert_eq!(minicbor::decode::<Message>(&[0xa0]).unwrap(), plain);
        assert_eq!(minicbor::to_vec(&Row { size: 7, class: StorageClass::Standard }).unwrap(), [0x81, 7]);
        assert_eq!(minicbor::decode::<Row>(&[0x81, 7]).unwrap(), Row { size: 7, class: StorageClass::Standard });
        for class in StorageClass::ALL {
            let message = Message { class, wanted: Some(class) };
            assert_eq!(minicbor::decode::<Message>(&minicbor::to_vec(&message).unwrap()).unwrap(), message);
            let row = Row { size: 1, class };
            assert_eq!(minicbor::decode::<Row>(&minicbor::to_vec(&row).unwrap()).unwrap(), row);
        }
    }

    /// I30: a later release's class is refused, never mistaken for another.
    #[test]
    fn an_unknown_class_is_an_error_and_not_standard() {
        assert!(minicbor::decode::<Row>(&[0x82, 7, 6]).is_err());
        assert!(minicbor::decode::<Message>(&[0xa1, 0, 6]).is_err());
        assert!(minicbor::decode::<Message>(&[0xa1, 1, 6]).is_err());
    }
}
