//! What follows from several keys.

use super::founder::Founder;
use super::role::Role;
use super::sections::{Metadata, Server};

impl Server {
    /// Whether this process has `role`.
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether everything is in this process, so that nothing needs the network.
    pub fn is_all_in_one(&self) -> bool {
        Role::ALL.iter().all(|role| self.has(*role))
    }
}

impl Metadata {
    /// The members that form a new metadata service: this process alone, under its address, if none are named.
    pub fn founders(&self, own_addr: &str) -> Vec<Founder> {
        if self.members.is_empty() {
            vec![Founder { member: self.id, addr: own_addr.to_owned() }]
        } else {
            self.members.clone()
        }
    }
}
