//! Checks across keys: what each key allows on its own is checked where it is read.

use std::path::{Path, PathBuf};

use cairn_core::footprint;
use cairn_core::profile::{FailureDomain, Profile};

use super::role::Role;
use super::sections::{Cluster, Config, Gateway, Metadata, Root, Server, StorageNode};

/// Characters of a root secret key, at least.
const ROOT_SECRET_KEY_CHARS_MIN: usize = 8;

/// Keys that contradict each other.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Inconsistency {
    #[error("server.roles is empty: name at least one of gateway, metadata, storage-node")]
    NoRoles,
    #[error("cluster.metadata_addrs is empty: a process without the metadata role must know where it is")]
    NoMetadataAddrs,
    #[error("metadata.members is set, but a process with all roles is a cluster of its own: set server.roles")]
    MembersOfAllInOne,
    #[error("storage_node.disks is empty: a storage node needs at least one disk directory")]
    NoDisks,
    #[error("storage_node.disks names {} twice: each disk has a directory of its own", .0.display())]
    DiskTwice(PathBuf),
    #[error(
        "gateway.memory is {memory_bytes} bytes, and one large copy takes {needed_bytes} under the profiles of a new cluster: \
         set it to that or more"
    )]
    GatewayMemory { memory_bytes: u64, needed_bytes: u64 },
    #[error(
        "only one of root.access_key and root.secret_key is set: set both (CAIRN_ROOT_ACCESS_KEY and \
         CAIRN_ROOT_SECRET_KEY), or neither"
    )]
    HalfOfRootKeys,
    #[error(
        "root.secret_key (CAIRN_ROOT_SECRET_KEY) has fewer than {ROOT_SECRET_KEY_CHARS_MIN} characters: choose a longer one"
    )]
    ShortRootSecretKey,
}

/// Checks what no key can check on its own.
pub(super) fn check(config: &Config) -> Result<(), Inconsistency> {
    roles(&config.server)?;
    metadata_is_known(&config.server, &config.cluster)?;
    members(&config.server, &config.metadata)?;
    disks(&config.server, &config.storage_node)?;
    gateway_memory(&config.server, &config.gateway)?;
    root_keys(&config.root)
}

/// Bodies under profiles that are set later may take more: the gateway says so when it learns of them.
fn gateway_memory(server: &Server, gateway: &Gateway) -> Result<(), Inconsistency> {
    let memory_bytes = gateway.memory.bytes();
    let needed_bytes = Profile::defaults(FailureDomain::Disk).iter().map(footprint::body_max).max().unwrap_or(0);
    if server.has(Role::Gateway) && memory_bytes < needed_bytes {
        return Err(Inconsistency::GatewayMemory { memory_bytes, needed_bytes });
    }
    Ok(())
}

fn roles(server: &Server) -> Result<(), Inconsistency> {
    if server.roles.is_empty() { Err(Inconsistency::NoRoles) } else { Ok(()) }
}

fn metadata_is_known(server: &Server, cluster: &Cluster) -> Result<(), Inconsistency> {
    let is_known = server.has(Role::Metadata) || !cluster.metadata_addrs.is_empty();
    if is_known { Ok(()) } else { Err(Inconsistency::NoMetadataAddrs) }
}

fn members(server: &Server, metadata: &Metadata) -> Result<(), Inconsistency> {
    let is_wrong = server.is_all_in_one() && !metadata.members.is_empty();
    if is_wrong { Err(Inconsistency::MembersOfAllInOne) } else { Ok(()) }
}

fn disks(server: &Server, storage_node: &StorageNode) -> Result<(), Inconsistency> {
    if server.has(Role::StorageNode) && storage_node.disks.is_empty() {
        return Err(Inconsistency::NoDisks);
    }
    let mut sorted: Vec<&Path> = storage_node.disks.iter().map(PathBuf::as_path).collect();
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Inconsistency::DiskTwice(pair[0].to_owned())),
        None => Ok(()),
    }
}

