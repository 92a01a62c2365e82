//! Objects needed before a run, and their removal by `--cleanup`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;

use cairn_core::sync::IgnorePoison;
use tokio::task::JoinSet;

use super::BenchError;
use super::plan::{PREFIX, Plan};
use crate::commands::CommandError;
use crate::commands::output::complain;
use crate::s3::{Account, Client, S3Error};

/// Concurrent requests outside the measurement.
const CONCURRENCY: usize = 32;

/// Creates the bucket and the objects that the operation reads, lists or deletes, if they are missing.
pub(super) async fn prepare(account: &Arc<Account>, plan: &Arc<Plan>) -> Result<(), CommandError> {
    let failed = |what: &str| {
        let (what, endpoint) = (what.to_owned(), account.endpoint.clone());
        move |cause| BenchError::Prepare { what, endpoint, cause }
    };
    let mut client = Client::new(account.clone());
    match client.create_bucket(&plan.bucket).await {
        Err(error) if error.code() == "BucketAlreadyOwnedByYou" => {}
        result => result.map_err(failed("the bucket"))?,
    }
    if !plan.needs_objects() {
        return Ok(());
    }
    let listed = client.list_all(&plan.bucket, &plan.prepared_prefix()).await.map_err(failed("the objects"))?;
    let present: BTreeSet<String> = listed.into_iter().map(|object| object.key).collect();
    let missing: Vec<String> =
        (0..plan.objects).map(|i| plan.prepared_key(i)).filter(|key| !present.contains(key)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    complain(&format!("storing {} objects of {} bytes to work on", missing.len(), plan.size_bytes));
    for_each(account, plan, missing, Action::Put).await.map_err(failed("the objects"))?;
    Ok(())
}

/// Deletes every object that this program ever stored in the bucket.
pub(super) async fn cleanup(account: &Arc<Account>, plan: &Arc<Plan>) -> Result<(), CommandError> {
    let failed =
        |cause| BenchError::Prepare { what: "the cleanup".to_owned(), endpoint: account.endpoint.clone(), cause };
    let listed = Client::new(account.clone()).list_all(&plan.bucket, PREFIX).await.map_err(failed)?;
    let keys = listed.into_iter().map(|object| object.key).collect();
    for_each(account, plan, keys, Action::Delete).await.map_err(failed)?;
    Ok(())
}

#[derive(Clone, Copy)]
enum Action {
    Put,
    Delete,
}

async fn for_each(account: &Arc<Account>, plan: &Arc<Plan>, keys: Vec<String>, action: Action) -> Result<(), S3Error> {
    let queue = Arc::new(Mutex::new(keys));
    let mut running: JoinSet<Result<(), S3Error>> = JoinSet::new();
    for _ in 0..CONCURRENCY {
        let (queue, plan, mut client) = (queue.clone(), plan.clone(), Client::new(account.clone()));
        running.spawn(async move {
            let next = || queue.lock().ignore_poison().pop();
            while let Some(key) = next() {
                match action {
                    Action::Put => drop(client.put(&plan.bucket, &key, plan.body.clone()).await?),
                    Action::Delete => client.delete(&plan.bucket, &key).await?,
                }
            }
            Ok(())
        });
    }
    while let Some(result) = running.join_next().await {
        result.map_err(|_| S3Error::Answer("a task of the benchmark panicked"))??;
    }
    Ok(())
}
