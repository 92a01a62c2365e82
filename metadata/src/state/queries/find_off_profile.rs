//! See [`FindOffProfile`].

use std::collections::HashMap;

use cairn_core::cluster_map::ClusterMap;
use cairn_core::descriptor::PartOf;
use cairn_core::id::{BucketId, CommitSequence, PartNumber, ProfileId};
use cairn_core::limits::TINY_OBJECT_BYTES_MAX;
use cairn_core::name::{BucketName, ObjectKey};
use cairn_core::placement::choose;
use cairn_core::storage_class::StorageClass;
use cairn_protocol::metadata::content::Content;
use cairn_protocol::metadata::query::{BodyPosition, FindOffProfile, OffProfileBody, OffProfilePage};
use redb::ReadableTable;

use crate::error::StoreError;
use crate::state::tables::AllVersions;
use crate::state::tables::buckets::BucketRow;
use crate::state::tables::versions::VersionRow;
use crate::state::tables::{Row, View, cluster_map, extents, parts, rebalance, sessions};

/// Maximum number of versions and parts that one query reads.
const ROWS_PER_QUERY: usize = 2000;
/// Page size limit.
const BODIES_MAX: usize = 100;

/// The next off-profile bodies. Empty unless the caller is the gateway that re-encodes.
pub(super) fn find_off_profile(view: &View, query: &FindOffProfile) -> Result<OffProfilePage, StoreError> {
    let running = rebalance::running(&view.meta()?)?.filter(|record| record.reencodes);
    let oldest = view.sessions()?.first()?.map(|(session, _)| session.value());
    let (Some(record), Some(map)) = (running, cluster_map::get(&view.cluster_map()?)?) else {
        return Ok(OffProfilePage::default());
    };
    if oldest != Some(query.session.0) || !sessions::is_open(&view.sessions()?, query.session)? {
        return Ok(OffProfilePage::default());
    }
    let mut search = Search {
        view,
        map: &map,
        names: names(view)?,
        wanted: HashMap::new(),
        rows: ROWS_PER_QUERY,
        bodies: Vec::new(),
        bodies_max: BODIES_MAX.min(query.limit.max(1) as usize),
    };
    let next = search.run(query.from.clone())?;
    let (rebalance, bytes_per_s_max) = (Some(record.id), record.bytes_per_s_max);
    Ok(OffProfilePage { rebalance, is_waiting: false, bytes_per_s_max, bodies: search.bodies, next })
}

fn names(view: &View) -> Result<HashMap<BucketId, BucketName>, StoreError> {
    let mut names = HashMap::new();
    for entry in view.buckets()?.iter()? {
        let (name, row) = entry?;
        if let Some(name) = std::str::from_utf8(name.value()).ok().and_then(|name| BucketName::new(name).ok()) {
            names.insert(BucketRow::read(row.value())?.id, name);
        }
    }
    Ok(names)
}

struct Search<'a> {
    view: &'a View,
    map: &'a ClusterMap,
    names: HashMap<BucketId, BucketName>,
    /// The profile that small and larger objects of each bucket and storage class would get now.
    wanted: HashMap<(BucketId, StorageClass, bool), Option<ProfileId>>,
    rows: usize,
    bodies: Vec<OffProfileBody>,
    bodies_max: usize,
}

impl Search<'_> {
    /// Walks the versions; returns where the next query continues.
    fn run(&mut self, from: Option<BodyPosition>) -> Result<Option<BodyPosition>, StoreError> {
        let start = from.unwrap_or(BodyPosition { bucket: 0, key: String::new(), version: 0, part: 0 });
        for entry in AllVersions::range(self.view, (start.bucket, start.key.as_bytes(), start.version)..)? {
            let (key, row) = entry?;
            let (bucket, key, version) = key.value();
            let Ok(text) = std::str::from_utf8(key) else { continue };
            let mut here = BodyPosition { bucket, key: text.to_owned(), version, part: 0 };
            if self.is_full() {
                return Ok(Some(here));
            }
            self.rows -= 1;
            let name = self.names.get(&BucketId(bucket)).cloned();
            let (Some(name), Ok(key)) = (name, ObjectKey::new(text)) else { continue };
            let row = VersionRow::read(row.value())?;
            let is_first = (bucket, text, version) == (start.bucket, start.key.as_str(), start.version);
            let body = |run| OffProfileBody {
                bucket: name.clone(),
                key: key.clone(),
                sequence: CommitSequence(!version),
                part: None,
                run,
                wanted: ProfileId(0),
                last_modified_ms: row.last_modified_ms,
                headers: row.headers.clone(),
                storage_class: row.storage_class,
            };
            match row.content {
                Content::Empty => {}
                Content::Run(run) => self.look(BucketId(bucket), body(run))?,
                Content::Parts(upload) => {
                    let part = if is_first { start.part } else { 0 };
                    for entry in parts::from(&self.view.parts()?, upload, part)? {
                        let (number, part) = entry?;
                        if self.is_full() {
                            here.part = number;
                            return Ok(Some(here));
                        }
                        self.rows -= 1;
                        if let (Some(run), Ok(number)) = (part.run, PartNumber::new(u64::from(number))) {
                            let part = Some(PartOf { upload, number });
                            self.look(BucketId(bucket), OffProfileBody { part, ..body(run) })?;
                        }
                    }
                }
            }
        }
        Ok(None)
    }

    fn is_full(&self) -> bool {
        self.rows == 0 || self.bodies.len() >= self.bodies_max
    }

    /// Adds a body if one of its extents has another profile than a new one would get.
    fn look(&mut self, bucket: BucketId, body: OffProfileBody) -> Result<(), StoreError> {
        let Some(wanted) = self.wanted(bucket, &body) else { return Ok(()) };
        let table = self.view.extents()?;
        for id in body.run.ids() {
            if extents::get(&table, id)?.is_some_and(|row| row.profile != wanted) {
                self.bodies.push(OffProfileBody { wanted, ..body });
                return Ok(());
            }
        }
        Ok(())
    }

    /// The profile that such a body would get now; `None` if the disks can carry neither the chosen profile nor any
    /// other.
    fn wanted(&mut self, bucket: BucketId, body: &OffProfileBody) -> Option<ProfileId> {
        let (map, name, class, run) = (self.map, Some(&body.bucket), body.storage_class, &body.run);
        let rule = map.rule(name, Some(class));
        let is_small = run.size <= rule.map_or(TINY_OBJECT_BYTES_MAX, |rule| rule.small_bytes_max);
        *self.wanted.entry((bucket, class, is_small)).or_insert_with(|| {
            let (profile, _) = choose(map, name, Some(class), run.size, run.first, |_| true).ok()?;
            rule.is_none_or(|rule| rule.pick(run.size) == profile.id).then_some(profile.id)
        })
    }
}

