//! The admin API: REST/JSON under `/v1`, signed with SigV4 (service `cairn-admin`). Health is open to everybody.

mod auth;
mod cluster;
mod disks;
mod drain;
mod metadata;
pub mod model;
#[cfg(test)]
mod openapi;
mod parameters;
mod placement;
mod profiles;
mod rebalance;
mod repair;
mod scrub;
mod verify;

pub use auth::{REGION, SERVICE};
pub(crate) use cluster::profile_line;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use cairn_core::clock::Clock;
use cairn_gateway::Gateway;
use cairn_protocol::metadata::{Metadata, MetadataError};
use cairn_protocol::sigv4::{Credentials, SigningKeyCache};
use cairn_protocol::storage::StorageDirectory;
use cairn_recovery::backup::BackupsInStore;
use serde_json::json;

/// What the handlers need.
#[derive(Clone)]
pub(crate) struct AdminState {
    pub(crate) metadata: Arc<dyn Metadata>,
    pub(crate) storage: StorageDirectory,
    /// The metadata member in this process, if there is one.
    pub(crate) member: Option<cairn_metadata::Handle>,
    /// The gateway in this process, if there is one.
    pub(crate) gateway: Option<Gateway>,
    /// Backups into the store, where there is a member.
    pub(crate) backups: Option<Arc<BackupsInStore>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) root: Credentials,
    pub(crate) keys: Arc<SigningKeyCache>,
    /// Becomes true once the roles of this process serve.
    pub(crate) ready: tokio::sync::watch::Receiver<bool>,
}

/// The admin API's routes.
pub(crate) fn router(state: AdminState) -> Router {
    let signed = Router::new()
        .route("/v1/cluster", get(cluster::show))
        .route("/v1/disks", get(disks::list))
        .route("/v1/scrub", get(scrub::status).post(scrub::start))
        .route("/v1/metadata/members", get(metadata::list))
        .route("/v1/metadata/members/{member}", axum::routing::delete(metadata::remove))
        .route("/v1/metadata/members/{member}/{addr}", axum::routing::post(metadata::add))
        .route("/v1/metadata/leader/{member}", axum::routing::post(metadata::transfer))
        .route("/v1/metadata/backup", get(metadata::backup))
        .route("/v1/metadata/backups", post(metadata::store_backup))
        .route("/v1/metadata/findings", get(metadata::findings))
        .route("/v1/metadata/deletions", axum::routing::post(metadata::resume_deletions))
        .route("/v1/disks/{number}", get(drain::show).delete(drain::remove))
        .route("/v1/disks/{number}/drain", post(drain::drain).delete(drain::cancel))
        .route("/v1/placement/{bucket}/{*key}", get(placement::explain))
        .route("/v1/profiles", get(profiles::list))
        .route("/v1/profiles/rules", get(profiles::rules).post(profiles::set))
        .route("/v1/rebalance", get(rebalance::show).post(rebalance::start).delete(rebalance::stop))
        .route("/v1/repair", get(repair::show))
        .route("/v1/repair/queue", get(repair::queue))
        .route("/v1/verify", get(verify::show).post(verify::start))
        .layer(axum::middleware::from_fn_with_state(state.clone(), auth::require_signature));
    Router::new().route("/health", get(health)).merge(signed).fallback(no_such_route).with_state(state)
}

/// What `GET /health` answers.
#[derive(serde::Serialize)]
struct Health {
    status: &'static str,
    /// Version of the cluster map that the gateway here goes by: it shows which gateway lags behind.
    #[serde(skip_serializing_if = "Option::is_none")]
    map_epoch: Option<u64>,
}

/// 200 once this process serves, 503 before: for load balancers and start scripts.
async fn health(State(state): State<AdminState>) -> Response {
    if let Some(reason) = state.member.as_ref().and_then(cairn_metadata::Handle::failure) {
        let body = json!({ "status": "failed", "reason": reason });
        return (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response();
    }
    if *state.ready.borrow() {
        let map_epoch = state.gateway.as_ref().map(|gateway| gateway.map_epoch().0);
        Json(Health { status: "ok", map_epoch }).into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, Json(Health { status: "starting", map_epoch: None })).into_response()
    }
}

async fn no_such_route() -> Response {
    error(
        StatusCode::NOT_FOUND,
        "NoSuchRoute",
        "the admin API has no such path; the paths are listed in docs/admin-api.md",
    )
}

/// An error as JSON: a code for programs and a sentence for people.
fn error(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({ "code": code, "message": message }))).into_response()
}

/// A failed call to the metadata service.
struct AdminError(MetadataError);

impl From<MetadataError> for AdminError {
    fn from(error: MetadataError) -> Self {
        Self(error)
    }
}

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        match &self.0 {
            MetadataError::Rejected(rejection) => error(StatusCode::CONFLICT, "Refused", &rejection.to_string()),
            other => error(StatusCode::SERVICE_UNAVAILABLE, "MetadataUnavailable", &other.to_string()),
        }
    }
}
