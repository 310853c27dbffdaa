//! Readiness: told once on standard output, and to systemd, when every port is open and every lookup is answered.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// What a daemon says when it is ready: one JSON line on standard output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// Who it is: `court/alameda/node/1`, `hub/1`.
    pub identity: String,
    /// Where gRPC and REST are served.
    pub api: SocketAddr,
    /// Where a hub takes connections of nodes (UDP and TCP).
    pub nodes: Option<SocketAddr>,
    /// Where a hub redeems invitations (TCP).
    pub enrolment: Option<SocketAddr>,
    /// From the start of the program to this line, in milliseconds.
    pub started_in_ms: u64,
}

const FILE: &str = "ready.json";

impl Ready {
    /// Prints the line, leaves it in the data directory for local commands, and notifies systemd where it waits.
    pub fn announce(&self, directory: &Path) {
        let Ok(line) = serde_json::to_string(self) else {
            return;
        };
        if let Err(error) = std::fs::write(directory.join(FILE), &line) {
            tracing::warn!(%error, "local commands will not find this daemon");
        }
        let mut out = std::io::stdout().lock();
        // Nobody may be listening any more; that is no reason to stop serving.
        let _unheard = writeln!(out, "{line}").and_then(|()| out.flush());
        let _no_systemd = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    }

    /// What the daemon of a data directory said when it became ready; it may have been killed since.
    #[must_use]
    pub fn read(directory: &Path) -> Option<Self> {
        let line = std::fs::read_to_string(directory.join(FILE)).ok()?;
        serde_json::from_str(&line).ok()
    }

    /// Takes the file away when the daemon stops.
    pub fn withdraw(directory: &Path) {
        let _gone = std::fs::remove_file(directory.join(FILE));
    }
}
