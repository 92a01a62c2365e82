//! The load of one connection.

use std::sync::Arc;
use std::time::Duration;

use cairn_core::clock::Clock;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::Operation;
use super::plan::Plan;
use super::tally::Tally;
use crate::commands::output::complain;
use crate::s3::{Account, Client, ListQuery, S3Error};

/// Reads in ten operations of the mix.
const MIXED_READS_IN_TEN: u32 = 7;
/// Pause after an error, so that a server that is down is not flooded.
const ERROR_PAUSE: Duration = Duration::from_millis(50);

/// Sends one request at a time until the deadline.
pub(super) struct Worker {
    id: u32,
    client: Client,
    plan: Arc<Plan>,
    clock: Arc<dyn Clock>,
    random: SmallRng,
    stored: u64,
    /// Where the next page of the listing starts.
    continuation: Option<String>,
}

impl Worker {
    /// The worker number `id`.
    pub(super) fn new(id: u32, account: Arc<Account>, plan: Arc<Plan>, clock: Arc<dyn Clock>) -> Self {
        // Seeded by its number: every run asks for the same objects in the same order.
        let random = SmallRng::seed_from_u64(u64::from(id));
        Self { id, client: Client::new(account), plan, clock, random, stored: 0, continuation: None }
    }

    /// Works until `deadline` of the clock's monotonic time; the last operation is finished and counted.
    pub(super) async fn run(mut self, deadline: Duration) -> Tally {
        let mut tally = Tally::new();
        loop {
            let started = self.clock.monotonic();
            if started >= deadline {
                return tally;
            }
            match self.operate().await {
                Ok(Some(bytes)) => tally.succeeded(self.clock.monotonic().saturating_sub(started), bytes),
                Ok(None) => return tally,
                Err(error) => {
                    tally.failed();
                    if self.plan.prints_error() {
                        complain(&format!("worker {}: {error}", self.id));
                    }
                    self.client.disconnect();
                    tokio::time::sleep(ERROR_PAUSE).await;
                }
            }
        }
    }

    /// One operation. Returns the object bytes moved, or `None` when nothing is left to do.
    async fn operate(&mut self) -> Result<Option<u64>, S3Error> {
        match self.plan.operation {
            Operation::Put => self.put().await.map(Some),
            Operation::Get => self.get().await.map(Some),
            Operation::Mixed => self.mixed().await.map(Some),
            Operation::List => self.list().await.map(Some),
            Operation::Delete => self.delete().await,
        }
    }

    async fn mixed(&mut self) -> Result<u64, S3Error> {
        if self.random.random_range(0..10) < MIXED_READS_IN_TEN { self.get().await } else { self.put().await }
    }

    async fn put(&mut self) -> Result<u64, S3Error> {
        let key = self.plan.fresh_key(self.id, self.stored);
        self.stored += 1;
        self.client.put(&self.plan.bucket, &key, self.plan.body.clone()).await?;
        Ok(self.plan.size_bytes)
    }

    async fn get(&mut self) -> Result<u64, S3Error> {
        let key = self.plan.prepared_key(self.random.random_range(0..self.plan.objects));
        let bytes = self.client.get(&self.plan.bucket, &key).await?.drain().await?;
        if bytes == self.plan.size_bytes { Ok(bytes) } else { Err(S3Error::Answer("an object of another size")) }
    }

    async fn list(&mut self) -> Result<u64, S3Error> {
        let prefix = self.plan.prepared_prefix();
        let query = ListQuery { prefix: &prefix, continuation: self.continuation.as_deref(), ..ListQuery::default() };
        let page = self.client.list(&self.plan.bucket, &query).await?;
        // From the first page to the last, as backup tools do, then from the start.
        self.continuation = page.continuation;
        if page.objects.is_empty() { Err(S3Error::Answer("an empty listing")) } else { Ok(0) }
    }

    async fn delete(&mut self) -> Result<Option<u64>, S3Error> {
        let Some(key) = self.plan.next_deletion() else { return Ok(None) };
        self.client.delete(&self.plan.bucket, &key).await?;
        Ok(Some(0))
    }
}
