//! The storage node's side of the internal HTTP interface.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::post;
use bytes::{Bytes, BytesMut};
use cairn_core::cell::{CHECKSUM_BYTES, Cell};
use cairn_core::geometry::Geometry;
use cairn_core::id::DiskId;
use cairn_core::shard::{ShardHeader, split_body};
use cairn_protocol::rpc::{
    CBOR, DeleteShards, DescribeShard, EndDoubt, Inventory, PutShard, ReadCells, Roles, ShardDescription, ShardPage,
    StartScrub, StatusRequest, StoragePath, answer, encode, receive, receive_head,
};
use cairn_protocol::storage::{RebuildOrder, ShardWriter, StorageError, StorageErrorKind, StorageNode};
use futures_util::{StreamExt, stream};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};

use super::handle::Handle;

/// Longest message, in bytes: an order to delete.
const MESSAGE_BYTES_MAX: usize = 4 << 20;
/// Bytes of cells in one append.
const APPEND_BYTES: usize = 512 << 10;
/// Shards of at most this many bytes are gathered and stored in one call.
const WHOLE_BYTES_MAX: u64 = 512 << 10;
/// How long a sender may be silent within a shard: its space stays reserved meanwhile.
const IDLE_LIMIT: Duration = Duration::from_secs(30);
/// Bytes of a failed shard that are read and dropped, so that the sender receives the answer.
const DRAIN_BYTES_MAX: usize = 1 << 20;

/// Who reads and writes objects: gateways, and metadata members for their backups.
const CLIENTS: Roles = Roles::GATEWAY.and(Roles::METADATA);
/// Who looks for what a disk holds: members, and an operator who restores one.
const INSPECTORS: Roles = Roles::METADATA.and(Roles::ADMIN);

/// The routes under `/rpc/v1/storage/`. Each names the roles that may call it, and demands that the request came over an
/// authenticated connection (I22).
pub fn router(handle: Handle) -> Router {
    Router::new()
        .route(StoragePath::PUT, post(put_shard))
        .route(StoragePath::OPEN, post(open_shard))
        .route(StoragePath::READ, post(read_cells))
        .route(StoragePath::DELETE, post(delete_shards))
        .route(StoragePath::INVENTORY, post(inventory))
        .route(StoragePath::END_DOUBT, post(end_doubt))
        .route(StoragePath::SCRUB, post(start_scrub))
        .route(StoragePath::DESCRIBE, post(describe_shard))
        .route(StoragePath::REBUILD, post(rebuild_shard))
        .route(StoragePath::STATUS, post(status))
        .with_state(handle)
}

/// The HTTP status for an error; the error itself is in the body.
fn status_of(error: &StorageError) -> StatusCode {
    match error.kind {
        StorageErrorKind::Missing | StorageErrorKind::NoSuchDisk => StatusCode::NOT_FOUND,
        StorageErrorKind::Corrupt | StorageErrorKind::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        StorageErrorKind::Unreachable => StatusCode::BAD_GATEWAY,
        StorageErrorKind::Full => StatusCode::INSUFFICIENT_STORAGE,
        StorageErrorKind::Foreign | StorageErrorKind::Refused => StatusCode::CONFLICT,
        StorageErrorKind::Busy | StorageErrorKind::OutOfResources | StorageErrorKind::Hanging => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        StorageErrorKind::Invalid => StatusCode::BAD_REQUEST,
    }
}

async fn put_shard(State(handle): State<Handle>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let message: PutShard = match receive_head(&parts, CLIENTS) {
        Ok(message) => message,
        Err(refusal) => return refusal.into_response(),
    };
    let mut body = body.into_data_stream();
    let stored = store(&handle, message, &mut body).await;
    if stored.is_err() {
        drain(body).await;
    }
    answer(&stored, status_of)
}

