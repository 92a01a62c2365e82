//! Brings a cluster back after its metadata was lost, and proves what is there.
//!
//! The mental model: metadata says where every shard lies, and every shard carries a descriptor that says which object it
//! belongs to. So there are two records of one namespace, and either can vouch for the other. `backup` keeps copies of the
//! first record (in the store itself and in a directory) while a cluster runs. `restore` makes a metadata member again
//! after a loss: from such a copy, from one member that is left, or with an empty namespace (*reconstruct*). Such a member
//! knows less than the disks hold; so once it runs, `compare` walks all inventories in the order of the extents, adopts
//! whole bodies that the namespace does not know, and lists and keeps everything else that differs. `audit` holds both
//! records against each other while every service is stopped. `disks` is what they share: inventories merged into extents,
//! and extents put together into bodies. Nothing here deletes a shard.

pub mod audit;
pub mod backup;
mod backup_key;
pub mod compare;
mod disks;
pub mod restore;
