//! One process: its roles from start to end.

mod announce;
mod embedded;
mod member_failure;
mod run;
mod running;
mod shutdown_signal;

pub use embedded::EmbeddedServer;
pub use run::run;
