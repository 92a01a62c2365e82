//! `GET /health`: for load balancers and start scripts.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use serde::Serialize;

use super::state::AdminState;

/// What `GET /health` answers.
#[derive(Serialize)]
#[serde(tag = "status", rename_all = "lowercase")]
enum Health {
    Ok {
        /// Version of the cluster map that the gateway here uses: it shows which gateway lags behind.
        #[serde(skip_serializing_if = "Option::is_none")]
        map_epoch: Option<u64>,
    },
    Starting,
    /// The metadata member of this process has failed.
    Failed {
        reason: String,
    },
}

impl Health {
    fn of(state: &AdminState) -> Self {
        if let Some(reason) = state.member.as_ref().and_then(cairn_metadata::Handle::failure) {
            Self::Failed { reason }
        } else if *state.ready.borrow() {
            Self::Ok { map_epoch: state.gateway.as_ref().map(|gateway| gateway.map_epoch().0) }
        } else {
            Self::Starting
        }
    }
}

/// 200 while this process serves, else 503.
pub(super) async fn show(State(state): State<AdminState>) -> Response {
    let health = Health::of(&state);
    let code = if matches!(health, Health::Ok { .. }) { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(health)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_is_one_object_with_its_status() {
        let check = |health: Health, json: &str| assert_eq!(serde_json::to_string(&health).unwrap(), json);
        check(Health::Ok { map_epoch: Some(7) }, r#"{"status":"ok","map_epoch":7}"#);
        check(Health::Ok { map_epoch: None }, r#"{"status":"ok"}"#);
        check(Health::Starting, r#"{"status":"starting"}"#);
        check(Health::Failed { reason: "no space".into() }, r#"{"status":"failed","reason":"no space"}"#);
    }
}
