//! The programs of the registry run to their end, as a person or a script runs them: arguments and input in, exit code and
//! words out.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use ccpor_certs::IdentityDir;
use ccpor_deploy::fleet::programs;
use serde::de::DeserializeOwned;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::world::Outcome;

/// No program that ends by itself takes longer.
const LONGEST: Duration = Duration::from_secs(120);

/// A program about to be run, with nothing of this process's own environment that could reach its settings.
#[derive(Debug)]
pub struct Program {
    command: Command,
    input: Vec<u8>,
}

/// How a program ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; -1 when a signal ended it.
    pub code: i32,
    /// What it wrote to standard output.
    pub out: Vec<u8>,
    /// What it wrote to standard error.
    pub err: String,
}

impl Program {
    /// `ccpor-node`.
    ///
    /// # Errors
    /// When it was not built.
    pub fn node() -> Outcome<Self> {
        Ok(Self::at(programs()?.1))
    }

    /// `ccpor-hub`.
    ///
    /// # Errors
    /// When it was not built.
    pub fn hub() -> Outcome<Self> {
        Ok(Self::at(programs()?.0))
    }

    /// `ccpor`, asking nobody in particular.
    ///
    /// # Errors
    /// When it was not built.
    pub fn ccpor() -> Outcome<Self> {
        Ok(Self::at(programs()?.1.with_file_name("ccpor")))
    }

    /// `ccpor`, asking the machine at `endpoint` with the certificate of `identity`.
    ///
    /// # Errors
    /// When it was not built.
    pub fn ask(identity: &IdentityDir, endpoint: impl std::fmt::Display) -> Outcome<Self> {
        let ask = Self::ccpor()?.args(["--endpoint", &endpoint.to_string(), "--identity"]);
        Ok(ask.arg(identity.path()))
    }

    fn at(program: PathBuf) -> Self {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.env("HOME", "/nonexistent").kill_on_drop(true);
        Self {
            command,
            input: Vec::new(),
        }
    }

    /// With one more argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.command.arg(argument.into());
        self
    }

    /// With more arguments.
    #[must_use]
    pub fn args<'a>(mut self, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        self.command.args(arguments);
        self
    }

    /// With a variable in its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// As a user and group without any rights of root.
    #[must_use]
    pub fn as_nobody(mut self) -> Self {
        self.command.uid(65_534).gid(65_534);
        self
    }

    /// With these bytes on its standard input.
    #[must_use]
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// When it does not start, or does not end.
    pub async fn run(mut self) -> Outcome<Ended> {
        self.command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = self.command.spawn()?;
        let (mut stdin, input) = (child.stdin.take().ok_or("no standard input")?, self.input);
        // A program that refuses before it has read everything closes its end; that is no failure of the test.
        let feeding = tokio::spawn(async move {
            let _refused = stdin.write_all(&input).await;
        });
        let ended = tokio::time::timeout(LONGEST, child.wait_with_output()).await;
        let ended = ended.map_err(|_| "the program did not end")??;
        feeding.await?;
        Ok(Ended {
            code: ended.status.code().unwrap_or(-1),
            out: ended.stdout,
            err: String::from_utf8_lossy(&ended.stderr).into_owned(),
        })
    }
}

impl Ended {
    /// Its standard output as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }

    /// Its standard output as JSON.
    ///
    /// # Errors
    /// When it is something else; with all that the program said.
    pub fn json<T: DeserializeOwned>(&self) -> Outcome<T> {
        serde_json::from_slice(&self.out).map_err(|error| format!("{error}: {self:?}").into())
    }

    /// Its standard output as lines of JSON.
    ///
    /// # Errors
    /// When a line is something else.
    pub fn lines(&self) -> Outcome<Vec<serde_json::Value>> {
        self.text()
            .lines()
            .map(|line| Ok(serde_json::from_str(line)?))
            .collect()
    }

    /// Asserts the exit code and that standard error, or standard output, says each of `words`, and that nothing panicked.
    ///
    /// # Panics
    /// When it is not so, with all that the program said.
    #[track_caller]
    pub fn said(&self, code: i32, words: &[&str]) -> &Self {
        let all = format!("{}{}", self.text(), self.err);
        assert_eq!(self.code, code, "{all}");
        for word in words {
            assert!(all.contains(word), "{word:?} is not in: {all}");
        }
        assert!(!all.contains("panicked"), "{all}");
        self
    }
}
