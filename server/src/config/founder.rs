//! The members that form a new metadata service.

use std::fmt;

use cairn_core::id::MemberId;

/// A member that forms a new metadata service, written as `NUMBER=HOST:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Founder {
    pub member: MemberId,
    pub addr: String,
}

impl Founder {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (number, addr) = text.trim().split_once('=')?;
        let member = number.trim().parse().ok().filter(|number| *number > 0).map(MemberId)?;
        let addr = addr.trim();
        let port: u16 = addr.rsplit_once(':')?.1.parse().ok()?;
        (port > 0).then(|| Self { member, addr: addr.to_owned() })
    }
}

impl fmt::Display for Founder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.member, self.addr)
    }
}
