//! The configuration from its sources to the printed form.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cairn_core::id::MemberId;
use cairn_core::profile::FailureDomain;
use cairn_core::unit::{ByteRate, ByteSize};

use super::*;

fn environment(pairs: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<Vec<_>>().into_iter()
}

/// The configuration of a file and variables.
fn load(file: &str, variables: &[(&str, &str)]) -> Result<Loaded, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cairn.toml");
    std::fs::write(&path, file).unwrap();
    Config::load(Some(&path), environment(variables), Layer::default()).map_err(|error| error.to_string())
}

fn config(file: &str, variables: &[(&str, &str)]) -> Config {
    load(file, variables).unwrap().config
}

/// Checks that a source is refused with an error that has all of `parts`.
fn check_refused(file: &str, variables: &[(&str, &str)], parts: &[&str]) {
    let error = load(file, variables).unwrap_err();
    assert!(parts.iter().all(|part| error.contains(part)), "{parts:?} in: {error}");
}

#[test]
fn the_defaults_are_one_process_with_six_disks() {
    let config = config("", &[]);
    assert!(config.server.is_all_in_one());
    assert_eq!(config.storage_node.disks.len(), 6);
    assert_eq!(config.storage_node.disks[0], Path::new("cairn-data/disk1"));
    assert_eq!(config.cluster.secret_file, Path::new("cairn-data/cluster-secret"));
    assert_eq!((config.metadata.failure_domain, &*config.server.rpc_advertise), (FailureDomain::Disk, ""));
}

#[test]
fn some_defaults_follow_other_keys() {
    let config = config(
        "[server]\nroles = [\"metadata\", \"storage-node\"]\ndata = \"d\"\nrpc_addr = \"a:1\"\n[storage_node]\ndisk_count = 2\n",
        &[],
    );
    assert_eq!(config.storage_node.disks, [PathBuf::from("d/disk1"), PathBuf::from("d/disk2")]);
    assert_eq!(config.metadata.failure_domain, FailureDomain::Node);
    assert_eq!(config.server.rpc_advertise, "a:1");
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("cairn.toml");
    std::fs::write(&file, "[server]\nadmin_addr = \"a:2\"\n[gateway]\ns3_addr = \"a:1\"\nregion = \"eu-1\"\n").unwrap();
    let variables = [("CAIRN_GATEWAY_S3_ADDR", "b:1"), ("CAIRN_SERVER_ADMIN_ADDR", "b:2"), ("CAIRN_DISK_COUNT", "3")];
    let gateway = partial::Gateway { s3_addr: Some("c:1".into()), ..partial::Gateway::default() };
    let flags = Layer { gateway, ..Layer::default() };
    let config = Config::load(Some(&file), environment(&variables), flags).unwrap().config;
    assert_eq!((&*config.gateway.s3_addr, &*config.gateway.region), ("c:1", "eu-1"));
    assert_eq!((&*config.server.admin_addr, config.storage_node.disks.len()), ("b:2", 3));
}

#[test]
fn values_have_units() {
    let file =
        "[repair]\ngrace = \"10m\"\nrate_max = \"32MiB/s\"\n[gateway]\nmemory = \"64MiB\"\n[scrub]\nperiod = 0\n";
    let config = config(file, &[("CAIRN_LIFECYCLE_INTERVAL", "90s"), ("CAIRN_STORAGE_NODE_DISKS", "/a,/b")]);
    assert_eq!(config.repair.grace, Duration::from_mins(10));
    assert_eq!(config.repair.rate_max, ByteRate::from_mib_per_s(32));
    assert_eq!(config.gateway.memory, ByteSize::from_mib(64));
    assert_eq!(config.scrub.period, Duration::ZERO);
    assert_eq!(config.lifecycle.interval, Duration::from_secs(90));
    assert_eq!(config.storage_node.disks, [Path::new("/a"), Path::new("/b")]);
}

#[test]
fn founders_are_the_named_members_or_the_process_itself() {
    let variables =
        [("CAIRN_SERVER_ROLES", "metadata"), ("CAIRN_METADATA_ID", "2"), ("CAIRN_METADATA_MEMBERS", "1=a:1,2=[::1]:2")];
    let named = config("", &variables);
    let founders: Vec<String> = named.metadata.founders("c:3").iter().map(Founder::to_string).collect();
    assert_eq!(founders, ["1=a:1", "2=[::1]:2"]);
    assert_eq!(named.cluster.metadata_addrs, ["a:1", "[::1]:2"]);
    let alone = config("[server]\nroles = [\"metadata\"]\nrpc_advertise = \"c:3\"\n", &[]);
    assert_eq!(
        alone.metadata.founders(&alone.server.rpc_advertise),
        [Founder { member: MemberId(1), addr: "c:3".to_owned() }]
    );
}

#[test]
fn unknown_keys_are_refused_with_what_was_meant() {
    check_refused("[gateway]\ns3_adr = \"a:1\"\n", &[], &["cairn.toml", "gateway.s3_adr", "s3_addr, region"]);
    check_refused("memory = \"1GiB\"\n", &[], &["there is no key memory", "gateway.memory"]);
    check_refused("[server]\ns3_addr = \"a:1\"\n", &[], &["server.s3_addr", "gateway.s3_addr"]);
    check_refused("[gatway]\n", &[], &["gatway", "server, cluster, root, gateway"]);
    check_refused("[gateway\n", &[], &["cairn.toml", "line 1"]);
}

