//! What a person at a terminal sees once the server is up.

use std::io::Write;
use std::net::SocketAddr;

use crate::credentials::LoadedCredentials;

/// Prints the endpoint, the credentials and lines to try. The secret is shown only when it was just generated; later it
/// is in its file.
pub(crate) fn print(s3: Option<SocketAddr>, admin: SocketAddr, keys: &LoadedCredentials, profile: &str) {
    let mut out = std::io::stdout().lock();
    // A closed standard output is no reason to stop serving.
    let _ = write!(out, "{}", text(s3, admin, keys, profile)).and_then(|()| out.flush());
}

fn text(s3: Option<SocketAddr>, admin: SocketAddr, keys: &LoadedCredentials, profile: &str) -> String {
    let mut lines = vec![String::new(), "Cairn is up.".to_owned()];
    let admin = reachable(admin);
    if let Some(s3) = s3.map(reachable) {
        lines.push(format!("  S3 endpoint    http://{s3}"));
        lines.push(format!("  admin API      http://{admin}"));
        lines.push(format!("  new objects    {profile}"));
        lines.push(format!("  access key     {}", keys.root.access_key));
        lines.extend(secret_lines(keys));
        lines.push(String::new());
        lines.push("Try it:".to_owned());
        lines.push(format!("  export AWS_ACCESS_KEY_ID={} AWS_DEFAULT_REGION=us-east-1", keys.root.access_key));
        lines.push(format!("  export AWS_SECRET_ACCESS_KEY={}", secret_expression(keys)));
        lines.push(format!("  aws --endpoint-url http://{s3} s3 mb s3://demo"));
        lines.push(format!("  aws --endpoint-url http://{s3} s3 cp README.md s3://demo/"));
    } else {
        lines.push(format!("  admin API      http://{admin}"));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn secret_lines(keys: &LoadedCredentials) -> Option<String> {
    let file = keys.file.as_ref()?;
    Some(if keys.generated {
        format!("  secret key     {}   (shown once; kept in {})", keys.root.secret_key, file.display())
    } else {
        format!("  secret key     in {}", file.display())
    })
}

/// What follows `AWS_SECRET_ACCESS_KEY=`, so that the lines can be pasted unchanged.
fn secret_expression(keys: &LoadedCredentials) -> String {
    match &keys.file {
        Some(_) if keys.generated => keys.root.secret_key.clone(),
        Some(file) => format!("$(sed -n 's/^secret_key = \"\\(.*\\)\"/\\1/p' '{}')", file.display()),
        None => "\"$CAIRN_ROOT_SECRET_KEY\"".to_owned(),
    }
}

/// The address as a client on this machine can use it.
fn reachable(addr: SocketAddr) -> SocketAddr {
    if addr.ip().is_unspecified() { SocketAddr::from(([127, 0, 0, 1], addr.port())) } else { addr }
}