#[cfg(test)]
mod tests {
    use cairn_core::limits::PART_BYTES_MIN;
    use cairn_core::profile::FailureDomain;
    use cairn_protocol::metadata::command::{CommitObject, ProfileShape, SetClassProfile, SetProfile, StartRebalance};

    use super::*;
    use crate::state::commands::testing::{State, registration};

    fn ask(state: &State, limit: u32) -> Vec<(String, Option<u32>)> {
        let mut found = Vec::new();
        let mut from = None;
        loop {
            let query = FindOffProfile { session: state.session(), from, limit };
            let page = find_off_profile(&state.view(), &query).unwrap();
            let part = |body: &OffProfileBody| body.part.map(|part| part.number.get());
            found.extend(page.bodies.iter().map(|body| (body.key.as_str().to_owned(), part(body))));
            from = page.next;
            if from.is_none() {
                return found;
            }
        }
    }

    #[test]
    fn off_profile_bodies_are_found_once() {
        let state = State::with_bucket();
        state.apply(registration(1, 4)).unwrap();
        for n in 0..5 {
            state.put(&format!("k{n}"), 100);
        }
        let upload = state.create_upload("parts");
        state.put_part("parts", upload, 1, PART_BYTES_MIN);
        state.put_part("parts", upload, 2, 100);
        state.apply(state.completion("parts", upload, &[1, 2])).unwrap();
        assert_eq!(ask(&state, 9), [], "nothing is under way");
        state.apply(StartRebalance { bytes_per_s_max: None, reencodes: true }).unwrap();
        // The bodies of these tests are plain copies, which is right for small ones only.
        assert_eq!(ask(&state, 9), [("parts".to_owned(), Some(1))]);
        let shape = |data_shards, parity_shards| {
            let failure_domain = FailureDomain::Disk;
            ProfileShape { data_shards, parity_shards, cell_bytes: 65_536, write_quorum: 2, failure_domain }
        };
        let shapes = Some((shape(1, 2), shape(1, 3)));
        state.apply(SetProfile { bucket: Some(state.bucket()), shapes, small_bytes_max: 100 }).unwrap();
        let mut all: Vec<_> = (0..5).map(|n| (format!("k{n}"), None)).collect();
        // From here on larger bodies are to be plain copies, and the first part is one already.
        all.push(("parts".to_owned(), Some(2)));
        for limit in [1, 2, 100] {
            assert_eq!(ask(&state, limit), all, "{limit} at a time");
        }
        let later = state.open_session(7);
        let query = FindOffProfile { session: later, from: None, limit: 9 };
        assert_eq!(
            find_off_profile(&state.view(), &query).unwrap(),
            OffProfilePage::default(),
            "one gateway at a time"
        );
    }
    #[test]
    fn a_body_is_compared_with_the_rule_of_its_class() {
        let state = State::with_bucket();
        state.apply(registration(1, 4)).unwrap();
        let class = StorageClass::ReducedRedundancy;
        state.put("as-ever", 100);
        state.apply(CommitObject { storage_class: class, ..state.commit("reduced", Some(state.body(100))) }).unwrap();
        let upload = state.create_upload_as("parts", class);
        state.put_part("parts", upload, 1, 100);
        state.apply(state.completion("parts", upload, &[1])).unwrap();
        state.apply(StartRebalance { bytes_per_s_max: None, reencodes: true }).unwrap();
        assert_eq!(ask(&state, 9), []);
        let shape = |parity_shards| {
            let failure_domain = FailureDomain::Disk;
            ProfileShape { data_shards: 1, parity_shards, cell_bytes: 65_536, write_quorum: 2, failure_domain }
        };
        let rule = SetProfile { bucket: None, shapes: Some((shape(1), shape(1))), small_bytes_max: 100 };
        state.apply(SetClassProfile { class, rule: rule.clone() }).unwrap();
        assert_eq!(ask(&state, 9), [("parts".to_owned(), Some(1)), ("reduced".to_owned(), None)]);
        // The bucket's own rule comes before that of the class.
        let shapes = Some((shape(2), shape(2)));
        state.apply(SetProfile { bucket: Some(state.bucket()), shapes, ..rule }).unwrap();
        assert_eq!(ask(&state, 9), []);
    }
}
