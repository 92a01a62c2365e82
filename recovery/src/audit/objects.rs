//! The objects that an audit has seen so far.

use std::collections::BTreeMap;

use cairn_metadata::offline::RecordedObject;

use super::health::{Amount, AtRisk, ObjectAtRisk};

/// Objects that a report lists.
const LISTED_MAX: usize = 1000;

/// Further losses that an extent survives; `None` if it cannot be read. The lower, the worse.
pub(super) type Spare = Option<u8>;

/// The objects that an audit has seen so far.
#[derive(Default)]
pub(super) struct Objects {
    pub(super) whole: Amount,
    pub(super) at_risk: BTreeMap<u8, Amount>,
    pub(super) lost: Amount,
    /// Objects at risk or lost; after [`Objects::keep_the_worst`] in order.
    pub(super) listed: Vec<ObjectAtRisk>,
}

impl Objects {
    /// Adds an object by its worst extent that lacks shards; `None` if it has none.
    pub(super) fn add(&mut self, object: &RecordedObject, worst: Option<Spare>) {
        let amount = match worst {
            None => &mut self.whole,
            Some(None) => &mut self.lost,
            Some(Some(spare)) => self.at_risk.entry(spare).or_default(),
        };
        amount.objects += 1;
        amount.bytes += object.size;
        if let Some(spare) = worst {
            self.listed.push(ObjectAtRisk { bucket: object.bucket.clone(), key: object.key.clone(), spare });
            if self.listed.len() >= 2 * LISTED_MAX {
                self.keep_the_worst();
            }
        }
    }

    /// Orders the list, worst first, and cuts it to what a report lists.
    pub(super) fn keep_the_worst(&mut self) {
        self.listed.sort_by(|a, b| (a.spare, &a.bucket, &a.key).cmp(&(b.spare, &b.bucket, &b.key)));
        self.listed.truncate(LISTED_MAX);
    }

    pub(super) fn at_risk(&self) -> Vec<AtRisk> {
        self.at_risk.iter().map(|(spare, amount)| AtRisk { spare: *spare, amount: *amount }).collect()
    }
}
