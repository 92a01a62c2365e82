//! Stored commands on buckets.

use cairn_core::name::BucketName;
use cairn_core::version::Versioning;

use super::macros::stored;

stored!(map CreateBucket { 0 name: BucketName, 1 region: String });
stored!(map DeleteBucket { 0 name: BucketName });
stored!(map SetVersioning { 0 bucket: BucketName, 1 versioning: Versioning });
