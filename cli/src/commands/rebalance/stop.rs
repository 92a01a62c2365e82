//! `cairn rebalance stop`

use http::Method;

use super::render::describe;
use crate::admin::RebalanceStatus;
use crate::commands::output::{print, print_json};
use crate::commands::{AdminArgs, CommandError};

pub(super) async fn run(args: &AdminArgs) -> Result<(), CommandError> {
    let status: RebalanceStatus = args.client()?.call(Method::DELETE, "/v1/rebalance").await?;
    if args.json { print_json(&status) } else { print(&describe(&status)) }
}
