//! The machine's side of a renewal over the network. It works with a certificate that has ended as well: the machine proves itself by
//! the signature in its request, not by the handshake.

use std::sync::Arc;

use super::asking::{EnrolError, ask};
use super::messages::Renew;
use crate::folder::IdentityDir;
use crate::renewal::{Attempt, Keys};
use crate::tls::{Expect, NamedServers};

/// Renews the TLS certificate in `directory`, and the record-signing key as `keys` says, at the hub that it was enrolled at, or at `address` when one is named. Connections that
/// stand go on; the next handshake presents the new certificate. After a failure the same call can be repeated: the keys made here
/// are kept, and the hub gives the same answer to them.
pub async fn renew(
    directory: &IdentityDir,
    address: Option<&str>,
    keys: Keys,
) -> Result<IdentityDir, EnrolError> {
    let facts = directory.facts();
    let noted = facts.enrolment_address.as_deref();
    let address = address
        .or(noted)
        .ok_or_else(|| EnrolError::NoHub(Box::new(directory.identity().clone())))?;
    let expect = facts.hub.clone().map_or(Expect::Hub, Expect::Exactly);
    let servers = NamedServers::new(directory.roots(), directory.revocations(), expect);
    let attempt = Attempt::begin(directory, keys).map_err(Box::new)?;
    let request = attempt.request(directory).map_err(Box::new)?;
    let message = Renew { renew: request };
    let grant = ask(address, Arc::new(servers), directory.clock(), &message).await?;
    Ok(attempt.finish(directory, &grant).map_err(Box::new)?)
}
