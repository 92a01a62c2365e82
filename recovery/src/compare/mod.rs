//! Compares a restored metadata service with the disks, until nothing is left to compare: whole bodies that the namespace
//! does not know come back from the descriptors of their shards (I16), and everything else that differs is listed and
//! kept. Runs where the leading member runs.

mod adopt;
mod comparison;
mod error;
mod findings;
mod known;
mod pass;
mod stable_disks;
mod uploads;

pub use comparison::Comparison;
