//! The node's tasks: registration, heartbeats, and bringing disks into and out of service.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cairn_core::id::{ClusterId, DiskNumber};
use cairn_core::random::RandomSource;
use cairn_core::release::Release;
use cairn_core::sync::IgnorePoison;
use cairn_protocol::metadata::command::{NodeRegistered, RegisterNode};
use cairn_protocol::metadata::{MetadataError, MetadataExt, Signal, SignalAnswer};
use tokio::sync::oneshot;

use super::collector;
use super::commit_watch::Verdict;
use super::disk_slot::DiskSlot;
use super::disks::{absence, format_new, look_again, measure, missing, store_options};
use super::node::Node;
use super::options::Dependencies;
use super::scrub_reporter;
use super::slow_disk::{Sample, SlowDiskWatch};
use crate::store::{DiskStore, ExpectedDisk, OpenError, StoreDependencies};

/// Wait between two attempts to register: doubled each time, up to the longest.
const REGISTER_WAIT: Duration = Duration::from_millis(50);
const REGISTER_WAIT_MAX: Duration = Duration::from_secs(5);
/// How long a call to the metadata service may take.
const SIGNAL_LIMIT: Duration = Duration::from_secs(5);
/// Heartbeats between two saves of the newest commit.
const HEARTBEATS_PER_SAVE: u32 = 5;

