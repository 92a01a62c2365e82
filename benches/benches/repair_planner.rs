//! What repair and rebalancing cost the metadata leader: assessing extents, choosing disks, and a simulated pass over
//! ten million extents, on clusters of 12, 120 and 1,000 disks. Then, on a real metadata service with many rows, the
//! time from the command that starts a drain until all extents of the disk are found.
//!
//! `CAIRN_REPAIR_EXTENTS` sets the number of rows (default: 1,000,000).
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark is a process of its own, and prints"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use cairn_benches::metadata::{clock, commit, fill, prepare, random};
use cairn_core::cluster_map::{ClusterMap, Disk, DiskEvent, DiskState, Labels, Node, Standing};
use cairn_core::geometry::Geometry;
use cairn_core::id::{ClusterId, DiskId, DiskNumber, ExtentId, Generation, NodeId, SessionId};
use cairn_core::name::ObjectKey;
use cairn_core::placement::place;
use cairn_core::profile::{FailureDomain, Profile};
use cairn_core::rebalance::{Balance, Loads};
use cairn_core::release::Release;
use cairn_core::repair::{ExtentView, Limits, Planner, Task, assess};
use cairn_core::shard::Locations;
use cairn_core::testing::TestThreads;
use cairn_metadata::{Dependencies, Handle, MetadataService, Options};
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::command::{ChangeDisks, DiskRegistration, RegisterNode};
use cairn_protocol::metadata::query::{GetRebalance, GetRepairStatus};
use cairn_protocol::rpc::Roles;
use cairn_protocol::rpc::testing::client_of;
use cairn_protocol::storage::StorageDirectory;
use tempfile::TempDir;

/// Extents whose places are computed. The simulated passes repeat them.
const PLACED: u64 = 20_000;
const SIMULATED: u64 = 10_000_000;
/// Concurrent commits while the rows are made.
const DISKS: u8 = 12;

fn cluster(nodes: u32, disks_per_node: u32) -> ClusterMap {
    let profiles = Profile::defaults(FailureDomain::Node);
    let mut map = ClusterMap::empty(ClusterId::from_bytes([1; 16]), profiles);
    for n in 0..nodes {
        let mut bytes = [7; 16];
        bytes[..4].copy_from_slice(&n.to_be_bytes());
        let (id, labels) = (NodeId::from_bytes(bytes), Labels { zone: String::new(), rack: format!("r{}", n / 10) });
        map.nodes.push(Node {
            id,
            name: format!("node{n}"),
            rpc_addr: String::new(),
            labels,
            release: Release::current(),
        });
        for _ in 0..disks_per_node {
            let number = DiskNumber(map.disks.len() as u32 + 1);
            bytes[4..8].copy_from_slice(&number.0.to_be_bytes());
            map.disks.push(Disk {
                number,
                id: DiskId::from_bytes(bytes),
                node: id,
                path: String::new(),
                capacity_bytes: 16 << 40,
                state: DiskState::Active,
                standing: Standing::Member,
            });
        }
    }
    map
}

struct Extents {
    profile: Profile,
    geometry: Geometry,
    placed: Vec<(ExtentId, Locations)>,
}

impl Extents {
    /// Extents of 4+2, all with a shard on the first disk.
    fn on_first_disk(map: &ClusterMap) -> Self {
        let profile = *map.profiles.iter().find(|profile| profile.to_string() == "4+2").unwrap();
        let placed = (0..PLACED).map(|n| {
            let id = ExtentId::new(SessionId(1), n);
            let mut at: Locations =
                place(map, &profile, id, |d| d.number.0 > 1).unwrap().into_iter().map(Some).collect();
            at[(n % 6) as usize] = Some(DiskNumber(1));
            (id, at)
        });
        Self { profile, geometry: Geometry::new(&profile, 1 << 20), placed: placed.collect() }
    }

    fn view(&self, n: u64) -> ExtentView<'_> {
        let (id, locations) = &self.placed[(n % PLACED) as usize];
        // Each simulated extent has its own id.
        let id = ExtentId::new(SessionId(id.session.0), n);
        ExtentView { id, profile: self.profile.id, geometry: &self.geometry, generation: Generation(0), locations }
    }
}

/// Wall time and processor time. On a busy machine only the second is meaningful.
struct Timer(Instant, f64);

impl Timer {
    fn start() -> Self {
        Self(Instant::now(), processor_s())
    }

    fn total(&self) -> String {
        format!("{:.2} s ({:.2} s of the processor)", self.0.elapsed().as_secs_f64(), processor_s() - self.1)
    }

    fn per_item(&self, count: u64) -> String {
        let each = |seconds: f64| seconds * 1e6 / count as f64;
        format!(
            "{:.2} µs ({:.2} µs of the processor)",
            each(self.0.elapsed().as_secs_f64()),
            each(processor_s() - self.1)
        )
    }
}

/// Processor time of this process in seconds, to the hundredth. Source: proc(5), `/proc/pid/stat`, fields 14 and 15.
fn processor_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks = |n: usize| fields.split(' ').nth(n - 3).unwrap().parse::<f64>().unwrap();
    (ticks(14) + ticks(15)) / 100.0
}

