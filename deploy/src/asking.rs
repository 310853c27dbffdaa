//! The connection to the registry: opened with the certificate of the context, and its failures in the program's own words.

use std::time::Duration;

use ccpor_api::nearest::{Nearest, Told};
use ccpor_api::{CallFailed, Client, Code, Target};
use ccpor_certs::tls::{Expect, client_config};
use ccpor_certs::{Clock, IdentityDir};
use ccpor_daemon::exit::Exit;

use crate::contexts;
use crate::failure::Failure;
use crate::globals::Globals;
use crate::screen::Screen;

/// Longest time to connect.
const CONNECT: Duration = Duration::from_secs(5);

/// A client for the machine and certificate that the flags and the context name.
pub(crate) async fn client(globals: &Globals) -> Result<Client, Failure> {
    Ok(Client::connect(target(globals)?).await?)
}

/// A reader over that machine and every further one of `--server`.
pub(crate) async fn nearest(globals: &Globals) -> Result<Nearest, Failure> {
    let first = target(globals)?;
    let further = further(globals)?.into_iter().map(|endpoint| Target {
        endpoint,
        ..first.clone()
    });
    let targets = std::iter::once(first.clone()).chain(further).collect();
    Ok(Nearest::connect(targets).await?)
}

/// The machines of `--server` and of the file of `--servers`.
fn further(globals: &Globals) -> Result<Vec<String>, Failure> {
    let mut endpoints = globals.server.clone();
    if let Some(file) = &globals.servers {
        let text = std::fs::read_to_string(file).map_err(|error| {
            Failure::usage(
                format!("the list of machines cannot be read: {}: {error}", file.display()),
                "Give a file with one HOST:PORT a line.",
            )
        })?;
        endpoints.extend(listed(&text).map_err(|(line, reason)| {
            Failure::usage(
                format!("line {line} of {} names no machine: {reason}", file.display()),
                "Write one HOST:PORT a line; # begins a remark.",
            )
        })?);
    }
    Ok(endpoints)
}

/// The endpoints of a list; the number of the first line that is none, and why.
fn listed(text: &str) -> Result<Vec<String>, (usize, String)> {
    let mut endpoints = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let endpoint = line.split('#').next().unwrap_or_default().trim();
        if !endpoint.is_empty() {
            endpoints.push(contexts::valid_endpoint(endpoint).map_err(|reason| (number, reason))?);
        }
    }
    Ok(endpoints)
}

/// Tells who answered, when there was a choice.
pub(crate) fn who<T>(told: Told<T>, globals: &Globals, screen: &Screen) -> T {
    if !globals.server.is_empty() || globals.servers.is_some() {
        screen.remark(&format!(
            "answered by {} in {} ms",
            told.endpoint,
            told.took.as_millis()
        ));
    }
    told.answer
}

fn target(globals: &Globals) -> Result<Target, Failure> {
    let reach = globals.reach()?;
    let identity = IdentityDir::open(&reach.identity)?;
    identity.validate(Clock::machine().now())?;
    let tls = client_config(&identity, Expect::AnyServer, &[b"h2"]).map_err(|error| {
        Failure::own(
            Exit::Failed,
            format!("the certificate cannot be used: {error}"),
            "Have it issued anew.",
        )
    })?;
    Ok(Target {
        ori: Some(reach.ori).filter(|ori| !ori.is_empty()),
        connect: globals.timeout.min(CONNECT),
        call: globals.timeout,
        ..Target::new(reach.endpoint, tls)
    })
}

/// Whether a write that failed like this may have been done all the same.
pub(crate) fn may_be_done(failed: &CallFailed) -> bool {
    match failed {
        CallFailed::Unreachable { .. } | CallFailed::NoAnswer { .. } | CallFailed::NoRegistry { .. } => true,
        CallFailed::Problem(problem) => {
            matches!(
                problem.code,
                Code::Unavailable | Code::Timeout | Code::Internal | Code::Unrecognised
            )
        }
        CallFailed::BadEndpoint { .. } | CallFailed::ServerNotTrusted { .. } | CallFailed::Refused { .. } => {
            false
        }
    }
}

impl From<CallFailed> for Failure {
    fn from(failed: CallFailed) -> Self {
        let exit = match failed {
            CallFailed::Problem(problem) => return Self::Registry(problem),
            CallFailed::BadEndpoint { .. } => Exit::Usage,
            CallFailed::Unreachable { .. } | CallFailed::NoAnswer { .. } => Exit::Unreachable,
            CallFailed::ServerNotTrusted { .. } | CallFailed::Refused { .. } => Exit::Denied,
            CallFailed::NoRegistry { .. } => Exit::Failed,
        };
        // The words of these failures say themselves what to do.
        Self::own(exit, failed.to_string(), "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ccpor_api::Problem;

    #[test]
    fn a_list_of_machines_has_one_a_line_and_remarks() {
        let list = "# the north\nnode.kern.example:8443  # Kern\n\n[::1]:8443\n";
        assert_eq!(listed(list).unwrap(), ["node.kern.example:8443", "[::1]:8443"]);
        let (line, reason) = listed("a:1\nnode.kern.example\n").unwrap_err();
        assert!(line == 2 && reason.contains("HOST:PORT"), "{reason}");
    }

    #[test]
    fn failures_of_the_line_have_their_exit_codes() {
        let (endpoint, reason) = ("a:1".to_owned(), "x".to_owned());
        let lost = CallFailed::Unreachable {
            endpoint: endpoint.clone(),
            reason: reason.clone(),
        };
        let refused = CallFailed::Refused { endpoint, reason };
        let conflict = CallFailed::Problem(Problem::new(Code::VersionConflict, ""));
        assert!(may_be_done(&lost) && !may_be_done(&refused) && !may_be_done(&conflict));
        assert_eq!(
            [lost, refused, conflict].map(|failed| Failure::from(failed).exit() as u8),
            [7, 4, 5]
        );
    }
}
