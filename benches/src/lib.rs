//! Micro-benchmarks of the parts that limit throughput, each figure beside the limit measured in the same run.

pub mod metadata;
mod rate;
mod rounds;

pub use rate::{Rate, Unit, print_beside_limit};
pub use rounds::rounds;
