//! `cairn profile …`

mod list;
mod set;
mod show;

use cairn_core::profile::FailureDomain;
use cairn_core::storage_class::StorageClass;
use clap::Subcommand;
use clap::builder::PossibleValuesParser;

use super::{AdminArgs, CommandError};

/// Verbs on profiles.
#[derive(Debug, Subcommand)]
pub enum ProfileCommand {
    /// List the rules of buckets and storage classes, and all profiles.
    /// are.
    List(AdminArgs),
    /// Show how new objects of a bucket, or of a storage class, are coded.
    Show(show::ShowArgs),
    /// Set how new objects are coded, for one bucket or storage class or for all without a rule. Stored objects
    /// stay as they are.
    Set(set::SetArgs),
}

impl ProfileCommand {
    pub async fn run(&self) -> Result<(), CommandError> {
        match self {
            Self::List(args) => list::run(args).await,
            Self::Show(args) => show::run(args).await,
            Self::Set(args) => set::run(args).await,
        }
    }
}

/// Takes the name of a storage class.
fn class_parser() -> PossibleValuesParser {
    PossibleValuesParser::new(StorageClass::ALL.map(StorageClass::name))
}

/// Takes the name of a failure domain level.
fn domain_parser() -> PossibleValuesParser {
    PossibleValuesParser::new(FailureDomain::ALL.map(FailureDomain::name))
}
