//! Sizes, rates and durations as people write them: in configuration files, environment variables and flags.

mod duration;
mod rate;
mod size;
mod text;

pub use duration::{format_duration, parse_duration};
pub use rate::ByteRate;
pub use size::{ByteSize, parse_bytes};
pub use text::UnitError;
