//! The identity file: which member and which cluster a directory belongs to.

use std::path::Path;

use cairn_core::id::{ClusterId, GroupId, MemberId};
use minicbor::{Decode, Encode};

use super::error::StartError;
use super::format::FORMAT_VERSION;
use crate::durable_names::sync_directory;
use crate::error::StoreError;
use crate::options::Options;
use cairn_core::id::Incarnation;

/// First bytes of the identity file.
const MAGIC: &[u8; 8] = b"CAIRN-MD";

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Identity {
    #[n(0)]
    pub(super) format: u32,
    #[n(1)]
    pub(super) member: MemberId,
    /// `None` until the cluster is formed; before that nothing was acknowledged.
    #[n(2)]
    pub(super) cluster: Option<ClusterId>,
    /// Names this directory: see [`crate::state::tables::members`].
    #[n(3)]
    pub(super) incarnation: Option<Incarnation>,
    /// Whose log and state it holds.
    #[n(4)]
    pub(super) group: GroupId,
}

/// Writes the identity of a formed cluster's member into `dir`, whose other files are complete.
pub(crate) fn write_formed(
    dir: &Path,
    member: MemberId,
    cluster: ClusterId,
    incarnation: Incarnation,
) -> Result<(), StoreError> {
    let (cluster, incarnation) = (Some(cluster), Some(incarnation));
    write_identity(dir, &Identity { format: FORMAT_VERSION, member, cluster, incarnation, group: GroupId::FIRST })
}

/// The member that `dir` belongs to; `None` if it holds none.
pub(crate) fn member_in(dir: &Path) -> Result<Option<MemberId>, StartError> {
    Ok(read_identity(dir)?.map(|identity| identity.member))
}

/// The cluster that `dir` belongs to; `None` if it holds no member of one.
pub(crate) fn cluster_in(dir: &Path) -> Result<Option<ClusterId>, StartError> {
    Ok(read_identity(dir)?.and_then(|identity| identity.cluster))
}

pub(super) fn read_identity(dir: &Path) -> Result<Option<Identity>, StartError> {
    let path = dir.join("identity");
    let unreadable = |detail: String| StartError::Unreadable { path: path.clone(), detail };
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error.to_string())),
    };
    let row = bytes.strip_prefix(MAGIC).ok_or_else(|| unreadable("it is not an identity file".to_owned()))?;
    let identity: Identity = minicbor::decode(row).map_err(|e| unreadable(e.to_string()))?;
    if identity.format > FORMAT_VERSION {
        return Err(StartError::Newer { dir: dir.to_owned(), found: identity.format });
    }
    Ok(Some(identity))
}

/// The identity of a new member. The directory must be empty, and must be expected to be.
pub(super) fn create_identity(options: &Options, files: &[&Path], drawn: Incarnation) -> Result<Identity, StartError> {
    let dir = options.dir.clone();
    if let Some(file) = files.iter().find(|file| file.exists()) {
        let missing = format!("{} has no identity file beside it", file.display());
        return Err(StartError::Incomplete { dir, found: "a part of a member", missing });
    }
    if let Some(cluster) = options.known_cluster {
        return Err(StartError::Lost { dir, cluster });
    }
    let (member, group) = (options.member_id, GroupId::FIRST);
    let identity = Identity { format: FORMAT_VERSION, member, cluster: None, incarnation: Some(drawn), group };
    write_identity(&dir, &identity)
        .map_err(|e| StartError::Unreadable { path: dir.join("identity"), detail: e.to_string() })?;
    Ok(identity)
}

pub(super) fn check_identity(options: &Options, identity: &Identity) -> Result<(), StartError> {
    let foreign = |theirs: String, ours: String| StartError::Foreign { dir: options.dir.clone(), theirs, ours };
    if identity.member != options.member_id {
        return Err(foreign(format!("member {}", identity.member), format!("member {}", options.member_id)));
    }
    if identity.group != GroupId::FIRST {
        return Err(foreign(format!("group {}", identity.group), format!("group {}", GroupId::FIRST)));
    }
    match (identity.cluster, options.known_cluster) {
        (Some(theirs), Some(ours)) if theirs != ours => {
            Err(foreign(format!("cluster {theirs}"), format!("cluster {ours}, as the disks say")))
        }
        (None, Some(cluster)) => Err(StartError::Lost { dir: options.dir.clone(), cluster }),
        _ => Ok(()),
    }
}

/// Replaces the identity file atomically.
pub(super) fn write_identity(dir: &Path, identity: &Identity) -> Result<(), StoreError> {
    use std::io::Write;
    let (path, next) = (dir.join("identity"), dir.join("identity.next"));
    let mut bytes = MAGIC.to_vec();
    // Writing to a Vec cannot fail.
    let _ = minicbor::encode(identity, &mut bytes);
    let failed = |e: std::io::Error| StoreError::file(&next, e);
    let mut file = std::fs::File::create(&next).map_err(failed)?;
    file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(failed)?;
    std::fs::rename(&next, &path).map_err(failed)?;
    sync_directory(&path)
}
