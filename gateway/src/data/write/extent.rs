//! Writes one extent to `k+m` disks.

use std::sync::Arc;

use bytes::Bytes;
use cairn_core::cell::Cell;
use cairn_core::cluster_map::{ClusterMap, Disk};
use cairn_core::codec::Codec;
use cairn_core::descriptor::Descriptor;
use cairn_core::footprint::{self, write_batch_stripes};
use cairn_core::geometry::Geometry;
use cairn_core::id::{DiskNumber, ExtentId};
use cairn_core::placement::{choose, replacements};
use cairn_core::profile::Profile;
use cairn_core::quorum::{WriteDecision, WriteQuorum};
use cairn_core::shard::{ShardHeader, ShardId};
use cairn_core::stripe;
use cairn_protocol::metadata::PlacedExtent;
use cairn_protocol::storage::{ShardWriter, StorageError};

use super::digest_stage::DigestStage;
use super::error::WriteError;
use super::round::{Round, ShardCall, run_round};
use super::stripes::StripeReader;
use crate::data::path::{DataPath, DiskClient};
use crate::data::source::{BodyDigest, BodySource};

/// Disks that are tried for one shard. Each costs a round of calls.
const DISKS_TRIED_MAX: usize = 3;

/// One extent on its way to its disks.
pub(super) struct ExtentWriter<'a> {
    path: &'a DataPath,
    map: Arc<ClusterMap>,
    id: ExtentId,
    profile: Profile,
    geometry: Geometry,
    /// Stripes that are encoded together and sent to the disks in one call each.
    batch: u32,
    /// Encoded, as every shard carries it.
    descriptor: Bytes,
    disks: Vec<DiskClient>,
    quorum: WriteQuorum,
    errors: Vec<(usize, StorageError)>,
}

impl<'a> ExtentWriter<'a> {
    /// Chooses profile and disks for an extent of `length` bytes in a body of `body_bytes`. If this gateway's cluster
    /// map has too few disks, a newer one is fetched: others may have joined.
    pub(super) async fn place<E>(
        path: &'a DataPath,
        id: ExtentId,
        length: u64,
        body_bytes: u64,
        descriptor: &Descriptor,
    ) -> Result<Self, WriteError<E>> {
        let by = |map: &ClusterMap| {
            let usable = |disk: &Disk| path.health.is_usable(disk.number);
            choose(map, Some(&descriptor.bucket), Some(descriptor.storage_class), body_bytes, id, usable)
        };
        let mut map = path.view.get().ok_or(WriteError::NoClusterMap)?;
        let mut chosen = by(&map);
        if chosen.is_err() {
            path.fetch_map().await;
            map = path.view.get().ok_or(WriteError::NoClusterMap)?;
            chosen = by(&map);
        }
        let (profile, numbers) = chosen?;
        let disks = numbers.iter().filter_map(|n| path.disk(&map, *n)).collect();
        let geometry = Geometry::new(&profile, length);
        Ok(Self {
            path,
            map,
            id,
            geometry,
            batch: write_batch_stripes(&geometry),
            quorum: WriteQuorum::new(&profile),
            profile,
            descriptor: descriptor.to_bytes(),
            disks,
            errors: Vec::new(),
        })
    }

    /// Bytes that a body of `body_bytes` with such extents holds in memory.
    pub(super) fn footprint(&self, body_bytes: u64) -> u64 {
        footprint::write(&self.geometry, body_bytes)
    }

    /// Where the shards are meant to go.
    pub(super) fn placed(&self) -> PlacedExtent {
        let locations = self.disks.iter().map(|d| Some(d.number)).collect();
        PlacedExtent { profile: self.profile.id, geometry: self.geometry, locations }
    }

