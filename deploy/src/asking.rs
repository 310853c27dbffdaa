//! The connection to the registry: opened with the certificate of the context, and its failures in the program's own words.

use std::time::Duration;

use ccpor_api::{CallFailed, Client, Code, Target};
use ccpor_certs::tls::{Expect, client_config};
use ccpor_certs::{Clock, IdentityDir};
use ccpor_daemon::exit::Exit;

use crate::failure::Failure;
use crate::globals::Globals;

/// Longest time to connect.
const CONNECT: Duration = Duration::from_secs(5);

/// A client for the machine and certificate that the flags and the context name.
pub(crate) async fn client(globals: &Globals) -> Result<Client, Failure> {
    Ok(Client::connect(target(globals)?).await?)
}

/// The machine and certificate that the flags and the context name.
pub(crate) fn target(globals: &Globals) -> Result<Target, Failure> {
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
    let target = Target {
        ori: Some(reach.ori).filter(|ori| !ori.is_empty()),
        ..Target::new(reach.endpoint, tls)
    };
    Ok(bounded(target, globals))
}

/// The target with the times that the flags allow and the reason that they state.
pub(crate) fn bounded(target: Target, globals: &Globals) -> Target {
    Target {
        purpose: globals.purpose.clone(),
        case_number: globals.incident.clone(),
        connect: globals.timeout.min(CONNECT),
        call: globals.timeout,
        ..target
    }
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
