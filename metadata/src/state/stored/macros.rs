//! The declaration that all stored commands share.

/// Declares a command's layout in the log: `stored!(map CommitObject { 0 session: SessionId, … })`.
///
/// `map` and `array` are minicbor's two layouts. The numbers are part of the log's format and are never reused. The
/// wire's command of the same name converts into it field by field, so a field that only one of the two has does not
/// compile.
macro_rules! stored {
    (
        $(#[$meta:meta])*
        $layout:ident $name:ident { $($(#[$field_meta:meta])* $number:literal $field:ident: $type:ty),* $(,)? }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, ::minicbor::Encode, ::minicbor::Decode)]
        #[cbor($layout)]
        pub(crate) struct $name {
            $($(#[$field_meta])* #[n($number)] pub(crate) $field: $type,)*
        }

        impl From<::cairn_protocol::metadata::command::$name> for $name {
            fn from(wire: ::cairn_protocol::metadata::command::$name) -> Self {
                let ::cairn_protocol::metadata::command::$name { $($field),* } = wire;
                Self { $($field: $field.into()),* }
            }
        }
    };
}

pub(super) use stored;
