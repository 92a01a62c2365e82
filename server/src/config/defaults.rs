//! Defaults that depend on other keys.

use std::path::PathBuf;

use cairn_core::profile::FailureDomain;

use super::founder::Founder;
use super::role::Role;

/// Disk directories created under the data directory where none are named.
const DISKS: u32 = 6;

pub(super) fn data() -> PathBuf {
    PathBuf::from("cairn-data")
}

/// `name` in the data directory.
pub(super) fn in_data(data: Option<&PathBuf>, name: &str) -> PathBuf {
    data.cloned().unwrap_or_else(self::data).join(name)
}

pub(super) fn rpc_addr() -> String {
    "0.0.0.0:9002".to_owned()
}

/// Nobody connects to a process with all roles, so it advertises no address.
pub(super) fn rpc_advertise(roles: Option<&Vec<Role>>, addr: Option<&String>) -> String {
    if is_all_in_one(roles) { String::new() } else { addr.cloned().unwrap_or_else(rpc_addr) }
}

pub(super) fn metadata_addrs(members: Option<&Vec<Founder>>) -> Vec<String> {
    members.into_iter().flatten().map(|founder| founder.addr.clone()).collect()
}

pub(super) fn failure_domain(roles: Option<&Vec<Role>>) -> FailureDomain {
    if is_all_in_one(roles) { FailureDomain::Disk } else { FailureDomain::Node }
}

pub(super) fn disk_count(disks: Option<&Vec<PathBuf>>) -> u32 {
    disks.map_or(DISKS, |disks| u32::try_from(disks.len()).unwrap_or(u32::MAX))
}

pub(super) fn disks(data: Option<&PathBuf>, count: Option<u32>) -> Vec<PathBuf> {
    (1..=count.unwrap_or(DISKS)).map(|n| in_data(data, &format!("disk{n}"))).collect()
}

pub(crate) fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn is_all_in_one(roles: Option<&Vec<Role>>) -> bool {
    roles.is_none_or(|roles| roles.len() == Role::ALL.len())
}
