//! `cairn profile …`

use clap::Subcommand;

use super::output::{print, print_json, table};
use super::{AdminArgs, CommandError};
use crate::admin::ProfileEntry;
use crate::unit::format_bytes;

/// Verbs on profiles.
#[derive(Debug, Subcommand)]
pub enum ProfileCommand {
    /// List the profiles in force.
    List(AdminArgs),
}

impl ProfileCommand {
    /// Runs the verb.
    pub async fn run(&self) -> Result<(), CommandError> {
        let Self::List(args) = self;
        let profiles: Vec<ProfileEntry> = args.client()?.get("/v1/profiles").await?;
        if args.json {
            return print_json(&profiles);
        }
        let mut rows = table(&["id", "shards", "cell", "write quorum", "apart by"]);
        for profile in &profiles {
            rows.add_row([
                profile.id.to_string(),
                profile.name.clone(),
                format_bytes(f64::from(profile.cell_bytes)),
                profile.write_quorum.to_string(),
                profile.failure_domain.clone(),
            ]);
        }
        print(&rows.to_string())
    }
}