async fn store(handle: &Handle, message: PutShard, body: &mut BodyDataStream) -> Result<(), StorageError> {
    let (disk, header) = checked(message)?;
    let mut cells = CellStream::new(disk, header.geometry, body);
    if header.body_bytes() <= WHOLE_BYTES_MAX {
        let whole = cells.take(WHOLE_BYTES_MAX as usize).await?;
        return handle.put_shard(disk, header, whole).await;
    }
    let writer = handle.open_shard(disk, header).await?;
    fill(writer, cells).await
}

/// Reserves space for a shard and says so before any of its body is read: a caller that is refused still has all of it,
/// and can ask another disk.
async fn open_shard(State(handle): State<Handle>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let message: PutShard = match receive_head(&parts, CLIENTS) {
        Ok(message) => message,
        Err(refusal) => return refusal.into_response(),
    };
    let opened = async {
        let (disk, header) = checked(message)?;
        let geometry = header.geometry;
        Ok((disk, geometry, handle.open_shard(disk, header).await?))
    };
    let (disk, geometry, writer) = match opened.await {
        Ok(opened) => opened,
        // Nothing of the body was sent, so nothing has to be drained.
        Err(error) => return answer(&Err::<(), _>(error), status_of),
    };
    // Whoever drops the answer's body, because the connection is gone, drops the writer and frees the space.
    let outcome = async move {
        let mut body = body.into_data_stream();
        let stored = fill(writer, CellStream::new(disk, geometry, &mut body)).await;
        if stored.is_err() {
            drain(body).await;
        }
        Ok::<_, std::convert::Infallible>(encode(&stored))
    };
    let mut response = Response::new(Body::from_stream(stream::once(outcome)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(CBOR));
    response
}

/// The disk and the header of a message whose shape is possible.
fn checked(message: PutShard) -> Result<(DiskId, ShardHeader), StorageError> {
    let disk = message.disk;
    let header = message.into_header();
    let possible = header.geometry.check();
    possible.map_err(|error| StorageError::new(StorageErrorKind::Invalid, disk, error.to_string()))?;
    Ok((disk, header))
}

/// Appends all `cells` as they arrive, and completes the shard.
async fn fill(mut writer: Box<dyn ShardWriter>, mut cells: CellStream<'_>) -> Result<(), StorageError> {
    loop {
        let some = cells.take(APPEND_BYTES).await?;
        if some.is_empty() {
            return writer.finish().await;
        }
        writer.append(some).await?;
    }
}

/// Cuts a request's body into cells.
struct CellStream<'a> {
    disk: DiskId,
    geometry: Geometry,
    body: &'a mut BodyDataStream,
    next: u32,
    /// Bytes of the next cell that came with the last piece.
    rest: Bytes,
}

impl<'a> CellStream<'a> {
    fn new(disk: DiskId, geometry: Geometry, body: &'a mut BodyDataStream) -> Self {
        Self { disk, geometry, body, next: 0, rest: Bytes::new() }
    }

    /// The next cells, at least `bytes` together; none at the end.
    async fn take(&mut self, bytes: usize) -> Result<Vec<Cell>, StorageError> {
        let (mut cells, mut taken) = (Vec::new(), 0);
        while taken < bytes && self.next < self.geometry.stripes() {
            let length = self.geometry.cell_length(self.next) as usize + CHECKSUM_BYTES;
            let piece = self.exactly(length).await?;
            let cell = split_body(&self.geometry, self.next..self.next + 1, &piece);
            cells.extend(cell.into_iter().flatten());
            self.next += 1;
            taken += length;
        }
        Ok(cells)
    }

    /// The next `bytes` of the body: part of one piece, or several joined.
    async fn exactly(&mut self, bytes: usize) -> Result<Bytes, StorageError> {
        if self.rest.len() >= bytes {
            return Ok(self.rest.split_to(bytes));
        }
        let mut whole = BytesMut::with_capacity(bytes);
        whole.extend_from_slice(&std::mem::take(&mut self.rest));
        while whole.len() < bytes {
            let piece = tokio::time::timeout(IDLE_LIMIT, self.body.next()).await;
            let piece = piece.map_err(|_| self.broken("nothing came for too long"))?;
            let mut piece = piece.transpose().map_err(|e| self.broken(&e.to_string()))?;
            let Some(piece) = piece.as_mut() else { return Err(self.broken("the body ends early")) };
            let wanted = (bytes - whole.len()).min(piece.len());
            whole.extend_from_slice(&piece.split_to(wanted));
            self.rest = piece.split_off(0);
        }
        Ok(whole.freeze())
    }

