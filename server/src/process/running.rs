//! The parts of a running process, and the order in which they start and stop.

use std::sync::Arc;

use axum::Router;
use cairn_gateway::Gateway;
use cairn_protocol::metadata::OperatedMetadata;
use cairn_protocol::net::Listener;
use cairn_protocol::rpc::{Acceptor, Identity};
use cairn_protocol::sigv4::{Credentials, SigningKeyCache};
use cairn_recovery::backup::BackupsInStore;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::announce::{Announce, Announcement, Banner};
use crate::admin::{self, AdminState};
use crate::config::{Config, Role};
use crate::credentials;
use crate::data_dir::DataDir;
use crate::error::ServerError;
use crate::listeners::{self, Listeners};
use crate::roles::{self, Shared};
use crate::system::System;

/// The parts of a running process.
pub(super) struct Process {
    metadata: Option<cairn_metadata::Handle>,
    storage: Option<cairn_storage_node::Handle>,
    gateway: Option<Gateway>,
    backups: Option<Arc<BackupsInStore>>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

impl Process {
    /// Starts the roles of `config`: metadata first, since the others ask it.
    pub(super) async fn start(
        config: &Config,
        data_dir: &DataDir,
        system: System,
        announce: Announce,
    ) -> Result<Self, ServerError> {
        let keys = credentials::root(&config.root, &config.server, &*system.random)?;
        let root = Credentials::new(keys.root.access_key.clone(), keys.root.secret_key.clone());
        let secret = credentials::cluster_secret(&config.cluster, &config.server, &*system.random)?;
        // Addresses are bound before anything is started, so that a taken port changes nothing.
        let listeners = Listeners::bind(&config.server, &config.gateway, &*system.listen).await?;
        let shared = Shared::new(&Identity { secret, roles: roles::declared(&config.server) }, system);
        let member = if config.server.has(Role::Metadata) {
            Some(
                roles::metadata::start(&config.server, &config.metadata, &config.repair, &config.lifecycle, &shared)
                    .await?,
            )
        } else {
            None
        };
        let metadata = roles::metadata::connect(&config.cluster, &shared, member.as_ref());
        let storage = if config.server.has(Role::StorageNode) {
            Some(roles::storage_node::start(
                &config.server,
                &config.storage_node,
                &config.scrub,
                &config.compaction,
                &shared,
                metadata.clone(),
            )?)
        } else {
            None
        };
        let gateway = if config.server.has(Role::Gateway) {
            Some(roles::gateway::start(
                &config.gateway,
                &config.lifecycle,
                data_dir,
                &shared,
                root.clone(),
                metadata.clone(),
            )?)
        } else {
            None
        };
        let backups = member.clone().map(|member| Arc::new(roles::backups::in_store(&config.backup, &shared, member)));
        let process = Self {
            metadata: member,
            storage,
            gateway,
            backups,
            tasks: TaskTracker::new(),
            shutdown: CancellationToken::new(),
        };
        process.maintain_metadata(config, &shared);
        let (ready, is_ready) = watch::channel(false);
        let admin = process.admin_state(&shared, metadata, root, is_ready);
        let (s3_addr, admin_addr) = (listeners.s3_addr(), listeners.admin_addr());
        process.serve(listeners, shared.acceptor.clone(), admin.clone());
        let banner =
            admin_addr.filter(|_| announce == Announce::Banner).map(|admin_addr| Banner { s3_addr, admin_addr, keys });
        let (gateway, storage) = (process.gateway.clone(), process.storage.clone());
        process.spawn_task(Announcement { gateway, storage, admin, ready, banner }.run());
        process.tasks.close();
        Ok(process)
    }

    /// The metadata member, if this process has one.
    pub(super) fn metadata(&self) -> Option<cairn_metadata::Handle> {
        self.metadata.clone()
    }

    /// The storage node, if this process has one.
    pub(super) fn storage(&self) -> Option<cairn_storage_node::Handle> {
        self.storage.clone()
    }

    fn admin_state(
        &self,
        shared: &Shared,
        metadata: Arc<dyn OperatedMetadata>,
        root: Credentials,
        ready: watch::Receiver<bool>,
    ) -> AdminState {
        AdminState {
            metadata,
            storage: shared.directory.clone(),
            member: self.metadata.clone(),
            gateway: self.gateway.clone(),
            backups: self.backups.clone(),
            clock: Arc::clone(&shared.system.clock),
            root,
            keys: Arc::new(SigningKeyCache::new()),
            ready,
        }
    }

    fn serve(&self, listeners: Listeners, acceptor: Acceptor, admin: AdminState) {
        if let (Some(listener), Some(gateway)) = (listeners.s3, &self.gateway) {
            self.spawn_server(listener, gateway.router(), None);
        }
        if let Some(listener) = listeners.rpc {
            self.spawn_server(listener, self.rpc_router(), Some(acceptor));
        }
        self.spawn_server(listeners.admin, admin::router(admin), None);
    }

    fn rpc_router(&self) -> Router {
        let mut router = Router::new();
        if let Some(metadata) = &self.metadata {
            router = router.merge(cairn_metadata::router(metadata.clone()));
        }
        if let Some(storage) = &self.storage {
            router = router.merge(cairn_storage_node::router(storage.clone()));
        }
        router
    }

    /// Backs the metadata up at intervals, and compares a restored service with the disks, if this process has a member.
    fn maintain_metadata(&self, config: &Config, shared: &Shared) {
        let Some(member) = self.metadata.clone() else { return };
        self.spawn_task(roles::backups::comparison(shared, member.clone()).run());
        if let Some(backups) = roles::backups::in_directory(&config.backup, member) {
            self.spawn_task(backups.run());
        }
        if let Some(backups) = self.backups.clone().filter(|_| config.backup.kept_in_store > 0) {
            self.spawn_task(backups.run(config.backup.interval));
        }
    }

    /// Runs a task until the process stops.
    pub(super) fn spawn_task(&self, task: impl Future<Output = ()> + Send + 'static) {
        let shutdown = self.shutdown.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = task => {}
                () = shutdown.cancelled() => {}
            }
        });
    }

    fn spawn_server(&self, listener: Box<dyn Listener>, router: Router, acceptor: Option<Acceptor>) {
        self.tasks.spawn(listeners::serve(listener, router, acceptor, self.shutdown.clone()));
    }

    /// Waits for requests under way, then stops the roles: those that write last are stopped first.
    pub(super) async fn stop(self) {
        self.shutdown.cancel();
        self.tasks.wait().await;
        drop((self.backups, self.gateway));
        if let Some(storage) = self.storage {
            storage.shutdown().await;
        }
        if let Some(metadata) = self.metadata {
            metadata.shutdown().await;
        }
    }
}
