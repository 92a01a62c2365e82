//! The admin API's routes.

use axum::Router;
use axum::http::StatusCode;
use axum::middleware;
use axum::response::Response;
use axum::routing::{delete, get, post};

use super::answer::error;
use super::calls::{cluster, disks, drain, metadata, placement, profiles, rebalance, repair, scrub, upgrade, verify};
use super::state::AdminState;
use super::{auth, health};

pub(crate) fn router(state: AdminState) -> Router {
    let signed = Router::new()
        .route("/v1/cluster", get(cluster::show))
        .route("/v1/disks", get(disks::list))
        .route("/v1/scrub", get(scrub::status).post(scrub::start))
        .route("/v1/metadata/members", get(metadata::list))
        .route("/v1/metadata/members/{member}", delete(metadata::remove))
        .route("/v1/metadata/members/{member}/{addr}", post(metadata::add))
        .route("/v1/metadata/leader/{member}", post(metadata::transfer))
        .route("/v1/metadata/backup", get(metadata::backup))
        .route("/v1/metadata/backups", post(metadata::store_backup))
        .route("/v1/metadata/findings", get(metadata::findings))
        .route("/v1/metadata/deletions", post(metadata::resume_deletions))
        .route("/v1/disks/{number}", get(drain::show).delete(drain::remove))
        .route("/v1/disks/{number}/drain", post(drain::drain).delete(drain::cancel))
        .route("/v1/placement/{bucket}/{*key}", get(placement::explain))
        .route("/v1/profiles", get(profiles::list))
        .route("/v1/profiles/rules", get(profiles::rules).post(profiles::set))
        .route("/v1/rebalance", get(rebalance::show).post(rebalance::start).delete(rebalance::stop))
        .route("/v1/repair", get(repair::show))
        .route("/v1/repair/queue", get(repair::queue))
        .route("/v1/upgrade", get(upgrade::show).post(upgrade::finalize))
        .route("/v1/verify", get(verify::show).post(verify::start))
        .layer(middleware::from_fn_with_state(state.clone(), auth::require_signature));
    Router::new().route("/health", get(health::show)).merge(signed).fallback(no_such_route).with_state(state)
}

async fn no_such_route() -> Response {
    error(
        StatusCode::NOT_FOUND,
        "NoSuchRoute",
        "the admin API has no such path; the paths are listed in docs/admin-api.md",
    )
}
