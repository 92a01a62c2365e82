//! `POST /v1/verify` starts a verification of metadata against the disks; `GET /v1/verify` shows it.

use axum::extract::State;
use axum::response::Json;
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::query::{self, GetVerification};

use crate::admin::answer::AdminError;
use crate::admin::model::{Amount, AtRisk, ObjectAtRisk, Verification, VerifiedDisk, VerifyReport};
use crate::admin::state::AdminState;

pub(crate) async fn show(State(state): State<AdminState>) -> Result<Json<Verification>, AdminError> {
    Ok(Json(convert(state.metadata.ask(GetVerification { start: false }).await?)))
}

pub(crate) async fn start(State(state): State<AdminState>) -> Result<Json<Verification>, AdminError> {
    Ok(Json(convert(state.metadata.ask(GetVerification { start: true }).await?)))
}

fn convert(found: query::Verification) -> Verification {
    Verification {
        number: found.begun,
        is_running: found.is_running,
        shards_compared: found.shards_compared,
        shards_expected: found.shards_expected,
        report: found.report.map(report),
    }
}

fn report(found: query::VerifyReport) -> VerifyReport {
    let amount = |amount: query::Amount| Amount { objects: amount.objects, bytes: amount.bytes };
    let at_risk = |(spare, objects): (u8, query::Amount)| AtRisk { spare, amount: amount(objects) };
    let object =
        |object: query::ObjectAtRisk| ObjectAtRisk { bucket: object.bucket, key: object.key, spare: object.spare };
    let disk = |disk: query::VerifiedDisk| VerifiedDisk {
        number: u64::from(disk.disk.0),
        good: disk.good,
        missing: disk.missing,
        unknown: disk.unknown,
        error: disk.error,
    };
    VerifyReport {
        commit: found.commit.0,
        whole: amount(found.whole),
        at_risk: found.at_risk.into_iter().map(at_risk).collect(),
        lost: amount(found.lost),
        listed: found.listed.into_iter().map(object).collect(),
        extents: found.extents,
        extents_at_risk: found.extents_at_risk,
        crowded_extents: found.crowded_extents,
        disks: found.disks.into_iter().map(disk).collect(),
    }
}
