//! `cairn cluster upgrade …`

use clap::Subcommand;
use http::Method;

use crate::admin::{ProcessRelease, UpgradeStatus};
use crate::commands::output::{print, print_json, table};
use crate::commands::{AdminArgs, CommandError};

/// Verbs on the upgrade of a cluster.
#[derive(Debug, Subcommand)]
pub enum UpgradeCommand {
    /// Show which release each process runs, and whether all support the next feature level.
    Status(AdminArgs),
    /// Raise the cluster to the feature level of its new release. There is no way back to the earlier release from then on.
    Finalize(AdminArgs),
}

impl UpgradeCommand {
    pub(super) async fn run(&self) -> Result<(), CommandError> {
        let (Self::Status(args) | Self::Finalize(args)) = self;
        let mut client = args.client()?;
        if let Self::Finalize(_) = self {
            let _: serde_json::Value = client.call(Method::POST, "/v1/upgrade").await?;
        }
        let status = client.upgrade().await?;
        if matches!(self, Self::Finalize(_)) && later(&status) > 0 {
            return Err(CommandError::LeaderIsEarlier { level: status.level });
        }
        if args.json { print_json(&status) } else { print(&render(&status)) }
    }
}

fn render(status: &UpgradeStatus) -> String {
    let mut processes = table(&["role", "name", "release", "levels", "ready"]);
    for process in &status.processes {
        let version = process.version.as_deref().unwrap_or("no answer");
        let ready = if process.is_ready { "yes" } else { "NO" };
        processes.add_row([process.role.name(), &process.name, version, &levels(process), ready]);
    }
    format!("{}\n\n{processes}", verdict(status))
}

/// How many processes support a level that the metadata leader does not.
fn later(status: &UpgradeStatus) -> usize {
    status.processes.iter().filter(|process| process.newest_level > Some(status.next_level)).count()
}

fn levels(process: &ProcessRelease) -> String {
    match (process.oldest_level, process.newest_level) {
        (Some(oldest), Some(newest)) if oldest == newest => oldest.to_string(),
        (Some(oldest), Some(newest)) => format!("{oldest} to {newest}"),
        _ => "unknown".to_owned(),
    }
}

/// Where the cluster stands, and the next step.
fn verdict(status: &UpgradeStatus) -> String {
    let UpgradeStatus { level, next_level, .. } = status;
    let behind = status.processes.iter().filter(|process| !process.is_ready).count();
    if later(status) > 0 {
        let later = later(status);
        return format!(
            "the cluster is at feature level {level}; {later} processes run a later release than the metadata leader, which \
             decides what comes next: upgrade it, or let another member lead (`cairn metadata members transfer-leader`)"
        );
    }
    match (next_level > level, behind) {
        (false, 0) => format!("the cluster is at feature level {level}, the highest of its release"),
        (false, _) => {
            format!("the cluster is at feature level {level}; {behind} processes do not answer or take no part")
        }
        (true, 0) => format!(
            "the cluster is at feature level {level} and every process supports {next_level}: once you do not want to go back \
             to the earlier release, run `cairn cluster upgrade finalize`"
        ),
        (true, _) => format!(
            "the cluster is at feature level {level}; {behind} processes do not support {next_level} yet: upgrade them, then \
             run `cairn cluster upgrade finalize`"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_names_the_processes_that_are_behind_and_the_next_step() {
        let json = r#"{"level":1,"next_level":2,"can_finalize":false,"processes":[
            {"role":"member","name":"3","version":null,"oldest_level":null,"newest_level":null,"is_ready":false},
            {"role":"storage-node","name":"alpha","version":"0.1.0","oldest_level":1,"newest_level":1,"is_ready":false},
            {"role":"gateway","name":"g","version":"0.2.0","oldest_level":1,"newest_level":2,"is_ready":true}]}"#;
        let mut status: UpgradeStatus = serde_json::from_str(json).unwrap();
        let text = render(&status);
        for part in ["2 processes do not support 2", "no answer", "1 to 2", "alpha", "NO"] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
        status.processes.retain(|process| process.is_ready);
        assert!(render(&status).contains("run `cairn cluster upgrade finalize`"));
        status.level = 2;
        assert!(render(&status).contains("the highest of its release"));
        (status.level, status.next_level) = (1, 1);
        assert!(render(&status).contains("1 processes run a later release than the metadata leader"));
    }
}
