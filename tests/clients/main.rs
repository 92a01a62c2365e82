//! Real S3 clients at their default settings against the running server.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod aws_cli;
mod boto3;
mod rclone;
mod restic;
mod s3cmd;
mod tree;
