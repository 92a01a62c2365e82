//! `cairn profile …`

mod list;
mod set;
mod show;

use cairn_core::storage_class::StorageClass;
use clap::Subcommand;
use clap::builder::PossibleValuesParser;

use super::{AdminArgs, CommandError};

/// Verbs on profiles.
#[derive(Debug, Subcommand)]
pub enum ProfileCommand {
    /// List how new objects are coded in each bucket and storage class with a rule of its own, and the profiles that there
    /// are.
    List(AdminArgs),
    /// Show how new objects of a bucket, or of a storage class, are coded.
    Show(show::ShowArgs),
    /// Say how new objects are coded, in one bucket or storage class or in all without a rule of their own. What is stored
    /// stays as it is.
    Set(set::SetArgs),
}

impl ProfileCommand {
    /// Runs the verb.
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
