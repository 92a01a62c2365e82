//! One process: its roles from start to end.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use cairn_core::clock::Clock;
use cairn_core::cluster_map::Labels;
use cairn_core::profile::FailureDomain;
use cairn_core::random::RandomSource;
use cairn_gateway::Gateway;
use cairn_metadata::MetadataService;
use cairn_protocol::metadata::Metadata;
use cairn_protocol::rpc::{HttpMetadata, RpcAuth, RpcClient};
use cairn_protocol::sigv4::{Credentials, SigningKeyCache};
use cairn_protocol::storage::StorageDirectory;
use cairn_recovery::backup::{BackupsInDirectory, BackupsInStore};
use cairn_recovery::compare::Comparison;
use cairn_storage_node::StorageNodeService;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admin::{self, AdminState};
use crate::banner;
use crate::clock::SystemClock;
use crate::config::{Config, ConfigError, Role};
use crate::credentials::{self, CredentialsError, LoadedCredentials};
use crate::data_dir::{DataDir, DataDirError};
use crate::listener::{self, ListenError};
use crate::random::SystemRandom;
use crate::reload::{self, Reread};
use crate::telemetry::{self, LogFilterError};

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// See [`LogFilterError`].
    #[error(transparent)]
    Log(#[from] LogFilterError),
    /// See [`DataDirError`].
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// See [`CredentialsError`].
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// See [`ListenError`].
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The metadata service did not start.
    #[error("metadata: {0}")]
    Metadata(#[from] cairn_metadata::StartError),
    /// The metadata member's store failed while it ran.
    #[error(
        "the metadata member's store failed ({0}): nothing of it is retried. Look at the disk and its free space, then \
         start the process again"
    )]
    MemberFailed(String),
    /// The storage node did not start.
    #[error("storage node: {0}")]
    StorageNode(#[from] cairn_storage_node::StartError),
    /// The threads that run the roles cannot be started.
    #[error("cannot start threads: {0}")]
    Runtime(std::io::Error),
    /// Signals cannot be received.
    #[error("cannot receive signals: {0}")]
    Signals(std::io::Error),
}

/// Runs the roles of `config` until SIGTERM or SIGINT, then drains requests and stops.
///
/// At SIGHUP it reads the configuration again with `reread`, and takes further disks into service.
pub fn run(
    config: &Config,
    reread: impl Fn() -> Result<Config, ConfigError> + Send + Sync + 'static,
) -> Result<(), ServerError> {
    telemetry::init(&config.log, config.log_json)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(ServerError::Runtime)?;
    runtime.block_on(serve_until_told_to_stop(config, Box::new(reread)))
}

async fn serve_until_told_to_stop(config: &Config, reread: Reread) -> Result<(), ServerError> {
    let data_dir = DataDir::open(&config.data)?;
    let hangups = reload::receive().map_err(ServerError::Signals)?;
    let process = Process::start(config, &data_dir, Announce::Banner).await?;
    if let Some(hangups) = hangups {
        process.spawn_task(reload::run(hangups, process.storage.clone(), config.clone(), reread));
    }
    let shutdown = process.shutdown.clone();
    let ended = tokio::select! {
        told = shutdown_signal() => told.map_err(ServerError::Signals),
        reason = member_failed(process.metadata.clone(), config.has(Role::StorageNode) && !config.is_all_in_one()) => {
            tracing::error!("the metadata member has failed and the process ends: {reason}");
            Err(ServerError::MemberFailed(reason))
        }
    };
    tracing::info!("stopping: requests under way may end");
    shutdown.cancel();
    process.stop().await;
    tracing::info!("stopped");
    ended
}

/// A server inside somebody else's process, of which there may be several: each has its own data directory.
pub struct EmbeddedServer {
    process: Process,
    /// Locked for as long as the server runs.
    _data_dir: DataDir,
}

impl EmbeddedServer {
    /// Starts the roles of `config`. It serves once `GET /health` on its admin address answers 200.
    pub async fn start(config: &Config) -> Result<Self, ServerError> {
        let data_dir = DataDir::open(&config.data)?;
        let process = Process::start(config, &data_dir, Announce::Nothing).await?;
        Ok(Self { process, _data_dir: data_dir })
    }

    /// Lets requests under way end, and stops the roles.
    pub async fn stop(self) {
        self.process.shutdown.cancel();
        self.process.stop().await;
    }
}

/// What is printed once everything is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Announce {
    Banner,
    Nothing,
}

/// The parts of a running process.
struct Process {
    metadata: Option<cairn_metadata::Handle>,
    storage: Option<cairn_storage_node::Handle>,
    backups: Option<Arc<BackupsInStore>>,
    servers: TaskTracker,
    shutdown: CancellationToken,
}

