//! `/v1/profiles`: how objects are coded, and the rules for new ones.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use cairn_core::cluster_map::{self, ClusterMap};
use cairn_core::id::{ExtentId, ProfileId, SessionId};
use cairn_core::limits::{CELL_BYTES_DEFAULT, TINY_OBJECT_BYTES_MAX};
use cairn_core::name::BucketName;
use cairn_core::placement::{choose, shortfall};
use cairn_core::profile::{FailureDomain, Profile, UnknownFailureDomain};
use cairn_core::storage_class::StorageClass;
use cairn_protocol::metadata::command::{ProfileShape, SetClassProfile, SetProfile};
use cairn_protocol::metadata::{MetadataError, MetadataExt, Rejection};

use crate::admin::answer::{AdminError, error, invalid_parameter};
use crate::admin::model::{ProfileEntry, ProfileMaker, ProfileRule};
use crate::admin::parameters::Parameters;
use crate::admin::state::AdminState;

/// Why a request is invalid.
#[derive(Debug, thiserror::Error)]
enum InvalidRule {
    #[error(transparent)]
    Parameter(#[from] crate::admin::parameters::InvalidParameter),
    #[error("{0:?} is not a bucket's name: {1}")]
    Bucket(String, cairn_core::name::BucketNameError),
    #[error("{0:?} is not a storage class that Cairn has: use one of {names}", names = class_names())]
    Class(String),
    #[error("{0:?} is not a level of failure domains: use disk, node, rack or zone")]
    Domain(String),
    #[error("a profile has `data` and `parity` shards; with `default=true` the profile follows the cluster's size")]
    NoShape,
}

/// `GET /v1/profiles`
pub(crate) async fn list(State(state): State<AdminState>) -> Result<Json<Vec<ProfileEntry>>, AdminError> {
    let map = state.cluster_map().await?;
    let own = map.profiles.iter().map(|profile| entry(profile, ProfileMaker::Cluster));
    Ok(Json(own.chain(map.made.iter().map(|profile| entry(profile, ProfileMaker::Operator))).collect()))
}

/// What a rule applies to: a bucket or all, a storage class or all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Scope {
    bucket: Option<BucketName>,
    class: Option<StorageClass>,
}

/// `GET /v1/profiles/rules[?bucket=NAME][&class=CLASS]`
pub(crate) async fn rules(State(state): State<AdminState>, RawQuery(query): RawQuery) -> Result<Response, AdminError> {
    let map = state.cluster_map().await?;
    let scope = match scope(&Parameters::new(query)) {
        Ok(scope) => scope,
        Err(why) => return Ok(invalid_parameter(&why)),
    };
    if scope != Scope::default() {
        return Ok(Json(vec![describe(&map, &scope)]).into_response());
    }
    let mut scopes: Vec<Scope> = vec![scope];
    let of = |rule: &cluster_map::ProfileRule| Scope { bucket: rule.bucket.clone(), class: rule.class };
    let narrow = map.all_rules().map(of).filter(|own| *own != Scope::default());
    scopes.extend(narrow);
    Ok(Json(scopes.iter().map(|scope| describe(&map, scope)).collect::<Vec<_>>()).into_response())
}

/// `POST /v1/profiles/rules?…`
pub(crate) async fn set(State(state): State<AdminState>, RawQuery(query): RawQuery) -> Result<Response, AdminError> {
    let (map, parameters) = (state.cluster_map().await?, Parameters::new(query));
    let (rule, class) = match wanted(&map, &parameters) {
        Ok(wanted) => wanted,
        Err(why) => return Ok(invalid_parameter(&why)),
    };
    let lacks = rule.shapes.and_then(|(large, small)| lacks(&map, &[large, small].map(profile_of)));
    if let Some(lacks) = lacks.filter(|_| !parameters.is_true("force")) {
        let text = format!(
            "{lacks}. Add them first, or set it all the same with --force: until they are there, new objects get what the \
             cluster's size allows"
        );
        return Ok(error(StatusCode::CONFLICT, "CannotBePlaced", &text));
    }
    let scope = Scope { bucket: rule.bucket.clone(), class };
    if !parameters.is_true("dry_run") {
        tracing::warn!(?rule, ?class, "the operator set a profile");
        let done = match class {
            Some(class) => state.metadata.run(SetClassProfile { class, rule }).await,
            None => state.metadata.run(rule).await,
        };
        match done {
            Ok(()) => {}
            Err(MetadataError::Rejected(Rejection::Topology(why))) => {
                return Ok(error(StatusCode::CONFLICT, "NotAllowed", &why));
            }
            Err(other) => return Err(other.into()),
        }
    }
    Ok(Json(describe(&state.cluster_map().await?, &scope)).into_response())
}

/// The names of all storage classes, for people.
fn class_names() -> String {
    StorageClass::ALL.map(StorageClass::name).join(", ")
}

fn scope(parameters: &Parameters) -> Result<Scope, InvalidRule> {
    let bucket = |text: &str| BucketName::new(text).map_err(|why| InvalidRule::Bucket(text.to_owned(), why));
    let class = |text: &str| StorageClass::parse(text).ok_or_else(|| InvalidRule::Class(text.to_owned()));
    Ok(Scope {
        bucket: parameters.text("bucket").map(bucket).transpose()?,
        class: parameters.text("class").map(class).transpose()?,
    })
}

