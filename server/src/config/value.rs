//! The types that a key may have: how each is read and printed.

use std::path::PathBuf;
use std::time::Duration;

use cairn_core::id::MemberId;
use cairn_core::profile::FailureDomain;
use cairn_core::unit::{ByteRate, ByteSize, format_duration, parse_duration};

use super::founder::Founder;
use super::role::Role;
use super::secret::Secret;

/// A type that a key may have.
pub(super) trait Value: Sized {
    /// Whether it must not be shown.
    const IS_SECRET: bool = false;

    /// What is allowed, for errors and documentation.
    fn expected() -> String;
    /// Reads a value in the form of environment variables: lists with commas, text without quotes.
    fn from_text(text: &str) -> Option<Self>;
    fn from_toml(value: &toml::Value) -> Option<Self>;
    /// `None` if there is no value to print.
    fn to_toml(&self) -> Option<toml::Value>;
}

/// Implements [`Value`] for types whose TOML value is text. `bare` allows a bare number too, whose unit is then that of
/// the type: bytes, bytes per second, or seconds.
macro_rules! text_value {
    ($type:ty, $expected:expr, $parse:expr, $show:expr $(, $bare:ident)?) => {
        impl Value for $type {
            fn expected() -> String {
                $expected.to_owned()
            }

            fn from_text(text: &str) -> Option<Self> {
                $parse(text)
            }

            fn from_toml(value: &toml::Value) -> Option<Self> {
                match value {
                    toml::Value::String(text) => Self::from_text(text),
                    $(toml::Value::Integer($bare) => Self::from_text(&$bare.to_string()),)?
                    _ => None,
                }
            }

            fn to_toml(&self) -> Option<toml::Value> {
                Some(toml::Value::String($show(self)))
            }
        }
    };
}

text_value!(String, "text", |text: &str| Some(text.to_owned()), String::clone);
text_value!(PathBuf, "a path", |text: &str| Some(PathBuf::from(text)), |path: &PathBuf| path.display().to_string());
text_value!(Role, "gateway, metadata or storage-node", |text: &str| Role::parse(text.trim()), |role: &Role| {
    role.name().to_owned()
});
text_value!(Founder, "NUMBER=HOST:PORT, such as 2=10.0.0.2:9002", Founder::parse, Founder::to_string);
text_value!(FailureDomain, "disk, node, rack or zone", |text: &str| text.trim().parse().ok(), FailureDomain::to_string);
text_value!(ByteSize, ByteSize::EXPECTED, |text: &str| text.parse().ok(), ByteSize::to_string, bytes);
text_value!(ByteRate, ByteRate::EXPECTED, |text: &str| text.parse().ok(), ByteRate::to_string, bytes_per_s);
text_value!(
    Duration,
    "a duration such as 500ms, 10s, 2m, 1h or 30d",
    |text: &str| parse_duration(text).ok(),
    |duration: &Duration| format_duration(*duration),
    seconds
);

macro_rules! number_value {
    ($($type:ty),*) => {
        $(impl Value for $type {
            fn expected() -> String {
                "a number".to_owned()
            }

            fn from_text(text: &str) -> Option<Self> {
                text.trim().parse().ok()
            }

            fn from_toml(value: &toml::Value) -> Option<Self> {
                value.as_integer()?.try_into().ok()
            }

            fn to_toml(&self) -> Option<toml::Value> {
                i64::try_from(*self).ok().map(toml::Value::Integer)
            }
        })*
    };
}

number_value!(u8, u32, u64);

impl Value for MemberId {
    fn expected() -> String {
        "a number".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        u64::from_text(text).map(Self)
    }

    fn from_toml(value: &toml::Value) -> Option<Self> {
        u64::from_toml(value).map(Self)
    }

    fn to_toml(&self) -> Option<toml::Value> {
        self.0.to_toml()
    }
}

impl Value for bool {
    fn expected() -> String {
        "true or false".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        text.trim().parse().ok()
    }

    fn from_toml(value: &toml::Value) -> Option<Self> {
        value.as_bool()
    }

    fn to_toml(&self) -> Option<toml::Value> {
        Some(toml::Value::Boolean(*self))
    }
}

impl Value for Secret {
    const IS_SECRET: bool = true;

    fn expected() -> String {
        "text".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(Self::new(text))
    }

    fn from_toml(value: &toml::Value) -> Option<Self> {
        value.as_str().map(Self::new)
    }

    fn to_toml(&self) -> Option<toml::Value> {
        None
    }
}

impl<T: Value> Value for Option<T> {
    const IS_SECRET: bool = T::IS_SECRET;

    fn expected() -> String {
        T::expected()
    }

    fn from_text(text: &str) -> Option<Self> {
        T::from_text(text).map(Some)
    }

    fn from_toml(value: &toml::Value) -> Option<Self> {
        T::from_toml(value).map(Some)
    }

    fn to_toml(&self) -> Option<toml::Value> {
        self.as_ref().and_then(T::to_toml)
    }
}

impl<T: Value> Value for Vec<T> {
    fn expected() -> String {
        format!("a list, each item {}", T::expected())
    }

    fn from_text(text: &str) -> Option<Self> {
        text.split(',').filter(|item| !item.trim().is_empty()).map(T::from_text).collect()
    }

    fn from_toml(value: &toml::Value) -> Option<Self> {
        value.as_array()?.iter().map(T::from_toml).collect()
    }

    fn to_toml(&self) -> Option<toml::Value> {
        self.iter().map(T::to_toml).collect::<Option<_>>().map(toml::Value::Array)
    }
}
