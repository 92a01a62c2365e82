//! The macro that turns the table of keys into types and code.

/// Declares all sections and their keys. From one entry come the field of the section, the field of the layer of one
/// source, the environment variable, the line of the printed configuration and the row of the reference.
///
/// ```text
/// /// What the key means: documentation and reference.
/// name: Type = DEFAULT, shown "the default in words", range 1..=100, flat old_name, flag "--flag";
/// ```
///
/// All after the default is optional. `DEFAULT` may use the merged layer, under the name between the bars.
macro_rules! sections {
    (|$layer:ident| $(
        $(#[doc = $section_doc:literal])+
        [$section:ident] $Section:ident {
            $(
                $(#[doc = $doc:literal])+
                $key:ident: $type:ty = $default:expr
                    $(, shown $shown:literal)? $(, range $range:expr)? $(, flat $flat:ident)? $(, flag $flag:literal)?;
            )+
        }
    )+) => {
        $(
            $(#[doc = $section_doc])+
            #[derive(Debug, Clone, PartialEq, Eq)]
            pub struct $Section {
                $($(#[doc = $doc])+ pub $key: $type,)+
            }
        )+

        /// The whole configuration of one process.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Config {
            $(pub $section: $Section,)+
        }

        /// The sections as one source sets them: every key may be absent.
        pub mod partial {
            use super::*;

            $(
                #[derive(Debug, Clone, Default)]
                pub struct $Section {
                    $(pub $key: Option<$type>,)+
                }
            )+
        }

        /// The values that one source sets.
        #[derive(Debug, Clone, Default)]
        pub struct Layer {
            $(pub $section: partial::$Section,)+
        }

        impl Layer {
            /// The values of `self`, and those of `below` where `self` sets none.
            #[must_use]
            pub(super) fn over(self, below: Self) -> Self {
                Self {
                    $($section: partial::$Section {
                        $($key: self.$section.$key.or(below.$section.$key),)+
                    },)+
                }
            }

            /// The configuration, with defaults where this sets nothing.
            pub(super) fn resolve(&self) -> Config {
                let $layer = self;
                Config {
                    $($section: $Section {
                        $($key: $layer.$section.$key.clone().unwrap_or_else(|| $default),)+
                    },)+
                }
            }
        }

        pub(super) const SECTIONS: &[Section] = &[
            $(Section { name: stringify!($section), doc: concat!($($section_doc),+) },)+
        ];

        /// Every key of every section, in the order of the reference.
        pub const KEYS: &[Key<Layer, Config>] = &[
            $($(Key {
                section: stringify!($section),
                name: stringify!($key),
                flat: sections!(@option $(stringify!($flat))?),
                flag: sections!(@option $($flag)?),
                doc: concat!($($doc),+),
                is_secret: <$type as Value>::IS_SECRET,
                range: || sections!(@option $(range_text::<$type>(&($range)))?),
                default: || {
                    #[allow(unused_variables, reason = "most defaults depend on no other key")]
                    let $layer = &Layer::default();
                    sections!(@shown $type, $default $(, $shown)?)
                },
                is_set: |layer| layer.$section.$key.is_some(),
                set: |layer, raw| {
                    let value = read::<$type>(raw)?;
                    $(let value = check_range(value, &($range))?;)?
                    layer.$section.$key = Some(value);
                    Ok(())
                },
                print: |config| config.$section.$key.to_toml(),
            },)+)+
        ];
    };
    (@option) => { None };
    (@option $value:expr) => { Some($value) };
    (@shown $type:ty, $default:expr) => { shown::<$type>(&$default) };
    (@shown $type:ty, $default:expr, $shown:literal) => { $shown.to_owned() };
}

pub(super) use sections;
