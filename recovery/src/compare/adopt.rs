//! Bodies come back into the namespace.

use std::sync::Arc;

use cairn_core::etag::ETag;
use cairn_core::storage_class::StorageClass;
use cairn_gateway::body::{BodyHasher, ChecksumSet};
use cairn_gateway::data::DataPath;
use cairn_protocol::metadata::command::{AdoptObject, AdoptedBody, AdoptedPart, Adoption};
use cairn_protocol::metadata::query::{Finding, FindingKind};
use cairn_protocol::metadata::{Metadata, MetadataError, MetadataExt};

use super::findings;
use super::uploads::{FoundPart, UploadKey};
use crate::disks::{FoundBody, etag_of_body};

/// What adoptions need.
#[derive(Clone)]
pub(super) struct Adopter {
    pub(super) metadata: Arc<dyn Metadata>,
    pub(super) path: DataPath,
}

/// What came of an adoption.
pub(super) enum Adopted {
    /// It is in the namespace, or was already.
    Done,
    /// The key holds something newer.
    Superseded(Box<AdoptObject>),
    /// It cannot be read, and is listed.
    Unreadable(Finding),
}

impl Adopter {
    /// Reads a body, and adopts it as an object.
    pub(super) async fn adopt_body(self, body: FoundBody) -> Result<Adopted, MetadataError> {
        let etag = match etag_of_body(&self.path, &body).await {
            Ok(etag) => etag,
            Err(error) => return Ok(unreadable(&body, FindingKind::Incomplete, &error.to_string())),
        };
        let FoundBody { descriptor, placed } = body;
        let command = AdoptObject {
            bucket: descriptor.bucket,
            key: descriptor.key,
            body: AdoptedBody::Run(placed),
            etag,
            headers: descriptor.headers,
            written_ms: descriptor.written_at_ms,
            replaces_unreadable: false,
            storage_class: descriptor.storage_class,
        };
        self.adopt(command).await
    }

    /// Reads the parts of an upload, and adopts them as an object.
    pub(super) async fn adopt_upload(self, key: UploadKey, parts: Vec<FoundPart>) -> Result<Adopted, MetadataError> {
        let UploadKey { bucket, key, upload } = key;
        let mut tags = BodyHasher::new(ChecksumSet::default());
        let mut adopted = Vec::with_capacity(parts.len());
        let (mut headers, mut written_ms, mut storage_class) = (Vec::new(), 0, StorageClass::Standard);
        for FoundPart { number, body } in parts {
            let etag = match etag_of_body(&self.path, &body).await {
                Ok(etag) => etag,
                Err(error) => return Ok(unreadable(&body, FindingKind::Upload, &error.to_string())),
            };
            tags.update(&etag.md5);
            written_ms = written_ms.max(body.descriptor.written_at_ms);
            headers = body.descriptor.headers;
            storage_class = body.descriptor.storage_class;
            adopted.push(AdoptedPart { number, etag, body: body.placed });
        }
        let etag = ETag { md5: tags.finish().md5, parts: Some(adopted.len() as u32) };
        let body = AdoptedBody::Parts(upload, adopted);
        let replaces_unreadable = false;
        self.adopt(AdoptObject { bucket, key, body, etag, headers, written_ms, replaces_unreadable, storage_class })
            .await
    }

    async fn adopt(&self, command: AdoptObject) -> Result<Adopted, MetadataError> {
        match self.metadata.run(command.clone()).await? {
            Adoption::Adopted | Adoption::Known => Ok(Adopted::Done),
            Adoption::Superseded => Ok(Adopted::Superseded(Box::new(command))),
        }
    }
}

fn unreadable(body: &FoundBody, kind: FindingKind, why: &str) -> Adopted {
    Adopted::Unreadable(findings::body(body, kind, why))
}