    /// Writes the extent; returns where it is durable.
    pub(super) async fn write<S: BodySource, D: BodyDigest>(
        &mut self,
        stripes: &mut StripeReader<'_, S>,
        digest: &mut DigestStage<D>,
    ) -> Result<PlacedExtent, WriteError<S::Error>> {
        let codec = self.path.codecs.get(self.profile.data_shards, self.profile.parity_shards)?;
        if self.geometry.stripes() <= self.batch {
            let cells = self.read_batch(stripes, digest, &codec, 0).await?;
            for (index, ()) in self.on_every_disk(&cells, put).await {
                self.quorum.durable(index);
            }
        } else {
            self.stream(stripes, digest, &codec).await?;
        }
        self.conclude()
    }

    /// Reads and encodes a batch of stripes, starting at `first`. Returns a list of cells for each shard.
    async fn read_batch<S: BodySource, D: BodyDigest>(
        &self,
        stripes: &mut StripeReader<'_, S>,
        digest: &mut DigestStage<D>,
        codec: &Codec,
        first: u32,
    ) -> Result<Vec<Vec<Cell>>, WriteError<S::Error>> {
        let last = (first + self.batch).min(self.geometry.stripes());
        let mut cells = vec![Vec::new(); usize::from(self.profile.total_shards())];
        for number in first..last {
            let length = self.geometry.stripe_length(number) as usize;
            let padded = self.geometry.cell_length(number) as usize * usize::from(self.profile.data_shards);
            let stripe = stripes.next(length, padded).await?;
            digest.update(stripe.slice(..length)).await;
            stripe::encode(codec, &self.geometry, self.id, number, &stripe, &mut cells)?;
        }
        Ok(cells)
    }

    /// Streams a large extent: every disk gets its cells batch by batch, and syncs at the end. A disk that fails before
    /// the first batch is with it is replaced. Later there is nothing left to send again from the start, so repair makes
    /// what is missing.
    async fn stream<S: BodySource, D: BodyDigest>(
        &mut self,
        stripes: &mut StripeReader<'_, S>,
        digest: &mut DigestStage<D>,
        codec: &Codec,
    ) -> Result<(), WriteError<S::Error>> {
        let cells = self.read_batch(stripes, digest, codec, 0).await?;
        let mut writers = self.on_every_disk(&cells, begin).await;
        drop(cells);
        let mut first = self.batch;
        while first < self.geometry.stripes() {
            self.check_quorum()?;
            let mut cells = self.read_batch(stripes, digest, codec, first).await?;
            let requests =
                writers.into_iter().map(|(i, writer)| self.call(i, append(writer, std::mem::take(&mut cells[i]))));
            let Round { done, failed } = self.round(requests.collect(), self.quorum.clone()).await;
            self.fail(failed);
            writers = done;
            first += self.batch;
        }
        self.check_quorum()?;
        let requests = writers.into_iter().map(|(i, writer)| self.call(i, writer.finish()));
        let Round { done, failed } = self.round(requests.collect(), self.quorum.clone()).await;
        self.fail(failed);
        for (index, ()) in done {
            self.quorum.durable(index);
        }
        Ok(())
    }

    /// Makes `call` with the cells of each shard. A disk that fails is replaced while another may take its place. Returns
    /// the shards whose call succeeded.
    async fn on_every_disk<T, F>(
        &mut self,
        cells: &[Vec<Cell>],
        call: impl Fn(DiskClient, ShardHeader, Vec<Cell>) -> F,
    ) -> Vec<(usize, T)>
    where
        F: Future<Output = Result<T, StorageError>>,
    {
        let mut succeeded = Vec::with_capacity(self.disks.len());
        let mut quorum = self.quorum.clone();
        let mut wanted: Vec<usize> = (0..self.disks.len()).collect();
        let mut tried = Vec::new();
        for attempt in 1..=DISKS_TRIED_MAX {
            let request = |&i: &usize| self.call(i, call(self.disks[i].clone(), self.header(i), cells[i].clone()));
            let Round { done, mut failed } = self.round(wanted.iter().map(request).collect(), quorum.clone()).await;
            for (index, _) in &done {
                quorum.durable(*index);
            }
            succeeded.extend(done);
            tried.extend(failed.iter().map(|(i, _)| self.disks[*i].number));
            wanted = if attempt < DISKS_TRIED_MAX { self.replace(&failed, &tried) } else { Vec::new() };
            failed.retain(|(index, _)| !wanted.contains(index));
            for (index, _) in &failed {
                quorum.failed(*index);
            }
            self.fail(failed);
            if wanted.is_empty() {
                break;
            }
        }
        succeeded
    }