fn root_keys(root: &Root) -> Result<(), Inconsistency> {
    if root.access_key.is_some() != root.secret_key.is_some() {
        return Err(Inconsistency::HalfOfRootKeys);
    }
    let is_short = |key: &super::secret::Secret| key.expose().len() < ROOT_SECRET_KEY_CHARS_MIN;
    if root.secret_key.as_ref().is_some_and(is_short) { Err(Inconsistency::ShortRootSecretKey) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use cairn_core::id::MemberId;
    use cairn_core::unit::ByteSize;

    use super::*;
    use crate::config::Secret;
    use crate::config::founder::Founder;
    use crate::config::sections::Layer;

    /// What is wrong after `change` to the defaults of a process with `roles`.
    fn wrong(roles: &[Role], change: impl FnOnce(&mut Config)) -> Option<Inconsistency> {
        let mut config = Layer::default().resolve();
        config.server.roles = roles.to_vec();
        change(&mut config);
        check(&config).err()
    }

    #[test]
    fn the_defaults_are_consistent() {
        assert_eq!(wrong(&Role::ALL, |_| ()), None);
    }

    #[test]
    fn roles_must_be_named() {
        assert_eq!(wrong(&[], |_| ()), Some(Inconsistency::NoRoles));
    }

    #[test]
    fn metadata_must_be_known_where_it_is_not_in_the_process() {
        assert_eq!(wrong(&[Role::Gateway], |_| ()), Some(Inconsistency::NoMetadataAddrs));
        let known = |config: &mut Config| config.cluster.metadata_addrs.push("a:1".into());
        assert_eq!(wrong(&[Role::Gateway], known), None);
        assert_eq!(wrong(&[Role::Metadata], |_| ()), None);
    }

    #[test]
    fn a_process_with_all_roles_has_no_other_members() {
        let founder = Founder { member: MemberId(1), addr: "a:1".into() };
        let change = |config: &mut Config| config.metadata.members.push(founder.clone());
        assert_eq!(wrong(&Role::ALL, change), Some(Inconsistency::MembersOfAllInOne));
        assert_eq!(wrong(&[Role::Metadata], change), None);
    }

    #[test]
    fn a_storage_node_has_disks_and_each_only_once() {
        let none = |config: &mut Config| config.storage_node.disks.clear();
        assert_eq!(wrong(&Role::ALL, none), Some(Inconsistency::NoDisks));
        assert_eq!(wrong(&[Role::Metadata], none), None);
        let twice = |config: &mut Config| config.storage_node.disks = vec!["b".into(), "a".into(), "b".into()];
        assert_eq!(wrong(&Role::ALL, twice), Some(Inconsistency::DiskTwice("b".into())));
    }

    #[test]
    fn a_gateway_has_memory_for_one_body() {
        let memory = |mib| move |config: &mut Config| config.gateway.memory = ByteSize::from_mib(mib);
        assert!(matches!(wrong(&Role::ALL, memory(8)), Some(Inconsistency::GatewayMemory { .. })));
        assert_eq!(wrong(&Role::ALL, memory(16)), None);
        assert_eq!(wrong(&[Role::Metadata], memory(8)), None);
    }

    #[test]
    fn root_keys_come_as_a_pair_and_are_long_enough() {
        let keys = |access: Option<&str>, secret: Option<&str>| {
            let root = Root { access_key: access.map(Secret::new), secret_key: secret.map(Secret::new) };
            wrong(&Role::ALL, |config| config.root = root)
        };
        assert_eq!(keys(Some("a"), None), Some(Inconsistency::HalfOfRootKeys));
        assert_eq!(keys(None, Some("12345678")), Some(Inconsistency::HalfOfRootKeys));
        assert_eq!(keys(Some("a"), Some("1234567")), Some(Inconsistency::ShortRootSecretKey));
        assert_eq!(keys(Some("a"), Some("12345678")), None);
    }
}
