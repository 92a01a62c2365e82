//! A member with an empty namespace, where all metadata and all backups are lost.

use cairn_core::id::{CommitSequence, GroupId, SessionId};
use cairn_core::profile::FailureDomain;
use cairn_metadata::backup::{self, ReconstructOptions, RestoreOptions};

use super::error::RestoreError;
use super::search::{FromDisks, Search, SearchOptions};
use super::sessions::last_session;

/// The group that is made again: the only one that this release has.
const GROUP: GroupId = GroupId::FIRST;

/// Makes a member, the only one of its service, with an empty namespace. Once it runs, its comparison with the disks
/// brings back the objects that they hold as a whole.
pub async fn reconstruct(
    member: &RestoreOptions,
    failure_domain: FailureDomain,
    options: &SearchOptions,
) -> Result<FromDisks, RestoreError> {
    let search = Search::begin(options).await?;
    let made = begin_empty(&search, member, failure_domain).await;
    search.end().await;
    made
}

async fn begin_empty(
    search: &Search<'_>,
    member: &RestoreOptions,
    failure_domain: FailureDomain,
) -> Result<FromDisks, RestoreError> {
    let cluster = search.nodes.iter().find_map(|node| node.status.cluster);
    let cluster = cluster.ok_or_else(|| RestoreError::NoDisks(search.missing().join("; ")))?;
    let seen = search.nodes.iter().flat_map(|node| &node.status.seen).map(|seen| seen.commit);
    let commit = seen.filter(|commit| commit.group() == GROUP).max().unwrap_or(CommitSequence::start(GROUP));
    let mut session_number = 0;
    for disk in search.map.disks.iter().filter(|disk| disk.state.serves()) {
        let Some(node) = search.map.node(disk.node) else { continue };
        let node = search.directory.node(node);
        for first in [SessionId::new(GROUP, 0), SessionId::system(GROUP, 0)] {
            session_number = session_number.max(last_session(&*node, disk.id, first).await?);
        }
    }
    let RestoreOptions { dir, member, addr } = member.clone();
    let options = ReconstructOptions { dir, member, addr, cluster, commit, session_number, failure_domain };
    backup::reconstruct(&options, &*search.options.random)?;
    Ok(search.report(None, Vec::new()))
}