/// What every role is handed.
struct Shared {
    clock: Arc<dyn Clock>,
    random: Arc<dyn RandomSource>,
    rpc: RpcClient,
    auth: RpcAuth,
    directory: StorageDirectory,
}

impl Process {
    async fn start(config: &Config, data_dir: &DataDir, announce: Announce) -> Result<Self, ServerError> {
        let keys = credentials::root(config)?;
        let secret = credentials::cluster_secret(config)?;
        // Addresses are bound before anything is started, so that a taken port changes nothing.
        let listeners = Listeners::bind(config).await?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let rpc = RpcClient::new(&secret, Arc::clone(&clock));
        let shared = Shared {
            random: Arc::new(SystemRandom),
            auth: RpcAuth::new(&secret, Arc::clone(&clock)),
            directory: StorageDirectory::new(rpc.clone()),
            rpc,
            clock,
        };
        let local_metadata =
            if config.has(Role::Metadata) { Some(start_metadata(config, &shared).await?) } else { None };
        let metadata: Arc<dyn Metadata> = if let Some(handle) = &local_metadata {
            Arc::new(handle.clone())
        } else {
            Arc::new(HttpMetadata::new(shared.rpc.clone(), config.metadata_addrs.clone(), &*shared.random))
        };
        let storage = if config.has(Role::StorageNode) {
            Some(start_storage(config, &shared, Arc::clone(&metadata))?)
        } else {
            None
        };
        let gateway = if config.has(Role::Gateway) {
            Some(start_gateway(config, data_dir, &shared, &keys, Arc::clone(&metadata))?)
        } else {
            None
        };
        let backups = local_metadata.clone().map(|member| Arc::new(system_backups(config, &shared, member)));
        let (servers, shutdown) = (TaskTracker::new(), CancellationToken::new());
        let mut process = Self { metadata: local_metadata, storage, backups, servers, shutdown };
        process.maintain_metadata(config, &shared);
        process.serve(listeners, gateway, &shared, metadata, (keys, announce));
        Ok(process)
    }

    /// Starts the HTTP servers and reports when everything is up.
    fn serve(
        &mut self,
        listeners: Listeners,
        gateway: Option<Gateway>,
        shared: &Shared,
        metadata: Arc<dyn Metadata>,
        (keys, wanted): (LoadedCredentials, Announce),
    ) {
        let (ready_sender, ready) = watch::channel(false);
        let admin = AdminState {
            metadata,
            storage: shared.directory.clone(),
            member: self.metadata.clone(),
            gateway: gateway.clone(),
            backups: self.backups.clone(),
            clock: Arc::clone(&shared.clock),
            root: Credentials::new(keys.root.access_key.clone(), keys.root.secret_key.clone()),
            keys: Arc::new(SigningKeyCache::new()),
            ready,
        };
        let (s3_addr, admin_addr) = (listeners.s3_addr(), listeners.admin_addr());
        if let (Some(listener), Some(gateway)) = (listeners.s3, &gateway) {
            self.spawn(listener, gateway.router());
        }
        if let Some(listener) = listeners.rpc {
            self.spawn(listener, self.rpc_router(&shared.auth));
        }
        self.spawn(listeners.admin, admin::router(admin.clone()));
        let storage = self.storage.clone();
        let announce = async move {
            wait_until_ready(gateway.as_ref(), storage.as_ref()).await;
            let profile = admin::profile_line(&admin).await;
            let _ = ready_sender.send(true);
            if let Some(admin_addr) = admin_addr.filter(|_| wanted == Announce::Banner) {
                banner::print(s3_addr, admin_addr, &keys, &profile);
            }
            // The receivers live in the routers: the sender must outlive them for readers to see `true`.
            ready_sender.closed().await;
        };
        let shutdown = self.shutdown.clone();
        self.servers.spawn(async move {
            tokio::select! {
                () = announce => {}
                () = shutdown.cancelled() => {}
            }
        });
        self.servers.close();
    }

    /// Backs the metadata up on a schedule, and compares a restored service with the disks, if this process has a member.
    fn maintain_metadata(&self, config: &Config, shared: &Shared) {
        let Some(member) = self.metadata.clone() else { return };
        let comparison =
            Comparison { member: member.clone(), nodes: shared.directory.clone(), clock: Arc::clone(&shared.clock) };
        self.spawn_task(comparison.run());
        let interval = Duration::from_secs(config.metadata_backup_interval_s);
        if let Some(dir) = config.metadata_backup_dir.clone() {
            let kept = config.metadata_backups_kept as usize;
            self.spawn_task(BackupsInDirectory { member, dir, interval, kept }.run());
        }
        if let Some(backups) = self.backups.clone().filter(|_| config.metadata_backups_in_store > 0) {
            self.spawn_task(backups.run(interval));
        }
    }