    fn broken(&self, why: &str) -> StorageError {
        let detail = format!("the shard was cut off after {} cells: {why}", self.next);
        StorageError::new(StorageErrorKind::Invalid, self.disk, detail)
    }
}

async fn drain(mut body: BodyDataStream) {
    let mut drained = 0;
    while drained < DRAIN_BYTES_MAX
        && let Ok(Some(Ok(piece))) = tokio::time::timeout(IDLE_LIMIT, body.next()).await
    {
        drained += piece.len();
    }
}

async fn read_cells(State(handle): State<Handle>, request: Request) -> Response {
    let message: ReadCells = match receive(request, Roles::ANY, MESSAGE_BYTES_MAX).await {
        Ok(message) => message,
        Err(refusal) => return refusal.into_response(),
    };
    let stripes = message.start..message.end;
    match handle.read_body(message.disk, message.shard, message.geometry, stripes).await {
        Ok(body) => Response::new(Body::from(body)),
        Err(error) => answer(&Err::<(), _>(error), status_of),
    }
}

async fn delete_shards(State(handle): State<Handle>, request: Request) -> Response {
    match receive::<DeleteShards, _>(request, CLIENTS, MESSAGE_BYTES_MAX).await {
        Ok(message) => answer(&handle.delete_shards(message.disk, message.order).await, status_of),
        Err(refusal) => refusal.into_response(),
    }
}

async fn inventory(State(handle): State<Handle>, request: Request) -> Response {
    match receive::<Inventory, _>(request, INSPECTORS, MESSAGE_BYTES_MAX).await {
        Ok(message) => {
            let page = handle.inventory(message.disk, message.after, message.limit).await;
            answer(&page.map(|shards| ShardPage { shards }), status_of)
        }
        Err(refusal) => refusal.into_response(),
    }
}

async fn end_doubt(State(handle): State<Handle>, request: Request) -> Response {
    match receive::<EndDoubt, _>(request, Roles::METADATA, MESSAGE_BYTES_MAX).await {
        Ok(message) => answer(&handle.end_doubt(message.disk, message.doubt).await, status_of),
        Err(refusal) => refusal.into_response(),
    }
}

async fn start_scrub(State(handle): State<Handle>, request: Request) -> Response {
    match receive::<StartScrub, _>(request, Roles::ADMIN, MESSAGE_BYTES_MAX).await {
        Ok(message) => answer(&handle.start_scrub(message.disk).await, status_of),
        Err(refusal) => refusal.into_response(),
    }
}

async fn describe_shard(State(handle): State<Handle>, request: Request) -> Response {
    match receive::<DescribeShard, _>(request, INSPECTORS | Roles::STORAGE_NODE, MESSAGE_BYTES_MAX).await {
        Ok(message) => {
            let found = handle.describe_shard(message.disk, message.shard).await;
            answer(&found.map(ShardDescription::from), status_of)
        }
        Err(refusal) => refusal.into_response(),
    }
}

async fn rebuild_shard(State(handle): State<Handle>, request: Request) -> Response {
    match receive::<RebuildOrder, _>(request, Roles::METADATA, MESSAGE_BYTES_MAX).await {
        Ok(order) => answer(&handle.rebuild_shard(order).await, status_of),
        Err(refusal) => refusal.into_response(),
    }
}

async fn status(State(handle): State<Handle>, request: Request) -> Response {
    match receive::<StatusRequest, _>(request, Roles::ANY, MESSAGE_BYTES_MAX).await {
        Ok(StatusRequest {}) => answer(&handle.status().await, status_of),
        Err(refusal) => refusal.into_response(),
    }
}
