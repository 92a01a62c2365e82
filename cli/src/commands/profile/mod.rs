//! `cairn profile …`

mod list;
mod set;
mod show;

use clap::Subcommand;

use super::{AdminArgs, CommandError};

/// Verbs on profiles.
#[derive(Debug, Subcommand)]
pub enum ProfileCommand {
    /// List how new objects are coded in each bucket with a rule of its own, and the profiles that there are.
    List(AdminArgs),
    /// Show how new objects of a bucket are coded.
    Show(show::ShowArgs),
    /// Say how new objects are coded, in one bucket or in all without a rule of their own. What is stored stays as it is.
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