    /// Runs a task until the process stops.
    fn spawn_task(&self, task: impl Future<Output = ()> + Send + 'static) {
        let shutdown = self.shutdown.clone();
        self.servers.spawn(async move {
            tokio::select! {
                () = task => {}
                () = shutdown.cancelled() => {}
            }
        });
    }

    fn spawn(&self, listener: TcpListener, router: Router) {
        self.servers.spawn(listener::serve(listener, router, self.shutdown.clone()));
    }

    fn rpc_router(&self, auth: &RpcAuth) -> Router {
        let mut router = Router::new();
        if let Some(metadata) = &self.metadata {
            router = router.merge(cairn_metadata::router(metadata.clone(), auth.clone()));
        }
        if let Some(storage) = &self.storage {
            router = router.merge(cairn_storage_node::router(storage.clone(), auth.clone()));
        }
        router
    }

    /// Waits for requests under way, then stops the roles: those that write last are stopped first.
    async fn stop(self) {
        self.servers.wait().await;
        drop(self.backups);
        if let Some(storage) = self.storage {
            storage.shutdown().await;
        }
        if let Some(metadata) = self.metadata {
            metadata.shutdown().await;
        }
    }
}

/// The sockets of a process.
struct Listeners {
    s3: Option<TcpListener>,
    admin: TcpListener,
    rpc: Option<TcpListener>,
}

impl Listeners {
    async fn bind(config: &Config) -> Result<Self, ListenError> {
        let s3 = if config.has(Role::Gateway) {
            Some(listener::bind(&config.s3_addr, "S3", "--s3-addr").await?)
        } else {
            None
        };
        let admin = listener::bind(&config.admin_addr, "the admin API", "--admin-addr").await?;
        let serves_rpc = config.has(Role::Metadata) || config.has(Role::StorageNode);
        // With all roles in one process there is nobody else to talk to.
        let rpc = if serves_rpc && !config.is_all_in_one() {
            Some(listener::bind(&config.rpc_addr, "internal RPC", "--rpc-addr").await?)
        } else {
            None
        };
        Ok(Self { s3, admin, rpc })
    }

    fn s3_addr(&self) -> Option<SocketAddr> {
        self.s3.as_ref().and_then(|l| l.local_addr().ok())
    }

    fn admin_addr(&self) -> Option<SocketAddr> {
        self.admin.local_addr().ok()
    }
}

async fn start_metadata(config: &Config, shared: &Shared) -> Result<cairn_metadata::Handle, ServerError> {
    let mut options = cairn_metadata::Options::new(crate::offline::metadata_dir(config));
    options.member_id = config.metadata_id;
    options.members = config.founders();
    options.advertise.clone_from(&config.rpc_advertise);
    options.known_cluster = cairn_storage_node::known_cluster(&storage_state_dir(config))?;
    options.failure_domain = failure_domain(&config.failure_domain);
    options.reclaim_grace = Duration::from_secs(config.reclaim_grace_s);
    options.session_lease = Duration::from_secs(config.session_lease_s);
    options.cache_bytes = usize::try_from(config.metadata_cache_bytes).unwrap_or(usize::MAX);
    options.verify_at_start = config.metadata_verify_at_start;
    options.repair_grace = Duration::from_secs(config.repair_grace_s);
    options.repair.bytes_per_s_max = config.repair_bytes_per_s_max;
    options.repair.bytes_per_s_busy_max = config.repair_bytes_per_s_busy_max;
    options.repair.bytes_per_s_min = config.repair_bytes_per_s_min;
    options.node_silence = Duration::from_secs(config.node_silence_s);
    options.lifecycle_interval = Duration::from_secs(config.lifecycle_interval_s);
    options.lifecycle_day = Duration::from_secs(config.lifecycle_day_s);
    if config.lifecycle_day_s != STANDARD_DAY_S {
        let day_s = config.lifecycle_day_s;
        tracing::warn!(
            day_s,
            "lifecycle_day_s is set: lifecycle rules count in days of that length. It is for tests only"
        );
    }
    let deps = cairn_metadata::Dependencies {
        clock: Arc::clone(&shared.clock),
        random: Arc::clone(&shared.random),
        storage: shared.directory.clone(),
        rpc: shared.rpc.clone(),
    };
    Ok(MetadataService::start(options, deps).await?)
}

/// Seconds of a day; any other length is for tests.
const STANDARD_DAY_S: u64 = 24 * 3600;

