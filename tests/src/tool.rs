//! Command-line programs run against a server.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::AllInOne;

/// A program, set up for one server.
#[derive(Debug)]
pub struct Tool {
    command: Command,
    text: String,
}

impl Tool {
    /// `program`, with the server's endpoint and keys in the variables that AWS tools read, and with no configuration
    /// of the user who runs the test.
    pub fn new(program: &str, server: &AllInOne) -> Self {
        let keys = server.credentials();
        let home = server.workdir().join("home");
        std::fs::create_dir_all(&home).expect("a home directory");
        let mut command = Command::new(program);
        for (variable, _) in std::env::vars_os() {
            let foreign = ["AWS_", "CAIRN_", "RCLONE_", "RESTIC_"];
            if variable.to_str().is_some_and(|name| foreign.iter().any(|prefix| name.starts_with(prefix))) {
                command.env_remove(variable);
            }
        }
        command
            .env("HOME", &home)
            .env("AWS_ACCESS_KEY_ID", &keys.access_key)
            .env("AWS_SECRET_ACCESS_KEY", keys.secret_key.expose())
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("AWS_ENDPOINT_URL", server.s3_endpoint().to_string())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .current_dir(server.workdir().path());
        // A Python that a version manager provides needs its own directory, which HOME no longer leads to.
        if std::env::var_os("PYENV_ROOT").is_none()
            && let Some(home) = std::env::var_os("HOME")
        {
            command.env("PYENV_ROOT", PathBuf::from(home).join(".pyenv"));
        }
        Self { command, text: program.to_owned() }
    }

    pub fn arg(mut self, argument: impl AsRef<Path>) -> Self {
        self.text.push(' ');
        self.text.push_str(&argument.as_ref().to_string_lossy());
        self.command.arg(argument.as_ref());
        self
    }

    pub fn args<A: AsRef<Path>>(self, arguments: impl IntoIterator<Item = A>) -> Self {
        arguments.into_iter().fold(self, Self::arg)
    }

    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn current_dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Runs the program, demands success, and returns what it printed.
    pub fn run(self) -> String {
        let text = self.text.clone();
        let output = self.output();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "`{text}` ended with {}\n{out}\n{err}", output.status);
        out.into_owned()
    }

    pub fn output(mut self) -> Output {
        let text = self.text;
        self.command.output().unwrap_or_else(|e| panic!("`{text}`: {e}; ./scripts/test installs what the tests need"))
    }
}

/// SHA-256 of a file, by the system's own tool.
pub fn sha256(path: &Path) -> String {
    let output = Command::new("sha256sum").arg(path).output().expect("sha256sum");
    let text = String::from_utf8_lossy(&output.stdout);
    text.split_whitespace().next().unwrap_or_else(|| panic!("sha256sum of {} says nothing", path.display())).to_owned()
}

/// Demands that two directories hold the same files with the same bytes.
pub fn assert_same_tree(left: &Path, right: &Path) {
    let output = Command::new("diff").arg("-rq").arg("--no-dereference").args([left, right]).output().expect("diff");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{} and {} differ:\n{text}", left.display(), right.display());
}
