//! Parts of multipart uploads that lie on the disks, and whether they made an object.

use std::collections::{BTreeMap, HashMap};

use cairn_core::id::{PartNumber, UploadId};
use cairn_core::limits::PART_BYTES_MIN;
use cairn_core::name::{BucketName, ObjectKey};
use cairn_protocol::metadata::query::{Finding, FindingKind};

use super::findings;
use crate::disks::FoundBody;

/// Parts that are remembered. What goes beyond is listed and kept.
const PARTS_MAX: usize = 200_000;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct UploadKey {
    pub(super) bucket: BucketName,
    pub(super) key: ObjectKey,
    pub(super) upload: UploadId,
}

/// A part by its number.
pub(super) struct FoundPart {
    pub(super) number: PartNumber,
    pub(super) body: FoundBody,
}

/// The parts that were found so far. A part may have been uploaded more than once.
#[derive(Default)]
pub(super) struct FoundUploads {
    parts: HashMap<UploadKey, BTreeMap<u32, Vec<FoundBody>>>,
    held: usize,
}

impl FoundUploads {
    /// Remembers a part; returns the finding if there is no room for it.
    pub(super) fn add(&mut self, upload: UploadId, number: PartNumber, body: FoundBody) -> Option<Finding> {
        if self.held >= PARTS_MAX {
            return Some(findings::body(&body, FindingKind::Upload, "more parts than one comparison can remember"));
        }
        self.held += 1;
        let key = UploadKey { bucket: body.descriptor.bucket.clone(), key: body.descriptor.key.clone(), upload };
        self.parts.entry(key).or_default().entry(number.get()).or_default().push(body);
        None
    }

    /// Everything that was found, upload by upload.
    pub(super) fn take(&mut self) -> impl Iterator<Item = (UploadKey, NewestParts)> + use<> {
        std::mem::take(&mut self.parts).into_iter().map(|(key, parts)| (key, NewestParts::of(parts)))
    }
}

/// The parts of an upload: of each number the newest, and those that it replaced.
pub(super) struct NewestParts {
    pub(super) chosen: Vec<FoundPart>,
    pub(super) older: Vec<FoundBody>,
}

impl NewestParts {
    fn of(parts: BTreeMap<u32, Vec<FoundBody>>) -> Self {
        let (mut chosen, mut older) = (Vec::new(), Vec::new());
        for (number, mut bodies) in parts {
            bodies.sort_by_key(|body| (body.descriptor.written_at_ms, body.placed.run.first));
            if let (Some(body), Ok(number)) = (bodies.pop(), PartNumber::new(u64::from(number))) {
                chosen.push(FoundPart { number, body });
            }
            older.extend(bodies);
        }
        Self { chosen, older }
    }

    /// Why these parts cannot have made an object; `None` if they can.
    pub(super) fn gap(&self) -> Option<&'static str> {
        let is_consecutive = (1u32..).zip(&self.chosen).all(|(n, part)| part.number.get() == n);
        let is_large = |part: &FoundPart| part.body.placed.run.size >= PART_BYTES_MIN;
        let all_but_the_last_are_large = self.chosen.split_last().is_none_or(|(_, others)| others.iter().all(is_large));
        if !is_consecutive {
            Some("a part between the others is missing, or never existed")
        } else if !all_but_the_last_are_large {
            Some("a part before the last is too small for a completed upload")
        } else {
            None
        }
    }
}