fn system_backups(config: &Config, shared: &Shared, member: cairn_metadata::Handle) -> BackupsInStore {
    BackupsInStore {
        member,
        nodes: shared.directory.clone(),
        clock: Arc::clone(&shared.clock),
        random: Arc::clone(&shared.random),
        spool: config.data.join("metadata-backup.spool"),
        kept: config.metadata_backups_in_store as usize,
        running: tokio::sync::Mutex::default(),
    }
}

fn start_storage(
    config: &Config,
    shared: &Shared,
    metadata: Arc<dyn Metadata>,
) -> Result<cairn_storage_node::Handle, ServerError> {
    let mut options =
        cairn_storage_node::Options::new(storage_state_dir(config), config.disks.clone(), &config.node_name);
    options.rpc_addr.clone_from(&config.rpc_advertise);
    options.labels = Labels { zone: config.zone.clone(), rack: config.rack.clone() };
    options.collect_interval = Duration::from_secs(config.collect_interval_s);
    options.scrub.period = Duration::from_secs(config.scrub_period_s);
    options.scrub.bytes_per_s_max = config.scrub_bytes_per_s_max;
    options.compact_dead_percent = config.compact_dead_percent;
    options.compact_bytes_per_s_max = config.compact_bytes_per_s_max;
    options.reserve_bytes = (config.reserve_bytes > 0).then_some(config.reserve_bytes);
    let deps = cairn_storage_node::Dependencies {
        clock: Arc::clone(&shared.clock),
        random: Arc::clone(&shared.random),
        metadata,
        peers: shared.directory.clone(),
    };
    let handle = StorageNodeService::start(options, deps)?;
    shared.directory.add_local(handle.id(), Arc::new(handle.clone()));
    Ok(handle)
}

fn start_gateway(
    config: &Config,
    data_dir: &DataDir,
    shared: &Shared,
    keys: &LoadedCredentials,
    metadata: Arc<dyn Metadata>,
) -> Result<Gateway, ServerError> {
    let options = cairn_gateway::Options {
        id: data_dir.gateway_id(&*shared.random)?,
        region: config.region.clone(),
        domains: config.domains.clone(),
        root: Credentials::new(keys.root.access_key.clone(), keys.root.secret_key.clone()),
        memory_bytes: config.memory_bytes,
        lifecycle_day: Duration::from_secs(config.lifecycle_day_s),
    };
    let (clock, random) = (Arc::clone(&shared.clock), Arc::clone(&shared.random));
    Ok(Gateway::start(options, metadata, shared.directory.clone(), clock, random))
}

pub(crate) fn storage_state_dir(config: &Config) -> PathBuf {
    config.data.join("storage-node")
}

/// The level by name; the configuration has checked the name.
pub(crate) fn failure_domain(name: &str) -> FailureDomain {
    match name {
        "node" => FailureDomain::Node,
        "rack" => FailureDomain::Rack,
        "zone" => FailureDomain::Zone,
        _ => FailureDomain::Disk,
    }
}

/// Time between two looks at whether the metadata member's store has failed, and between two lines that say so.
const FAILURE_POLL: Duration = Duration::from_millis(500);
const FAILURE_LINE: Duration = Duration::from_secs(30);

/// Returns why the member of this process takes no part any more. Where the process has disks whose metadata is elsewhere
/// too, it never returns: the member stands down, the disks go on, and the log says so again and again.
async fn member_failed(member: Option<cairn_metadata::Handle>, disks_go_on: bool) -> String {
    let Some(member) = member else { return std::future::pending().await };
    let reason = loop {
        match member.failure() {
            Some(reason) => break reason,
            None => tokio::time::sleep(FAILURE_POLL).await,
        }
    };
    if !disks_go_on {
        return reason;
    }
    loop {
        tracing::error!(
            "the metadata member has failed and stands down, the disks of this process go on: {reason}. Look at the disk of \
             the metadata and its free space, then restart the process"
        );
        tokio::time::sleep(FAILURE_LINE).await;
    }
}

/// Time between two looks at whether the roles are up.
const READY_POLL: Duration = Duration::from_millis(20);

async fn wait_until_ready(gateway: Option<&Gateway>, storage: Option<&cairn_storage_node::Handle>) {
    let ready = || gateway.is_none_or(Gateway::is_ready) && storage.is_none_or(cairn_storage_node::Handle::is_ready);
    while !ready() {
        tokio::time::sleep(READY_POLL).await;
    }
}

/// Returns at the first SIGTERM or SIGINT. A second one ends the process at once, which loses nothing acknowledged.
async fn shutdown_signal() -> Result<(), std::io::Error> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut either = async move || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    either().await;
    tokio::spawn(async move {
        either().await;
        std::process::exit(130);
    });
    Ok(())
}