fn planning(nodes: u32, disks_per_node: u32) {
    let mut map = cluster(nodes, disks_per_node);
    let extents = Extents::on_first_disk(&map);
    map.disks[0].state = DiskState::Failed;
    let disks = map.disks.len();

    let begun = Timer::start();
    let possible = (0..PLACED).filter(|n| {
        let view = extents.view(*n);
        let wanted = assess(&map, view, &[]).wanted[0];
        Task::plan(&map, view, wanted, &[]).is_ok()
    });
    assert_eq!(possible.count() as u64, PLACED);
    println!("{disks} disks: a rebuild planned, {} each", begun.per_item(PLACED));

    // A whole pass: every extent is assessed, wanted ones are planned and offered, and some are given out.
    let mut planner = Planner::new(Limits::default(), Duration::ZERO);
    let begun = Timer::start();
    let (mut seen, mut given) = (0u64, 0u64);
    for n in 0..SIMULATED {
        let view = extents.view(n);
        let standing = assess(&map, view, &[]);
        seen += u64::from(!standing.wanted.is_empty());
        if standing.spare().is_some_and(|spare| planner.wants(view.id, spare, Duration::ZERO)) {
            let task = Task::plan(&map, view, standing.wanted[0], &[]).unwrap();
            planner.offer(task, Duration::ZERO);
        }
        if n % 1000 == 0 {
            given += u64::from(planner.next(Duration::from_nanos(n)).is_some());
        }
    }
    println!(
        "{disks} disks: {SIMULATED} affected extents in one pass by simulation: {}, {} each; {seen} found, {} wait in \
         memory, {given} given out",
        begun.total(),
        begun.per_item(SIMULATED),
        planner.waiting()
    );

    // Moves to a new node.
    map.disks[0].state = DiskState::Active;
    let mut grown = cluster(nodes + 1, disks_per_node);
    grown.disks[0].state = DiskState::Active;
    let mut loads = Loads::default();
    for (_, at) in &extents.placed {
        loads.add(&extents.geometry, at);
    }
    let mut balance = Balance::new(&grown, &loads);
    let begun = Timer::start();
    let moved = (0..PLACED).filter(|n| balance.plan(&grown, extents.view(*n)).is_some()).count();
    println!("{disks} disks and a new node: {moved} moves planned, {} an extent", begun.per_item(PLACED));
}

async fn start(dir: &TempDir) -> Handle {
    let rpc = client_of("secret", Roles::METADATA);
    let (storage, random) = (StorageDirectory::new(rpc.clone()), Arc::new(random()));
    let dependencies = Dependencies { clock: clock(), random, threads: Arc::new(TestThreads), storage, rpc };
    let hours = Duration::from_hours(24);
    let options = Options { session_lease: hours, node_silence: hours, ..Options::new(dir.path()) };
    MetadataService::start(options, dependencies).await.unwrap()
}

fn disk_id(n: u8) -> DiskId {
    DiskId::from_bytes([n; 16])
}

/// Registers unreachable nodes with one disk each: rebuilds fail at once, and the pass continues.
async fn register(service: &Handle) {
    for n in 1..=DISKS {
        let capacity_bytes = 1 << 40;
        let disk = DiskRegistration { id: disk_id(n), path: String::new(), capacity_bytes, state: DiskState::Active };
        let node = NodeId::from_bytes([n; 16]);
        let (name, rpc_addr) = (format!("node{n}"), "127.0.0.1:1".to_owned());
        let labels = Labels::default();
        service
            .run(RegisterNode {
                cluster: None,
                node,
                name,
                rpc_addr,
                labels,
                disks: vec![disk],
                release: Release::current(),
            })
            .await
            .unwrap();
    }
}

async fn enqueue(extents: u64) {
    let dir = TempDir::new().unwrap();
    let service = Arc::new(start(&dir).await);
    register(&service).await;
    let session = prepare(&*service).await;
    let begun = Timer::start();
    let make = move |n| {
        let mut command = commit(session, n, ObjectKey::new(&format!("object-{n:012}")).unwrap());
        for placed in command.body.iter_mut().flat_map(|body| &mut body.extents) {
            let other = 2 + (n % u64::from(DISKS - 2)) as u32;
            placed.locations = [1, other, other + 1].map(|disk| Some(DiskNumber(disk))).to_vec();
        }
        command
    };
    fill(&service, extents, make).await;
    println!("{extents} extents with a shard on disk 1, made in {}", begun.total());
    let begun = Timer::start();
    let survey = service.ask(GetRebalance { survey: true }).await.unwrap();
    let shards = survey.forecast.map_or(0, |forecast| forecast.shards);
    println!("a survey of them, and {shards} moves tried out: {}", begun.total());
    let begun = Timer::start();
    service.run(ChangeDisks { changes: vec![(disk_id(1), DiskEvent::Drain)], force: false }).await.unwrap();
    loop {
        let status = service.ask(GetRepairStatus {}).await.unwrap();
        if status.pending_extents >= extents {
            let waiting = status.waiting;
            println!("a drain: all {extents} found after {}, {waiting} tasks wait; the goal is 10 s", begun.total());
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    service.as_ref().clone().shutdown().await;
}

fn main() {
    for (nodes, disks_per_node) in [(12, 1), (30, 4), (100, 10)] {
        planning(nodes, disks_per_node);
    }
    let extents = std::env::var("CAIRN_REPAIR_EXTENTS").map_or(1_000_000, |text| text.parse().unwrap());
    tokio::runtime::Runtime::new().unwrap().block_on(enqueue(extents));
}