    /// Runs one round of calls and remembers which disks failed, before any of them is replaced.
    async fn round<T, F>(&self, calls: Vec<ShardCall<F>>, quorum: WriteQuorum) -> Round<T>
    where
        F: Future<Output = Result<T, StorageError>>,
    {
        let ended = run_round(calls, quorum, &*self.path.clock).await;
        for (index, error) in &ended.failed {
            self.path.health.failed(self.disks[*index].number, error.kind);
            tracing::warn!(extent = %self.id, shard = index, %error, "a shard was not written; going on without its disk");
        }
        ended
    }

    /// Gives these shards up.
    fn fail(&mut self, failed: Vec<(usize, StorageError)>) {
        for (index, error) in failed {
            self.quorum.failed(index);
            self.errors.push((index, error));
        }
    }

    /// Replaces the disks of `failed` shards where the placement rule allows it, by none of those `tried`. Returns the
    /// shards that have a new disk.
    fn replace(&mut self, failed: &[(usize, StorageError)], tried: &[DiskNumber]) -> Vec<usize> {
        let given_up = |index: usize| self.errors.iter().any(|(i, _)| *i == index);
        let disks: Vec<Option<DiskNumber>> =
            self.disks.iter().enumerate().map(|(i, d)| (!given_up(i)).then_some(d.number)).collect();
        let failed: Vec<usize> = failed.iter().map(|(index, _)| *index).collect();
        let eligible = |d: &Disk| !tried.contains(&d.number) && self.path.health.is_usable(d.number);
        let chosen = replacements(&self.map, &self.profile, self.id, &disks, &failed, eligible);
        let mut replaced = Vec::with_capacity(chosen.len());
        for (index, number) in chosen {
            if let Some(disk) = self.path.disk(&self.map, number) {
                self.disks[index] = disk;
                replaced.push(index);
            }
        }
        replaced
    }

    fn call<F>(&self, index: usize, call: F) -> ShardCall<F> {
        ShardCall { index, disk: self.disks[index].id, call }
    }

    fn header(&self, index: usize) -> ShardHeader {
        ShardHeader {
            id: ShardId { extent: self.id, index: index as u8 },
            profile: self.profile.id,
            geometry: self.geometry,
            descriptor: self.descriptor.clone(),
        }
    }

    fn check_quorum<E>(&self) -> Result<(), WriteError<E>> {
        match self.quorum.decide() {
            WriteDecision::Fail => Err(WriteError::Quorum {
                extent: self.id,
                quorum: self.profile.write_quorum,
                detail: describe(&self.errors),
            }),
            _ => Ok(()),
        }
    }

    fn conclude<E>(&self) -> Result<PlacedExtent, WriteError<E>> {
        self.check_quorum()?;
        let mut placed = self.placed();
        for (index, location) in placed.locations.iter_mut().enumerate() {
            if !self.quorum.is_durable(index) {
                *location = None;
            }
        }
        Ok(placed)
    }
}

async fn put(disk: DiskClient, header: ShardHeader, cells: Vec<Cell>) -> Result<(), StorageError> {
    disk.node.put_shard(disk.id, header, cells).await
}

async fn begin(disk: DiskClient, header: ShardHeader, cells: Vec<Cell>) -> Result<Box<dyn ShardWriter>, StorageError> {
    let writer = disk.node.open_shard(disk.id, header).await?;
    append(writer, cells).await
}

async fn append(mut writer: Box<dyn ShardWriter>, cells: Vec<Cell>) -> Result<Box<dyn ShardWriter>, StorageError> {
    writer.append(cells).await?;
    Ok(writer)
}

fn describe(errors: &[(usize, StorageError)]) -> String {
    let errors: Vec<String> = errors.iter().map(|(index, e)| format!("shard {index}: {e}")).collect();
    errors.join("; ")
}
