//! The memory for records, with bounds.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use cairn_core::name::BucketName;

use super::known::KnownBucket;

/// Records by bucket. Beyond a bound the one that was not used for the longest time goes.
pub(super) struct Cache {
    entries: HashMap<BucketName, Entry>,
    /// By last use.
    order: BTreeMap<u64, BucketName>,
    uses: u64,
    bytes: usize,
    entries_max: usize,
    bytes_max: usize,
}

struct Entry {
    bucket: Arc<KnownBucket>,
    bytes: usize,
    used: u64,
}

impl Cache {
    pub(super) fn new(entries_max: usize, bytes_max: usize) -> Self {
        Self { entries: HashMap::new(), order: BTreeMap::new(), uses: 0, bytes: 0, entries_max, bytes_max }
    }

    pub(super) fn get(&mut self, name: &BucketName) -> Option<Arc<KnownBucket>> {
        let entry = self.entries.get_mut(name)?;
        self.uses += 1;
        if let Some(name) = self.order.remove(&entry.used) {
            self.order.insert(self.uses, name);
        }
        entry.used = self.uses;
        Some(Arc::clone(&entry.bucket))
    }

    /// Replaces what is kept of the bucket.
    pub(super) fn put(&mut self, name: &BucketName, bucket: Arc<KnownBucket>) {
        self.remove(name);
        self.uses += 1;
        // The name is kept twice; the rest is what the two maps take for it.
        let bytes = bucket.bytes() + 2 * name.as_str().len() + size_of::<(BucketName, Entry, u64, BucketName)>();
        self.bytes += bytes;
        self.order.insert(self.uses, name.clone());
        self.entries.insert(name.clone(), Entry { bucket, bytes, used: self.uses });
        while self.entries.len() > self.entries_max || self.bytes > self.bytes_max {
            let Some((_, oldest)) = self.order.first_key_value() else { return };
            let oldest = oldest.clone();
            self.remove(&oldest);
        }
    }

    pub(super) fn remove(&mut self, name: &BucketName) {
        if let Some(entry) = self.entries.remove(name) {
            self.order.remove(&entry.used);
            self.bytes -= entry.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cairn_core::id::{BucketId, CommitSequence};
    use cairn_core::version::Versioning;
    use cairn_protocol::metadata::query::StampedDocument;
    use cairn_protocol::metadata::settings::{BucketRecord, DocumentStamp, SettingDocument, SettingKind};

    use super::*;

    fn name(n: usize) -> BucketName {
        BucketName::new(&format!("bucket-{n}")).unwrap()
    }

    fn bucket(document_bytes: Option<usize>) -> Arc<KnownBucket> {
        let (kind, revision) = (SettingKind::LIFECYCLE, CommitSequence(7));
        let document = |bytes| SettingDocument { format: 1, bytes: vec![0x80; bytes] };
        let documents = document_bytes.map(|bytes| StampedDocument { kind, revision, document: document(bytes) });
        let record = BucketRecord {
            id: BucketId(1),
            revision,
            created_ms: 0,
            region: String::new(),
            versioning: Versioning::Unversioned,
            documents: documents.iter().map(|_| DocumentStamp { kind, revision }).collect(),
        };
        Arc::new(KnownBucket::of(record, documents.into_iter().collect(), None, Duration::ZERO).unwrap())
    }

    fn kept(cache: &mut Cache, of: usize) -> Vec<usize> {
        // Looking a record up would be a use of it.
        (0..of).filter(|n| cache.entries.contains_key(&name(*n))).collect()
    }

    fn check_sums(cache: &Cache) {
        assert_eq!(cache.bytes, cache.entries.values().map(|entry| entry.bytes).sum::<usize>());
        assert_eq!(cache.order.len(), cache.entries.len());
    }

    #[test]
    fn the_number_of_records_is_bounded_and_the_least_used_go_first() {
        let mut cache = Cache::new(3, usize::MAX);
        for n in 0..3 {
            cache.put(&name(n), bucket(None));
        }
        assert!(cache.get(&name(0)).is_some());
        cache.put(&name(3), bucket(None));
        assert_eq!(kept(&mut cache, 4), [0, 2, 3], "1 was not used for the longest time");
        cache.put(&name(2), bucket(None));
        cache.put(&name(4), bucket(None));
        assert_eq!(kept(&mut cache, 5), [2, 3, 4].map(|n| n), "replacing is a use");
        check_sums(&cache);
        for n in 0..5 {
            cache.remove(&name(n));
        }
        assert_eq!((cache.bytes, cache.order.len()), (0, 0));
    }

    #[test]
    fn the_bytes_of_records_and_documents_are_bounded() {
        let mut cache = Cache::new(1000, 100_000);
        for n in 0..20 {
            cache.put(&name(n), bucket(Some(10_000)));
            assert!(cache.bytes <= 100_000);
            check_sums(&cache);
        }
        assert_eq!(kept(&mut cache, 20), (11..20).collect::<Vec<_>>(), "nine documents of 10,000 bytes fit");
        cache.put(&name(20), bucket(Some(100_000)));
        assert_eq!(kept(&mut cache, 21), [] as [usize; 0], "one that is too large is not kept");
        check_sums(&cache);
    }
}
