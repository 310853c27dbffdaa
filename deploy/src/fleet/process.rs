//! One daemon as a child process: started, waited for until it says that it is ready, stopped or killed.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use ccpor_daemon::ready::Ready;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// How long a daemon may take to become ready, an index that is made anew included.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// How long a daemon may take to stop when asked.
const STOP_WITHIN: Duration = Duration::from_secs(20);

/// A running daemon. It is killed when this value is dropped.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    ready: Ready,
    log: PathBuf,
}

/// A daemon that was started and has not said yet that it is ready. It is killed when this value is dropped.
#[derive(Debug)]
pub struct Starting {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    program: PathBuf,
    log: PathBuf,
}

/// Why a daemon did not start or stop.
#[derive(Debug, thiserror::Error)]
pub enum DaemonFailed {
    /// The program is not beside this one.
    #[error("{0} is not there. Build all programs first: cargo build --release --bins")]
    NoProgram(PathBuf),
    /// The system refused to start it.
    #[error("{program} could not be started: {reason}")]
    NotStarted {
        /// The program.
        program: PathBuf,
        /// The system's words.
        reason: std::io::Error,
    },
    /// It ended before it was ready.
    #[error("{program} ended before it was ready ({status}). Its last words: {last_words}")]
    Ended {
        /// The program.
        program: PathBuf,
        /// How it ended.
        status: String,
        /// The end of its log.
        last_words: String,
    },
    /// It was not ready in time.
    #[error("{program} was not ready within {} s; see {log}", READY_WITHIN.as_secs())]
    TooSlow {
        /// The program.
        program: PathBuf,
        /// Its log.
        log: PathBuf,
    },
}

/// The programs of the registry beside the running one: `(ccpor-hub, ccpor-node)`.
///
/// # Errors
/// [`DaemonFailed::NoProgram`] when one is missing.
pub fn programs() -> Result<(PathBuf, PathBuf), DaemonFailed> {
    let here = std::env::current_exe().unwrap_or_default();
    let mut directory = here.parent().map(Path::to_path_buf).unwrap_or_default();
    // Test programs lie one directory deeper.
    if directory.ends_with("deps") {
        directory.pop();
    }
    let (hub, node) = (directory.join("ccpor-hub"), directory.join("ccpor-node"));
    for program in [&hub, &node] {
        if !program.exists() {
            return Err(DaemonFailed::NoProgram(program.clone()));
        }
    }
    Ok((hub, node))
}

impl Daemon {
    /// Starts `program` with `arguments`, its log going to `log`; [`Starting::ready`] waits until it is ready.
    ///
    /// # Errors
    /// [`DaemonFailed::NotStarted`] when the system does not start it.
    pub fn spawn(program: &Path, arguments: &[String], log: &Path) -> Result<Starting, DaemonFailed> {
        let not_started = |reason| DaemonFailed::NotStarted {
            program: program.to_owned(),
            reason,
        };
        let errors = std::fs::File::options()
            .create(true)
            .append(true)
            .open(log)
            .map_err(not_started)?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .kill_on_drop(true);
        end_with_parent(&mut command);
        let mut child = command.spawn().map_err(not_started)?;
        let Some(output) = child.stdout.take() else {
            return Err(not_started(std::io::Error::other("its output cannot be read")));
        };
        let lines = BufReader::new(output).lines();
        Ok(Starting {
            child,
            lines,
            program: program.to_owned(),
            log: log.to_owned(),
        })
    }

    /// What it said when it was ready.
    #[must_use]
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Its process number, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Its log file.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Asks it to stop and waits; kills it when it does not listen.
    pub async fn stop(mut self) {
        self.signal(libc::SIGTERM);
        if tokio::time::timeout(STOP_WITHIN, self.child.wait())
            .await
            .is_err()
        {
            self.kill().await;
        }
    }

    /// Ends it at once, as a power failure of the process would: SIGKILL.
    pub async fn kill(mut self) {
        // It may have ended by itself, which is what is wanted.
        let _ended = self.child.kill().await;
    }

    /// Sends a signal, for example SIGSTOP.
    pub fn signal(&self, signal: i32) {
        if let Some(pid) = self.child.id().and_then(|pid| i32::try_from(pid).ok()) {
            // SAFETY: kill(2) takes two integers and touches no memory of ours; the child is not yet reaped, so the
            // number is still its own.
            let _gone = unsafe { libc::kill(pid, signal) };
        }
    }
}

impl Starting {
    /// Waits until it is ready.
    ///
    /// # Errors
    /// [`DaemonFailed`] when it ends before that, or takes too long.
    pub async fn ready(mut self) -> Result<Daemon, DaemonFailed> {
        let ready = match tokio::time::timeout(READY_WITHIN, self.lines.next_line()).await {
            Err(_) => {
                return Err(DaemonFailed::TooSlow {
                    program: self.program,
                    log: self.log,
                });
            }
            Ok(line) => line
                .ok()
                .flatten()
                .and_then(|line| serde_json::from_str::<Ready>(&line).ok()),
        };
        match ready {
            Some(ready) => Ok(Daemon {
                child: self.child,
                ready,
                log: self.log,
            }),
            None => {
                let end = self.child.wait().await;
                let status = end.map_or_else(|error| error.to_string(), |end| end.to_string());
                let last_words = tail(&self.log);
                Err(DaemonFailed::Ended {
                    program: self.program,
                    status,
                    last_words,
                })
            }
        }
    }

    /// Ends it at once, in whatever it was doing: SIGKILL.
    pub async fn kill(mut self) {
        // It may have ended by itself, which is what is wanted.
        let _ended = self.child.kill().await;
    }
}

/// The child gets SIGTERM when this process dies, however it dies.
fn end_with_parent(command: &mut Command) {
    // SAFETY: between fork and exec only prctl(2) is called, which is async-signal-safe and allocates nothing.
    unsafe {
        command.pre_exec(|| {
            if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM) == 0 {
                Ok(())
            } else {
                Err(std::io::Error::last_os_error())
            }
        });
    }
}

/// The last lines of a log.
fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(3).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
}
