//! Signed requests to the admin API.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cairn_core::clock::Clock;
use cairn_protocol::sigv4::{PayloadMode, RequestTarget, SignError, Signer, SigningKeyCache, encode_query_component};
use cairn_server::admin::{REGION, SERVICE};
use http::header::HOST;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde::de::DeserializeOwned;

use super::{
    ClusterStatus, DiskEntry, DiskProgress, KeySource, Keys, MetadataMembers, RecoveryFinding, RepairStatus,
    ScrubEntry, ScrubStarted, StoredBackup, UpgradeStatus, Verification, VerifyReport,
};
use crate::http::{Connection, ConnectionError, Endpoint, RequestBody};

/// Largest answer that is read: 10,000 disks of less than a kilobyte.
const ANSWER_BYTES_MAX: usize = 16 << 20;
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Pause between two polls of a long task.
const POLL: Duration = Duration::from_millis(200);

/// Why a call of the admin API failed. The text names the endpoint, the cause and the next step.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The connection was refused or broke.
    #[error("{0}; is the server running? Start one with `cairn server`, or pass --endpoint")]
    Connection(#[from] ConnectionError),
    /// No answer in time.
    #[error("{0} did not answer within {seconds} s; look at the server's log", seconds = TIMEOUT.as_secs())]
    Timeout(Endpoint),
    /// The server rejected the keys.
    #[error(
        "{endpoint} refused the keys from {from} ({status}: {message}); check them against the server's credentials file"
    )]
    Refused {
        endpoint: Endpoint,
        /// Where the keys come from.
        from: KeySource,
        status: StatusCode,
        message: String,
    },
    /// The cluster refused the request and says why.
    #[error("{message}")]
    Denied { message: String },
    #[error("{endpoint}{path} answered {status}: {message}; look at the server's log")]
    Status { endpoint: Endpoint, path: String, status: StatusCode, message: String },
    /// The answer cannot be understood.
    #[error("{endpoint}{path} sent an answer that this version does not understand ({cause}); is it the admin port?")]
    Answer { endpoint: Endpoint, path: String, cause: serde_json::Error },
    /// The answer is too long.
    #[error("{endpoint}{path} answered more than {ANSWER_BYTES_MAX} bytes; is it the admin port?")]
    TooLong { endpoint: Endpoint, path: String },
    #[error("the request cannot be formed: {0}")]
    Request(#[from] http::Error),
    #[error("the request cannot be signed: {0}")]
    Sign(#[from] SignError),
}

/// A client of one admin endpoint.
pub struct AdminClient {
    connection: Connection,
    keys: Keys,
    signing: SigningKeyCache,
    clock: Arc<dyn Clock>,
}

impl AdminClient {
    pub fn new(endpoint: Endpoint, keys: Keys, clock: Arc<dyn Clock>) -> Self {
        Self { connection: Connection::new(endpoint), keys, signing: SigningKeyCache::new(), clock }
    }

    /// `GET /v1/cluster`.
    pub async fn cluster(&mut self) -> Result<ClusterStatus, AdminError> {
        self.get("/v1/cluster").await
    }

    /// `GET /v1/disks`.
    pub async fn disks(&mut self) -> Result<Vec<DiskEntry>, AdminError> {
        self.get("/v1/disks").await
    }

    /// `GET /v1/scrub`.
    pub async fn scrub_status(&mut self) -> Result<Vec<ScrubEntry>, AdminError> {
        self.get("/v1/scrub").await
    }

    /// `POST /v1/scrub`, for one disk or all.
    pub async fn start_scrub(&mut self, disk: Option<&str>) -> Result<Vec<ScrubStarted>, AdminError> {
        let query = disk.map(|disk| format!("?disk={}", encode_query_component(disk)));
        self.call(Method::POST, &format!("/v1/scrub{}", query.unwrap_or_default())).await
    }

    /// `GET /v1/repair`.
    pub async fn repair(&mut self) -> Result<RepairStatus, AdminError> {
        self.get("/v1/repair").await
    }

    /// `GET /v1/disks/{number}`.
    pub async fn disk(&mut self, number: u64) -> Result<DiskProgress, AdminError> {
        self.get(&format!("/v1/disks/{number}")).await
    }

    /// Starts a verification and waits for its report; `watch` is called with its progress.
    pub async fn verify(&mut self, mut watch: impl FnMut(&Verification)) -> Result<VerifyReport, AdminError> {
        loop {
            let mut seen: Verification = self.call(Method::POST, "/v1/verify").await?;
            while seen.is_running {
                watch(&seen);
                tokio::time::sleep(POLL).await;
                seen = self.get("/v1/verify").await?;
            }
            // It ended without a report: it was interrupted, for example by a change of leader.
            if let Some(report) = seen.report {
                return Ok(report);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// `GET /v1/upgrade`.
    pub async fn upgrade(&mut self) -> Result<UpgradeStatus, AdminError> {
        self.get("/v1/upgrade").await
    }

    /// `GET /v1/metadata/members`.
    pub async fn metadata_members(&mut self) -> Result<MetadataMembers, AdminError> {
        self.get("/v1/metadata/members").await
    }

    /// `GET /v1/metadata/findings`: the page behind `after`.
    pub async fn metadata_findings(&mut self, after: Option<&str>) -> Result<Vec<RecoveryFinding>, AdminError> {
        let query = after.map(|after| format!("?after={}", encode_query_component(after)));
        self.get(&format!("/v1/metadata/findings{}", query.unwrap_or_default())).await
    }

    /// `POST /v1/metadata/backups`, however long it takes.
    pub async fn store_metadata_backup(&mut self) -> Result<StoredBackup, AdminError> {
        const PATH: &str = "/v1/metadata/backups";
        let (status, body) = self.exchange(Method::POST, PATH).await?;
        if !status.is_success() {
            return Err(self.failure(PATH, status, &body));
        }
        let endpoint = self.connection.endpoint().clone();
        serde_json::from_slice(&body).map_err(|cause| AdminError::Answer { endpoint, path: PATH.to_owned(), cause })
    }

    /// `GET /v1/metadata/backup`, streamed: `take` is called with each piece in order.
    pub async fn metadata_backup<E: From<AdminError>>(
        &mut self,
        mut take: impl AsyncFnMut(Bytes) -> Result<(), E>,
    ) -> Result<(), E> {
        const PATH: &str = "/v1/metadata/backup";
        let (status, mut body) = self.send(Method::GET, PATH).await?;
        if !status.is_success() {
            let answer = self.read_all(PATH, body).await?;
            return Err(self.failure(PATH, status, &answer).into());
        }
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|cause| AdminError::from(self.connection.broken(cause)))?;
            if let Ok(piece) = frame.into_data() {
                take(piece).await?;
            }
        }
        Ok(())
    }

    /// Reads one resource.
    pub async fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, AdminError> {
        self.call(Method::GET, path).await
    }

    /// Calls one resource. `path` may have a query, encoded already.
    pub async fn call<T: DeserializeOwned>(&mut self, method: Method, path: &str) -> Result<T, AdminError> {
        let endpoint = self.connection.endpoint().clone();
        let Ok(answer) = tokio::time::timeout(TIMEOUT, self.exchange(method, path)).await else {
            self.connection.close();
            return Err(AdminError::Timeout(endpoint));
        };
        let (status, body) = answer?;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|cause| AdminError::Answer {
                endpoint,
                path: path.to_owned(),
                cause,
            });
        }
        Err(self.failure(path, status, &body))
    }

    fn failure(&self, path: &str, status: StatusCode, body: &[u8]) -> AdminError {
        let (endpoint, message) = (self.connection.endpoint().clone(), message_of(body));
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                AdminError::Refused { endpoint, from: self.keys.source.clone(), status, message }
            }
            StatusCode::BAD_REQUEST | StatusCode::CONFLICT => AdminError::Denied { message },
            StatusCode::NOT_FOUND if is_told(body) => AdminError::Denied { message },
            _ => AdminError::Status { endpoint, path: path.to_owned(), status, message },
        }
    }

    async fn exchange(&mut self, method: Method, path: &str) -> Result<(StatusCode, Bytes), AdminError> {
        let (status, body) = self.send(method, path).await?;
        Ok((status, self.read_all(path, body).await?))
    }

    /// Sends a request and returns when the head of the answer has arrived.
    async fn send(&mut self, method: Method, path: &str) -> Result<(StatusCode, Incoming), AdminError> {
        let request = self.sign(method, path)?;
        let (head, body) = self.connection.send(request).await?.into_parts();
        Ok((head.status, body))
    }

    async fn read_all(&self, path: &str, body: Incoming) -> Result<Bytes, AdminError> {
        match Limited::new(body, ANSWER_BYTES_MAX).collect().await {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) => Err(match error.downcast::<hyper::Error>() {
                Ok(cause) => self.connection.broken(*cause).into(),
                Err(_) => AdminError::TooLong { endpoint: self.connection.endpoint().clone(), path: path.to_owned() },
            }),
        }
    }

    fn sign(&self, method: Method, path: &str) -> Result<Request<RequestBody>, AdminError> {
        let uri: Uri = path.parse().map_err(|e: http::uri::InvalidUri| http::Error::from(e))?;
        let mut headers = HeaderMap::new();
        let host = HeaderValue::from_str(self.connection.endpoint().authority()).map_err(http::Error::from)?;
        headers.insert(HOST, host);
        let signer =
            Signer { credentials: &self.keys.credentials, region: REGION, service: SERVICE, keys: &self.signing };
        let target = RequestTarget { method: &method, uri: &uri };
        signer.sign_headers(target, &mut headers, self.clock.now(), PayloadMode::of(b""))?;
        let mut request = Request::new(RequestBody::empty());
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }
}

/// The `message` of a JSON error, or the text itself.
fn message_of(body: &[u8]) -> String {
    let json: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let message = json.as_ref().and_then(|v| v.get("message")).and_then(serde_json::Value::as_str);
    message.map_or_else(|| String::from_utf8_lossy(body).trim().to_owned(), str::to_owned)
}

/// Whether the error comes from the admin API itself and has a message for people.
fn is_told(body: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(body).is_ok_and(|v| v.get("code").is_some_and(|c| c != "NoSuchRoute"))
}