#[test]
fn unknown_values_are_refused_with_what_is_allowed() {
    let repeated = ["cairn.toml", "\"row\"", "disk, node, rack or zone"];
    check_refused(
        "[metadata]\nfailure_domain = \"row\"\n",
        &[],
        &[&["metadata.failure_domain"], &repeated[..]].concat(),
    );
    check_refused("failure_domain = \"row\"\n", &[], &repeated);
    check_refused("[gateway]\nmemory = \"64 apples\"\n", &[], &["gateway.memory = \"64 apples\"", "8MiB"]);
    check_refused("[repair]\ngrace = \"soon\"\n", &[], &["repair.grace", "30d"]);
    check_refused("[log]\njson = \"yes\"\n", &[], &["log.json", "true or false"]);
    check_refused("", &[("CAIRN_DISK_COUNT", "many")], &["CAIRN_DISK_COUNT", "\"many\"", "a number"]);
    check_refused("", &[("CAIRN_SERVER_ROLES", "metadata,queue")], &["CAIRN_SERVER_ROLES", "gateway, metadata"]);
    let members = [("CAIRN_METADATA_MEMBERS", "1=a:9002,b:9002")];
    check_refused("", &members, &["CAIRN_METADATA_MEMBERS", "b:9002", "NUMBER=HOST:PORT"]);
}

#[test]
fn values_outside_their_range_are_refused() {
    for percent in ["0", "101"] {
        check_refused("", &[("CAIRN_COMPACTION_DEAD_PERCENT", percent)], &["DEAD_PERCENT", percent, "1 to 100"]);
    }
    check_refused("[lifecycle]\nday = \"0s\"\n", &[], &["lifecycle.day", "at least 1s"]);
    check_refused("[backup]\nkept = 0\n", &[], &["backup.kept = 0", "at least 1"]);
}

#[test]
fn a_refused_secret_is_not_shown() {
    let error = load("[root]\nsecret_key = 87654321\n", &[]).unwrap_err();
    assert!(error.contains("root.secret_key") && !error.contains("87654321"), "{error}");
}

#[test]
fn flat_names_work_and_are_warned_of() {
    let loaded = load("repair_grace_s = 5\nlog = \"debug\"\n", &[("CAIRN_MEMORY_BYTES", "67108864")]).unwrap();
    let config = loaded.config;
    assert_eq!(config.repair.grace, Duration::from_secs(5));
    assert_eq!(config.gateway.memory, ByteSize::from_mib(64));
    assert_eq!(config.log.filter, "debug");
    let warnings: Vec<String> = loaded.warnings.iter().map(Warning::to_string).collect();
    assert_eq!(warnings.len(), 3);
    assert!(
        warnings.iter().any(|text| text.contains("repair_grace_s") && text.contains("repair.grace")),
        "{warnings:?}"
    );
    assert!(warnings.iter().any(|text| text.contains("CAIRN_MEMORY_BYTES") && text.contains("CAIRN_GATEWAY_MEMORY")));
}

#[test]
fn a_variable_whose_old_and_new_names_are_one_is_not_warned_of() {
    let names = [("CAIRN_CLUSTER_SECRET_FILE", "s"), ("CAIRN_METADATA_ID", "2"), ("CAIRN_LOG_JSON", "true")];
    assert_eq!(load("", &names).unwrap().warnings, []);
}

#[test]
fn variables_that_look_like_keys_are_warned_of_and_others_left_alone() {
    let loaded = load("", &[("CAIRN_GATEWAY_MEMROY", "1"), ("CAIRN_ENDPOINT", "x"), ("GATEWAY_MEMORY", "1")]).unwrap();
    assert_eq!(loaded.warnings, [Warning::UnknownVariable { name: "CAIRN_GATEWAY_MEMROY".into() }]);
}

#[test]
fn both_names_of_a_key_in_one_source_are_refused() {
    let both = "repair_grace_s = 5\n[repair]\ngrace = \"5s\"\n";
    check_refused(both, &[], &["cairn.toml", "both repair_grace_s and repair.grace"]);
    let both = [("CAIRN_REPAIR_GRACE", "5s"), ("CAIRN_REPAIR_GRACE_S", "5")];
    check_refused("", &both, &["environment", "both CAIRN_REPAIR_GRACE_S and CAIRN_REPAIR_GRACE,"]);
    // In two sources, the stronger one wins as always.
    assert_eq!(config("repair_grace_s = 5\n", &both[..1]).repair.grace, Duration::from_secs(5));
}

#[test]
fn the_printed_configuration_leads_to_the_same_one() {
    let variables =
        [("CAIRN_SERVER_ROLES", "metadata"), ("CAIRN_METADATA_MEMBERS", "1=a:1,2=b:2"), ("CAIRN_BACKUP_DIR", "b")];
    for variables in [&[][..], &variables] {
        let original = config("", variables);
        let again = load(&original.to_string(), &[]).unwrap();
        assert_eq!(again.config, original);
        assert_eq!(again.warnings, []);
    }
    let keys = [("CAIRN_ROOT_ACCESS_KEY", "the-access-key"), ("CAIRN_ROOT_SECRET_KEY", "the-secret-key")];
    assert!(!config("", &keys).to_string().contains("the-"), "a secret is printed");
}

#[test]
fn every_name_belongs_to_one_key() {
    let mut names = BTreeSet::new();
    for key in KEYS {
        assert!(names.insert(key.variable()), "{} has two meanings", key.variable());
        if let Some(flat) = key.flat_variable().filter(|flat| *flat != key.variable()) {
            assert!(names.insert(flat.clone()), "{flat} has two meanings");
        }
    }
}