/// The rule that the request sets, and its storage class.
fn wanted(map: &ClusterMap, parameters: &Parameters) -> Result<(SetProfile, Option<StorageClass>), InvalidRule> {
    let Scope { bucket, class } = scope(parameters)?;
    if parameters.is_true("default") {
        return Ok((SetProfile { bucket, shapes: None, small_bytes_max: 0 }, class));
    }
    let (Some(data), Some(parity)) = (parameters.number::<u8>("data")?, parameters.number::<u8>("parity")?) else {
        return Err(InvalidRule::NoShape);
    };
    let domain = match parameters.text("domain") {
        None => map.profiles.first().map_or(FailureDomain::Disk, |profile| profile.failure_domain),
        Some(name) => name.parse().map_err(|UnknownFailureDomain(name)| InvalidRule::Domain(name))?,
    };
    let cell_bytes = parameters.number("cell_bytes")?.unwrap_or(CELL_BYTES_DEFAULT);
    let shape = |data_shards: u8, parity_shards: u8, write_quorum: Option<u8>| ProfileShape {
        data_shards,
        parity_shards,
        cell_bytes,
        write_quorum: write_quorum.unwrap_or(data_shards.saturating_add(parity_shards.min(1))),
        failure_domain: domain,
    };
    let small_data = parameters.number("small_data")?.unwrap_or(1);
    let small_parity = parameters.number("small_parity")?.unwrap_or(parity);
    let shapes = (shape(data, parity, parameters.number("write_quorum")?), shape(small_data, small_parity, None));
    let small_bytes_max = parameters.number("small_bytes")?.unwrap_or(TINY_OBJECT_BYTES_MAX);
    Ok((SetProfile { bucket, shapes: Some(shapes), small_bytes_max }, class))
}

/// A shape as a profile, with an id that no extent has.
fn profile_of(shape: ProfileShape) -> Profile {
    let ProfileShape { data_shards, parity_shards, cell_bytes, write_quorum, failure_domain } = shape;
    Profile { id: ProfileId(0), data_shards, parity_shards, cell_bytes, write_quorum, failure_domain }
}

/// Why the cluster cannot place the profiles; `None` if it can.
fn lacks(map: &ClusterMap, profiles: &[Profile]) -> Option<String> {
    profiles.iter().find_map(|profile| {
        // A profile that is invalid in itself is refused with a reason of its own.
        let short = profile.check().ok().and_then(|()| shortfall(map, profile))?;
        Some(format!("{profile} cannot be placed: {short}"))
    })
}

fn describe(map: &ClusterMap, scope: &Scope) -> ProfileRule {
    let (bucket, class) = (scope.bucket.as_ref(), scope.class);
    let rule = map.rule(bucket, class);
    let small_bytes_max = rule.map_or(TINY_OBJECT_BYTES_MAX, |rule| rule.small_bytes_max);
    let any = ExtentId::new(SessionId(0), 0);
    let now = |bytes| choose(map, bucket, class, bytes, any, |_| true).map(|(profile, _)| profile).ok();
    let wanted = |bytes| rule.and_then(|rule| map.profile(rule.pick(bytes)).copied());
    let (small_now, large_now) = (now(small_bytes_max), now(u64::MAX));
    let (small, large) = (wanted(small_bytes_max).or(small_now), wanted(u64::MAX).or(large_now));
    let name = |profile: Option<Profile>| profile.map_or_else(|| "none".to_owned(), |profile| profile.to_string());
    let made_by = if rule.is_some() { ProfileMaker::Operator } else { ProfileMaker::Cluster };
    let own = |profile: Option<Profile>| profile.map(|profile| entry(&profile, made_by));
    let set: Vec<Profile> = small.into_iter().chain(large).filter(|_| rule.is_some()).collect();
    ProfileRule {
        bucket: bucket.map(|bucket| bucket.as_str().to_owned()),
        class: class.map(|class| class.name().to_owned()),
        is_set: rule.is_some_and(|rule| rule.scope() == (bucket, class)),
        follows: rule.map(|rule| title(rule.bucket.as_ref(), rule.class)),
        small_bytes_max,
        small: own(small),
        large: own(large),
        small_now: name(small_now),
        large_now: name(large_now),
        lacks: lacks(map, &set),
    }
}

/// What a rule applies to, for people.
fn title(bucket: Option<&BucketName>, class: Option<StorageClass>) -> String {
    let parts = [bucket.map(|bucket| format!("bucket {bucket}")), class.map(|class| format!("class {class}"))];
    let named: Vec<String> = parts.into_iter().flatten().collect();
    if named.is_empty() { "all".to_owned() } else { named.join(", ") }
}

fn entry(profile: &Profile, made_by: ProfileMaker) -> ProfileEntry {
    ProfileEntry {
        id: profile.id.0,
        name: profile.to_string(),
        data_shards: profile.data_shards,
        parity_shards: profile.parity_shards,
        cell_bytes: profile.cell_bytes,
        write_quorum: profile.write_quorum,
        failure_domain: profile.failure_domain.into(),
        made_by,
    }
}
