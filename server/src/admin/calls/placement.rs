//! `GET /v1/placement/{bucket}/{key}`: every shard of an object, and where it is.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use cairn_core::cluster_map::ClusterMap;
use cairn_core::id::DiskNumber;
use cairn_core::name::{BucketName, ObjectKey};
use cairn_protocol::metadata::query::GetObject;
use cairn_protocol::metadata::{LocatedExtent, MetadataError, MetadataExt};
use serde::Deserialize;

use crate::admin::answer::{AdminError, error};
use crate::admin::model::{DiskState, PlacedExtent, PlacedShard, Placement, ShardHolds};
use crate::admin::state::AdminState;

/// Extents that one answer explains: 64 GiB of an object.
const EXTENTS_MAX: u32 = 1024;

/// The parameters of the path.
#[derive(Deserialize)]
pub(crate) struct ObjectPath {
    bucket: String,
    key: String,
}

pub(crate) async fn explain(
    State(state): State<AdminState>,
    Path(ObjectPath { bucket, key }): Path<ObjectPath>,
) -> Result<Response, AdminError> {
    let (Ok(bucket), Ok(key)) = (BucketName::new(&bucket), ObjectKey::new(&key)) else {
        return Ok(error(StatusCode::BAD_REQUEST, "InvalidName", "the path does not name a bucket and a key"));
    };
    let query = GetObject { bucket, key, part: None, range: None, extents: EXTENTS_MAX, version: None };
    let view = match state.metadata.ask(query).await {
        Ok(view) => view,
        Err(MetadataError::Rejected(why)) => {
            return Ok(error(StatusCode::NOT_FOUND, "NoSuchObject", &why.to_string()));
        }
        Err(other) => return Err(other.into()),
    };
    let map = state.cluster_map().await?;
    let extents = view.located.iter().map(|extent| describe(&map, extent)).collect();
    let (size, storage_class) = (view.version.size, view.version.storage_class.name().to_owned());
    Ok(Json(Placement { size, storage_class, extents }).into_response())
}

fn describe(map: &ClusterMap, extent: &LocatedExtent) -> PlacedExtent {
    let shard = |(index, location): (u8, &Option<DiskNumber>)| {
        let disk = location.and_then(|number| map.disk(number));
        let node = disk.and_then(|disk| map.node(disk.node));
        PlacedShard {
            shard: index,
            holds: if index < extent.geometry.data_shards { ShardHolds::Data } else { ShardHolds::Parity },
            disk: location.map(|number| u64::from(number.0)),
            node: node.map(|node| node.name.clone()),
            rack: node.map(|node| node.labels.rack.clone()),
            zone: node.map(|node| node.labels.zone.clone()),
            state: disk.map_or(DiskState::Nowhere, |disk| disk.state.into()),
        }
    };
    PlacedExtent {
        id: extent.id.to_string(),
        offset: extent.offset,
        bytes: extent.geometry.length,
        profile: format!("{}+{}", extent.geometry.data_shards, extent.geometry.parity_shards),
        generation: extent.generation.0,
        shards: (0u8..).zip(&extent.locations).map(shard).collect(),
    }
}
