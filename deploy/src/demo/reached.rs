//! Reaching the machines of a demonstration, and saying what went wrong with them.

use std::net::SocketAddr;

use ccpor_api::{Client, Target};
use ccpor_certs::IdentityDir;
use ccpor_certs::tls::{Expect, client_config};
use ccpor_daemon::exit::Exit;

use crate::failure::Failure;

/// A connection to the port for programs of one machine.
pub(super) async fn client(identity: &IdentityDir, address: SocketAddr) -> Result<Client, Failure> {
    let tls = client_config(identity, Expect::AnyServer, &[b"h2"]).map_err(failed)?;
    Client::connect(Target::new(address.to_string(), tls))
        .await
        .map_err(failed)
}

/// How the demonstration fails, in words.
pub(super) fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::own(
        Exit::Failed,
        error.to_string(),
        "Keep the files with --keep DIR and look at the logs there.",
    )
}
