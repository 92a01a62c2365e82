//! Hosts made of network namespaces on one bridge, so that members can be cut off from each other.
//!
//! Needs root and iproute2. The bridge is the machine that gateways and tests run on; each namespace is a host of its
//! own with one address. Everything is removed again when the network is dropped.

use std::process::Command;

/// Most hosts: the number of a host is the last byte of its address.
const HOSTS_MAX: u8 = 100;

/// An interface of each host whose other end nobody listens to, and the routing table that leads to it.
const PIT: &str = "pit";
const PIT_TABLE: &str = "100";
/// The last byte of the address of the machine that gateways and tests run on.
const MACHINE: u8 = 254;

/// The bridge and its namespaces.
#[derive(Debug)]
pub struct Network {
    /// Names of interfaces have at most 15 characters: the process id in base 36 keeps them apart.
    tag: String,
    subnet: String,
    hosts: Vec<u8>,
}

impl Network {
    /// Creates the bridge. An error says why that is not possible.
    pub fn create() -> Result<Self, String> {
        let id = std::process::id();
        let tag = base36(id);
        // From the range for benchmarks of networks (RFC 2544), which is not routed.
        let subnet = format!("198.{}.{}", 18 + id % 2, (id / 2) % 250);
        let network = Self { tag, subnet, hosts: Vec::new() };
        let bridge = network.bridge();
        ip(&["link", "add", &bridge, "type", "bridge"])?;
        ip(&["addr", "add", &format!("{}/24", network.address(MACHINE)), "dev", &bridge])?;
        ip(&["link", "set", &bridge, "up"])?;
        Ok(network)
    }

    fn bridge(&self) -> String {
        format!("cb{}", self.tag)
    }

    fn cable(&self, host: u8) -> String {
        format!("cv{}h{host}", self.tag)
    }

    pub fn namespace(&self, host: u8) -> String {
        format!("cairn-{}-{host}", self.tag)
    }

    pub fn address(&self, host: u8) -> String {
        format!("{}.{host}", self.subnet)
    }

    pub fn has_host(&self, host: u8) -> bool {
        self.hosts.contains(&host)
    }

    /// Adds a host, numbered from 1.
    pub fn add_host(&mut self, host: u8) -> Result<(), String> {
        assert!((1..=HOSTS_MAX).contains(&host), "host {host}");
        let (namespace, cable, inner) = (self.namespace(host), self.cable(host), format!("cn{}h{host}", self.tag));
        ip(&["netns", "add", &namespace])?;
        self.hosts.push(host);
        ip(&["link", "add", &cable, "type", "veth", "peer", "name", &inner])?;
        ip(&["link", "set", &inner, "netns", &namespace])?;
        ip(&["link", "set", &cable, "master", &self.bridge(), "up"])?;
        let address = format!("{}/24", self.address(host));
        for arguments in [
            vec!["addr", "add", &address, "dev", &inner],
            vec!["link", "set", &inner, "up"],
            vec!["link", "set", "lo", "up"],
            vec!["link", "add", PIT, "type", "veth", "peer", "name", "pit-end"],
            vec!["link", "set", PIT, "up"],
            vec!["link", "set", "pit-end", "up"],
        ] {
            ip(&[&["-n", namespace.as_str()], arguments.as_slice()].concat())?;
        }
        Ok(())
    }

    /// Cuts `host` off from all others, or connects it again.
    pub fn set_isolated(&self, host: u8, isolated: bool) {
        let state = if isolated { "down" } else { "up" };
        ip(&["link", "set", &self.cable(host), state]).expect("ip link set");
    }

    /// Cuts two hosts off from each other, though both still reach the rest, or connects them again.
    pub fn set_parted(&self, one: u8, other: u8, parted: bool) {
        for (from, to) in [(one, other), (other, one)] {
            let (namespace, to) = (self.namespace(from), format!("{}/32", self.address(to)));
            let verb = if parted { "add" } else { "del" };
            ip(&["-n", &namespace, "route", verb, "blackhole", &to]).expect("ip route");
        }
    }

    /// Lets what `from` sends to `to` at `port` vanish in silence, or lets it through again: `from` cannot call `to`, which
    /// still calls `from`.
    pub fn set_unheard(&self, from: u8, to: u8, port: u16, unheard: bool) {
        self.set_dropped(from, to, ["dport", &port.to_string()], unheard);
    }

    /// Lets the answers that `host` gives at `port` to this machine vanish in silence, or lets them through again: gateways
    /// cannot call `host`, and the other hosts can.
    pub fn set_mute(&self, host: u8, port: u16, mute: bool) {
        self.set_dropped(host, MACHINE, ["sport", &port.to_string()], mute);
    }

    fn set_dropped(&self, from: u8, to: u8, [side, port]: [&str; 2], dropped: bool) {
        let (namespace, to) = (self.namespace(from), self.address(to));
        let ip = |arguments: &[&str]| ip(&[&["-n", namespace.as_str()], arguments].concat()).expect("ip");
        ip(&["route", "replace", &to, "dev", PIT, "table", PIT_TABLE]);
        ip(&["neigh", "replace", &to, "lladdr", "02:00:00:00:00:01", "dev", PIT, "nud", "permanent"]);
        let verb = if dropped { "add" } else { "del" };
        ip(&["rule", verb, "priority", "10", "to", &to, "ipproto", "tcp", side, port, "lookup", PIT_TABLE]);
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // What cannot be removed is only litter; a namespace takes its cable with it.
        for host in &self.hosts {
            let _ = ip(&["netns", "del", &self.namespace(*host)]);
            let _ = ip(&["link", "del", &self.cable(*host)]);
        }
        let _ = ip(&["link", "del", &self.bridge()]);
    }
}

fn ip(arguments: &[&str]) -> Result<(), String> {
    let output = Command::new("ip").args(arguments).output().map_err(|e| format!("ip: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("ip {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim()))
}

fn base36(mut number: u32) -> String {
    let mut digits = Vec::new();
    while number > 0 || digits.is_empty() {
        digits.push(char::from_digit(number % 36, 36).unwrap_or('0'));
        number /= 36;
    }
    digits.into_iter().rev().collect()
}
