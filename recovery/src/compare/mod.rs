//! Compares a restored metadata service with the disks.

mod comparison;
mod pass;

pub use comparison::Comparison;
