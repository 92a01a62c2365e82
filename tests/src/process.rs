//! One `cairn` process.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use cairn_cli::http::{Connection, Endpoint, RequestBody};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use rustix::process::{Pid, Signal, kill_process};

use crate::{Injection, binary, eventually};

/// How long a process may take to answer on its health endpoint, and to end after SIGTERM.
const LIMIT: Duration = Duration::from_mins(1);
/// Lines of a log that are shown when a process fails.
const LINES_SHOWN: usize = 30;

/// A running server. Killed, by its own process id, when dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Runs `cairn ARGUMENTS…` with its output in `log`, without this process's own `CAIRN_` and `AWS_` variables.
    pub fn spawn(name: &str, arguments: &[&str], environment: &[(&str, &str)], log: &Path) -> Self {
        Self::spawn_command(name, Command::new(binary::cairn()), arguments, environment, log)
    }

    /// As [`Process::spawn`], for any command and in a network namespace.
    pub(crate) fn spawn_in(
        namespace: Option<&str>,
        command: Command,
        name: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
        log: &Path,
    ) -> Self {
        let command = match namespace {
            // `ip` replaces itself with the program, which therefore has the id of the child.
            Some(namespace) => {
                let mut inside = Command::new("ip");
                inside.args(["netns", "exec", namespace]).arg(command.get_program()).args(command.get_args());
                inside
            }
            None => command,
        };
        Self::spawn_command(name, command, arguments, environment, log)
    }

    /// As [`Process::spawn`], with system calls that fail or are delayed. The process is still a child of this one.
    pub fn spawn_injected(name: &str, injection: &Injection, arguments: &[&str], log: &Path) -> Self {
        let command = injection.command(&binary::cairn());
        Self::spawn_command(name, command, arguments, &[], log)
    }

    fn spawn_command(
        name: &str,
        mut command: Command,
        arguments: &[&str],
        environment: &[(&str, &str)],
        log: &Path,
    ) -> Self {
        let output = File::create(log).expect("a log file");
        for (variable, _) in std::env::vars_os() {
            if variable.to_str().is_some_and(|v| v.starts_with("CAIRN_") || v.starts_with("AWS_")) {
                command.env_remove(variable);
            }
        }
        command
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a second handle of the log"))
            .stderr(output);
        let program = command.get_program().to_owned();
        let child = command.spawn().unwrap_or_else(|e| {
            panic!("{} does not run: {e}; ./scripts/test installs what the tests need", program.display())
        });
        Self { name: name.to_owned(), child, log: log.to_owned() }
    }

    /// Waits until the process answers `GET /health` on `admin_port` with 200.
    pub async fn wait_ready(&mut self, admin_port: u16) {
        self.wait_ready_at(&format!("127.0.0.1:{admin_port}")).await;
    }

    /// As [`Process::wait_ready`], on another address.
    pub async fn wait_ready_at(&mut self, admin_addr: &str) {
        let endpoint: Endpoint = format!("http://{admin_addr}").parse().expect("an address");
        let what = format!("{} is ready (log: {})", self.name, self.log.display());
        eventually(&what, LIMIT, async || {
            if let Some(status) = self.child.try_wait().expect("the state of a child") {
                panic!("{} ended with {status} before it was ready:\n{}", self.name, self.log_tail());
            }
            health(&endpoint).await.map(drop)
        })
        .await;
    }

    /// Waits for the process to end on its own.
    pub async fn wait_exit(&mut self) -> ExitStatus {
        let what = format!("{} ends (log: {})", self.name, self.log.display());
        eventually(&what, LIMIT, async || {
            self.child.try_wait().expect("the state of a child").ok_or_else(|| "still running".to_owned())
        })
        .await
    }

    /// SIGKILL, and waits for the end.
    pub fn kill(&mut self) {
        self.child.kill().expect("kill");
        self.child.wait().expect("the end of a killed child");
    }

    /// SIGTERM, waits for the end, and demands that it is clean.
    pub async fn terminate(&mut self) {
        self.signal(Signal::TERM);
        let status = self.wait_exit().await;
        assert!(status.success(), "{} ended with {status} after SIGTERM:\n{}", self.name, self.log_tail());
    }

    /// SIGHUP.
    pub fn reload(&self) {
        self.signal(Signal::HUP);
    }

    /// SIGSTOP.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// SIGCONT.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("the state of a child").is_none()
    }

    /// Peak resident memory, in bytes.
    pub fn peak_rss_bytes(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(&path).expect("the status of a running process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().expect("a number of kB");
        kib * 1024
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything that the process has written.
    pub fn log_text(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    fn log_tail(&self) -> String {
        let text = self.log_text();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n")
    }

    fn signal(&self, signal: Signal) {
        // The child has not been reaped, so its id is still its own.
        let pid = Pid::from_raw(self.child.id() as i32).expect("a process id");
        kill_process(pid, signal).expect("a signal to a child");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.is_alive() {
            self.kill();
        }
        if std::thread::panicking() {
            eprintln!("--- end of the log of {} ({})\n{}", self.name, self.log.display(), self.log_tail());
        }
    }
}

/// The body of `GET /health`. An error says why the process does not serve yet.
pub(crate) async fn health(endpoint: &Endpoint) -> Result<serde_json::Value, String> {
    let request = Request::get("/health").header("host", endpoint.authority()).body(RequestBody::empty());
    let mut connection = Connection::new(endpoint.clone());
    let answer = connection.send(request.expect("a request")).await.map_err(|e| e.to_string())?;
    if answer.status() != StatusCode::OK {
        return Err(format!("/health answers {}", answer.status()));
    }
    let body = answer.into_body().collect().await.map_err(|e| e.to_string())?.to_bytes();
    serde_json::from_slice(&body).map_err(|e| e.to_string())
}