/// Starts the node's tasks.
pub(super) fn spawn(node: &Arc<Node>) {
    let own = Arc::clone(node);
    let main = tokio::spawn(async move {
        let mut stop = own.stop.subscribe();
        tokio::select! {
            () = serve(&own) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    });
    node.tasks.lock().ignore_poison().push(main);
}

async fn serve(node: &Arc<Node>) {
    // Known disks are opened without waiting for the metadata service.
    if let Some(cluster) = node.cluster() {
        open_all(node, cluster).await;
    }
    let cluster = register(node).await;
    open_all(node, cluster).await;
    for slot in node.slots().iter().filter(|slot| slot.in_service().is_none()) {
        tracing::warn!(disk = %slot.id, "disk {} is out of service: {}", slot.number, slot.status().reason);
    }
    // No shard is stored before the metadata service has shown its history.
    heartbeat(node, &mut 0).await;
    node.is_settled.store(true, Ordering::Release);
    tokio::join!(
        heartbeats(node),
        watch_disks(node, cluster),
        watch_latencies(node),
        collector::run(node),
        scrub_reporter::run(node)
    );
}

async fn register(node: &Arc<Node>) -> ClusterId {
    let mut wait = REGISTER_WAIT;
    loop {
        match try_register(node).await {
            Ok(cluster) => return cluster,
            Err(why) => {
                let name = &node.options.name;
                tracing::warn!(
                    "storage node {name} cannot register with the metadata service: {why}; retrying in {wait:?}"
                );
            }
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(REGISTER_WAIT_MAX);
    }
}

async fn try_register(node: &Arc<Node>) -> Result<ClusterId, String> {
    // A disk that is adopted from here on is registered by the next call.
    node.is_registered.store(true, Ordering::Release);
    let slots: Vec<Arc<DiskSlot>> = node.slots().into_iter().filter(|slot| slot.is_ours).collect();
    let command = RegisterNode {
        cluster: node.cluster(),
        node: node.id,
        name: node.options.name.clone(),
        rpc_addr: node.options.rpc_addr.clone(),
        labels: node.options.labels.clone(),
        disks: slots.iter().map(|slot| slot.registration()).collect(),
        release: Release::current(),
    };
    let registered = tokio::time::timeout(SIGNAL_LIMIT, node.dependencies.metadata.run(command)).await;
    let accepted = accept(node, registered);
    match &accepted {
        Ok((_, numbers)) => slots.iter().zip(numbers).for_each(|(slot, number)| slot.set_cluster_number(*number)),
        Err(_) => node.is_registered.store(false, Ordering::Release),
    }
    accepted.map(|(cluster, _)| cluster)
}

fn accept(
    node: &Node,
    registered: Result<Result<NodeRegistered, MetadataError>, tokio::time::error::Elapsed>,
) -> Result<(ClusterId, Vec<DiskNumber>), String> {
    let registered = registered.map_err(|_| "no answer".to_owned())?.map_err(|e| e.to_string())?;
    let cluster = registered.cluster;
    match node.cluster() {
        Some(known) if known != cluster => {
            return Err(format!("it serves cluster {cluster}, this node's disks belong to cluster {known}"));
        }
        _ => {}
    }
    node.remember(|state| state.cluster = Some(cluster)).map_err(|e| e.to_string())?;
    tracing::info!(%cluster, node = %node.id, "storage node {} is registered", node.options.name);
    Ok((cluster, registered.disks))
}

/// Opens all disks at the same time, each on a thread of its own: a slow one delays no other.
async fn open_all(node: &Arc<Node>, cluster: ClusterId) {
    let opening: Vec<_> = node.slots().iter().map(|slot| change(node, slot, cluster)).collect();
    for done in opening.into_iter().flatten() {
        // A thread that panicked leaves the disk out of service.
        let _ = done.await;
    }
}

/// Looks at a disk and brings it into or out of service, on a thread of its own. `None` if such a thread is running.
fn change(node: &Arc<Node>, slot: &Arc<DiskSlot>, cluster: ClusterId) -> Option<oneshot::Receiver<()>> {
    if slot.is_changing.swap(true, Ordering::AcqRel) {
        return None;
    }
    let (done, wait) = oneshot::channel();
    let threads = Arc::clone(&node.dependencies.threads);
    let (node, own) = (Arc::clone(node), Arc::clone(slot));
    let body = move || {
        let store = settle(&node, &own, cluster);
        // Closing waits for operations under way, which may take long on a disk that was pulled.
        own.is_changing.store(false, Ordering::Release);
        let _ = done.send(());
        if let Some(store) = store {
            store.close();
        }
    };
    if threads.spawn("disk-probe", Box::new(body)).is_err() {
        slot.is_changing.store(false, Ordering::Release);
    }
    Some(wait)
}

/// Brings a slot into the state that its directory allows. Returns a store that the caller closes.
fn settle(node: &Node, slot: &DiskSlot, cluster: ClusterId) -> Option<DiskStore> {
    let path = slot.path.display().to_string();
    if !slot.is_ours {
        if let Some(adopted) = look_again(node, slot) {
            tracing::info!(disk = %adopted.id, path, "disk {} now holds a disk of this node", slot.number);
            node.adopt(adopted);
        }
        return None;
    }
    if slot.in_service().is_some() {
        return absence(slot, cluster).and_then(|why| slot.take_out_of_service(why));
    }
    if slot.is_new()
        && let Err(error) = format_and_note(node, slot, cluster, &path)
    {
        return slot.take_out_of_service(error);
    }
    let options = store_options(&node.options, &slot.path);
    let Dependencies { clock, threads, .. } = &node.dependencies;
    let dependencies = StoreDependencies { clock: Arc::clone(clock), threads: Arc::clone(threads) };
    let expected = ExpectedDisk { io: Arc::new(slot.io.clone()), path: path.clone(), cluster, disk: slot.id };
    match DiskStore::open(expected, options, &dependencies) {
        Ok(store) if *node.stop.borrow() => Some(store),
        Ok(store) => {
            slot.put_into_service(store, random_number(node.dependencies.random.as_ref()));
            // An earlier measurement may have been of the filesystem under an empty mount point.
            measure(&node.slots(), node.options.capacity_bytes);
            None
        }
        Err(OpenError::NotADisk { .. }) => slot.take_out_of_service(missing(slot.number, slot.id, &path)),
        Err(error) => slot.take_out_of_service(error.to_string()),
    }
}

fn random_number(random: &dyn RandomSource) -> u64 {
    u128::from_le_bytes(random.bytes16()) as u64
}

fn format_and_note(node: &Node, slot: &DiskSlot, cluster: ClusterId, path: &str) -> Result<(), String> {
    let created_ms = node.dependencies.clock.now_ms();
    format_new(slot, cluster, node.dependencies.random.as_ref(), created_ms).map_err(|e| e.to_string())?;
    node.remember(|state| state.note(path, slot.id, true)).map_err(|e| e.to_string())
}

async fn watch_disks(node: &Arc<Node>, cluster: ClusterId) {
    loop {
        tokio::time::sleep(node.options.probe_interval).await;
        if !node.is_registered.load(Ordering::Acquire)
            && let Err(why) = try_register(node).await
        {
            tracing::warn!("this node or one of its disks is not registered yet; retrying: {why}");
        }
        for slot in &node.slots() {
            // Not waited for: a disk that hangs is looked at again once its thread has ended.
            drop(change(node, slot, cluster));
        }
    }
}

/// Compares the disks with each other, window by window.
async fn watch_latencies(node: &Arc<Node>) {
    let mut watch = SlowDiskWatch::new(node.options.slow_disk);
    loop {
        tokio::time::sleep(node.options.slow_disk.window).await;
        let served: Vec<Arc<DiskSlot>> = node.slots().into_iter().filter(|slot| slot.in_service().is_some()).collect();
        let samples: Vec<Sample> = served.iter().map(|slot| slot.sample()).collect();
        let verdicts = watch.observe(node.dependencies.clock.monotonic(), &samples);
        for (slot, (_, how)) in served.into_iter().zip(verdicts) {
            slot.set_slowness(how);
        }
    }
}

async fn heartbeats(node: &Arc<Node>) {
    let mut since_save = 0;
    loop {
        heartbeat(node, &mut since_save).await;
        tokio::time::sleep(node.options.heartbeat_interval).await;
    }
}

async fn heartbeat(node: &Node, since_save: &mut u32) {
    let signal = Signal::Heartbeat(node.report(|slot| slot.is_ours));
    let answer = tokio::time::timeout(SIGNAL_LIMIT, node.dependencies.metadata.signal(signal)).await;
    match answer {
        Ok(Ok(answer)) => note_commit(node, &answer, since_save),
        Ok(Err(error)) => tracing::debug!(%error, "a heartbeat was not answered"),
        Err(_) => tracing::debug!("a heartbeat was not answered in time"),
    }
}

fn note_commit(node: &Node, answer: &SignalAnswer, since_save: &mut u32) {
    if answer.is_registered == Some(false) && node.is_registered.swap(false, Ordering::AcqRel) {
        tracing::warn!("the metadata service does not know this node or one of its disks: registering again");
    }
    let newest = {
        let mut watches = node.watches();
        let seen = watches.newest(answer.commit.group());
        match watches.heartbeat(answer, node.dependencies.clock.monotonic()) {
            Verdict::Good => {}
            Verdict::Behind => tracing::error!(
                "the metadata service is at commit {}, but this node has seen {seen}: it was restored from an old backup, or \
                 is another one; nothing is deleted until it has caught up",
                answer.commit
            ),
            Verdict::OtherHistory => tracing::error!(
                "the metadata service has another history than the one that led to commit {seen}, which this node has \
                 seen: it was restored from an old copy and has gone on since. Nothing is deleted. Stop it and restore the \
                 newest copy; if there is none, `cairn metadata recover` declares the loss, and the disks are searched for \
                 what came after the copy"
            ),
        }
        watches.seen()
    };
    *since_save += 1;
    if *since_save >= HEARTBEATS_PER_SAVE {
        *since_save = 0;
        if let Err(error) = node.remember(|state| state.seen = newest) {
            tracing::warn!(%error, "cannot remember the newest commit");
        }
    }
}
