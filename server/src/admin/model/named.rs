//! Enums that are names in JSON and in the tables that people read.

/// Declares an enum of names. It gets a variant `Unknown` too, which stands for every name that only a newer version
/// knows.
macro_rules! named {
    ($(#[$about:meta])* $visibility:vis enum $type:ident { $($(#[$note:meta])* $variant:ident = $name:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        $visibility enum $type {
            $($(#[$note])* #[serde(rename = $name)] $variant,)+
            /// A name that only a newer version knows.
            #[default]
            #[serde(rename = "unknown", other)]
            Unknown,
        }

        impl $type {
            /// The name in JSON and in tables.
            $visibility const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                    Self::Unknown => "unknown",
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

pub(super) use named;

#[cfg(test)]
mod tests {
    named! {
        enum Colour {
            Red = "red",
            DarkBlue = "dark blue",
        }
    }

    #[test]
    fn names_are_the_same_in_json_and_in_tables() {
        for (colour, json) in [(Colour::Red, "\"red\""), (Colour::DarkBlue, "\"dark blue\"")] {
            assert_eq!(serde_json::to_string(&colour).unwrap(), json);
            assert_eq!(serde_json::from_str::<Colour>(json).unwrap(), colour);
            assert_eq!(format!("\"{colour}\""), json);
        }
    }

    #[test]
    fn names_of_a_newer_version_are_unknown() {
        assert_eq!(serde_json::from_str::<Colour>("\"green\"").unwrap(), Colour::Unknown);
        assert_eq!(serde_json::to_string(&Colour::Unknown).unwrap(), "\"unknown\"");
        assert!(serde_json::from_str::<Colour>("7").is_err());
    }
}
