//! The `cairn` command: starts the server, calls the admin API, measures S3 endpoints.
//!
//! A verb is one file under [`commands`]. Verbs that talk to a server use one of two clients over the same lean
//! HTTP/1.1 connection ([`http`]): [`admin`] for the admin API and [`s3`] for S3 itself, which the load benchmark and
//! the project's tests share. Data goes to standard output and everything else to standard error.

pub mod admin;
pub mod commands;
pub mod http;
pub mod s3;
pub mod unit;
