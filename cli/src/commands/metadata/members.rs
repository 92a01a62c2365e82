//! `cairn metadata members …`

use std::fmt::Write;
use std::time::Duration;

use cairn_protocol::sigv4::encode_query_component;
use clap::{Args, Subcommand};
use http::Method;

use crate::admin::{AdminClient, MemberRole, MetadataMembers, Reconciled};
use crate::commands::output::{complain, print, print_json, table};
use crate::commands::{AdminArgs, CommandError};

/// How long the verb waits for a new member to vote, and how often it polls.
const WATCH_LOOKS_MAX: u32 = 300;
const WATCH_PAUSE: Duration = Duration::from_secs(1);

/// Verbs on the members.
#[derive(Debug, Subcommand)]
pub enum MembersCommand {
    /// List the members, their leader, and how far each lags.
    List(AdminArgs),
    /// Add a member that runs with an empty directory: it receives the state and then votes.
    Add(AddArgs),
    /// Remove a member. Refused if the remaining members would have no reachable majority.
    Remove(MemberArgs),
    /// Make a member the leader. The service pauses for about a second.
    TransferLeader(MemberArgs),
}

#[derive(Debug, Args)]
pub struct AddArgs {
    /// Its number: metadata_id in its configuration.
    pub member: u64,
    /// HOST:PORT of its internal RPC: rpc_advertise in its configuration.
    pub addr: String,
    /// Whom to ask.
    #[command(flatten)]
    pub admin: AdminArgs,
}

/// Arguments of verbs on one member.
#[derive(Debug, Args)]
pub struct MemberArgs {
    /// Its number.
    pub member: u64,
    /// Whom to ask.
    #[command(flatten)]
    pub admin: AdminArgs,
}

impl MembersCommand {
    pub async fn run(&self) -> Result<(), CommandError> {
        match self {
            Self::List(args) => show(&args.client()?.metadata_members().await?, args.json),
            Self::Add(args) => add(args).await,
            Self::Remove(args) => {
                let mut client = args.admin.client()?;
                require(&mut client, args.member).await?;
                call(&mut client, Method::DELETE, &format!("/v1/metadata/members/{}", args.member)).await?;
                show(&client.metadata_members().await?, args.admin.json)
            }
            Self::TransferLeader(args) => {
                let mut client = args.admin.client()?;
                require(&mut client, args.member).await?;
                call(&mut client, Method::POST, &format!("/v1/metadata/leader/{}", args.member)).await?;
                show(&client.metadata_members().await?, args.admin.json)
            }
        }
    }
}

pub(super) async fn resume_deletions(args: &AdminArgs) -> Result<(), CommandError> {
    let mut client = args.client()?;
    call(&mut client, Method::POST, "/v1/metadata/deletions").await?;
    show(&client.metadata_members().await?, args.json)
}

async fn add(args: &AddArgs) -> Result<(), CommandError> {
    let mut client = args.admin.client()?;
    let path = format!("/v1/metadata/members/{}/{}", args.member, encode_query_component(&args.addr));
    call(&mut client, Method::POST, &path).await?;
    for _ in 0..WATCH_LOOKS_MAX {
        let members = client.metadata_members().await?;
        let entry = members.members.iter().find(|entry| entry.member == args.member);
        if entry.is_some_and(|entry| entry.role != MemberRole::Learner) && !members.is_changing {
            return show(&members, args.admin.json);
        }
        let lag = entry.and_then(|entry| entry.lag_entries);
        complain(&format!(
            "member {} is receiving the state{}",
            args.member,
            lag.map_or_else(String::new, |lag| format!(", {lag} log entries behind"))
        ));
        tokio::time::sleep(WATCH_PAUSE).await;
    }
    complain("still receiving: it votes once it has caught up; see `cairn metadata members list`");
    Ok(())
}

/// Fails if there is no such member: removing an unknown one is a typing error.
async fn require(client: &mut AdminClient, member: u64) -> Result<(), CommandError> {
    let members = client.metadata_members().await?;
    if members.members.iter().any(|entry| entry.member == member) {
        return Ok(());
    }
    let known = members.members.iter().map(|entry| entry.member.to_string()).collect::<Vec<_>>().join(", ");
    Err(CommandError::NoSuchMember { member, known })
}

async fn call(client: &mut AdminClient, method: Method, path: &str) -> Result<(), CommandError> {
    let _: serde_json::Value = client.call(method, path).await?;
    Ok(())
}

fn show(members: &MetadataMembers, json: bool) -> Result<(), CommandError> {
    if json { print_json(members) } else { print(&render(members)) }
}

fn render(members: &MetadataMembers) -> String {
    let mut rows = table(&["member", "role", "answers", "behind", "address"]);
    for entry in &members.members {
        rows.add_row([
            entry.member.to_string(),
            entry.role.to_string(),
            if entry.answers { "yes" } else { "NO" }.to_owned(),
            entry.lag_entries.map_or_else(|| "unknown".to_owned(), |lag| lag.to_string()),
            entry.addr.clone(),
        ]);
    }
    let mut text = rows.to_string();
    if members.is_changing {
        text.push_str("\n\na membership change is in progress");
    }
    match (&members.reconciled, members.deletions_held) {
        (None, false) => {}
        (None, true) => text.push_str(
            "\n\nthe service was restored or recovered and is being compared with the disks: nothing is deleted until \
             everything is proven, or until `cairn metadata resume-deletions`",
        ),
        (Some(done), held) => {
            let Reconciled { recovered, kept, unreadable, .. } = done;
            let _ = write!(
                text,
                "\n\nthe service was restored or recovered and compared with the disks: {recovered} objects came back, \
                 {kept} things are kept and not in the namespace, {unreadable} extents cannot be read; `cairn metadata \
                 findings` lists them"
            );
            text.push_str(if held {
                "\nnothing is deleted until `cairn metadata resume-deletions`"
            } else {
                "\neverything on the disks is verified: deletions continue"
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_rendered_with_what_an_operator_must_know() {
        let json = r#"{"members":[{"member":1,"addr":"a:1","role":"leader","answers":true,"lag_entries":0},
            {"member":2,"addr":"b:2","role":"voter","answers":false,"lag_entries":null}],
            "term":3,"log_index":9,"is_changing":true,"deletions_held":true}"#;
        let text = render(&serde_json::from_str(json).unwrap());
        for part in ["leader", "NO", "unknown", "b:2", "in progress", "resume-deletions"] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
    }
}
