//! Readiness: told once on standard output, and to systemd, when every port is open and every lookup is answered.

use std::io::Write;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// What a daemon says when it is ready: one JSON line on standard output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// Who it is: `court/alameda/node/1`, `hub/1`.
    pub identity: String,
    /// Where gRPC and REST are served.
    pub api: SocketAddr,
    /// Where a hub takes connections of nodes (UDP).
    pub nodes: Option<SocketAddr>,
    /// Where a hub redeems invitations (TCP).
    pub enrolment: Option<SocketAddr>,
    /// From the start of the program to this line, in milliseconds.
    pub started_in_ms: u64,
}

impl Ready {
    /// Prints the line and notifies systemd where it is the one that waits.
    pub fn announce(&self) {
        if let Ok(line) = serde_json::to_string(self) {
            let mut out = std::io::stdout().lock();
            // Nobody may be listening any more; that is no reason to stop serving.
            let _unheard = writeln!(out, "{line}").and_then(|()| out.flush());
        }
        let _no_systemd = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    }
}
