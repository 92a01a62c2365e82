//! Forms a new cluster: its first entry, and the note in the directory that it is formed.

use std::sync::Arc;

use cairn_core::id::{ClusterId, MemberId};
use cairn_core::profile::Profile;
use cairn_core::random::RandomSource;

use crate::directory::{Directory, StartError};
use crate::leader::Leader;
use crate::options::Options;
use crate::raft::admission::Admission;
use crate::raft::proposal::Change;
use crate::state::commands::Bootstrap;
use crate::state::tables::members::MembershipRecord;

/// The inputs of forming a cluster.
pub(super) struct Formation {
    directory: Directory,
    admission: Arc<Admission>,
    random: Arc<dyn RandomSource>,
}

impl Formation {
    pub(super) fn new(directory: Directory, admission: Arc<Admission>, random: Arc<dyn RandomSource>) -> Self {
        Self { directory, admission, random }
    }

    /// Proposes the first entry of a new cluster, and records that the cluster is formed once it is.
    pub(super) async fn form(&mut self, leader: &Leader, options: &Options) -> Result<(), StartError> {
        let failed = |e: &dyn std::fmt::Display| StartError::Raft(e.to_string());
        if leader.map().is_none() && leader.leads() {
            let first = Change::Bootstrap(self.first_entry(options)?);
            leader.change(first).await.map_err(|e| failed(&e))?;
        }
        if let Some(map) = leader.map() {
            self.directory.set_formed(map.cluster).map_err(|e| failed(&e))?;
        }
        Ok(())
    }

    fn first_entry(&self, options: &Options) -> Result<Bootstrap, StartError> {
        let cluster = ClusterId::from_random(self.random.bytes16());
        let profiles = Profile::defaults(options.failure_domain);
        let founder = |(id, _): &(MemberId, String)| self.admission.incarnation_of(*id).map(|name| (*id, name));
        let founders: Option<Vec<_>> = options.members.iter().map(founder).collect();
        let Some(members) = founders else {
            return Err(StartError::Raft("not all of its members have met".to_owned()));
        };
        let members = Some(MembershipRecord { members, recoveries: None });
        Ok(Bootstrap { cluster, profiles, members, level: self.admission.common_level() })
    }
}
