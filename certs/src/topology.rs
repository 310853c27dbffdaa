//! The topology: which machines of the registry programs can ask, and where, signed by a hub. Whoever knows the registry's
//! root can check it, wherever it was kept. It opens no connection.

use std::io;
use std::path::Path;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::SigningKey;
use serde::{Deserialize, Serialize};

use crate::clock::Moment;
use crate::files::{self, Readers};
use crate::folder::IdentityDir;
use crate::identity::Identity;
use crate::record_key::{RecordKeyRefused, RecordKeyTrust};
use crate::roots::Roots;

/// Stands before the signed text, so that no signature of a record can be passed off as one of a topology.
const DOMAIN: &[u8] = b"ccpor topology v1\0";
/// The most machines of one registry; California has 58 superior courts and 110 tribes.
pub const MOST_MACHINES: usize = 1_000;
/// The longest address: 253 characters of a name (RFC 1035), a colon and a port.
const LONGEST_ADDRESS: usize = 260;
/// The longest text that is read.
const MOST_BYTES: usize = 512 * 1024;

/// Where one machine answers programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Whom its certificate names.
    pub identity: Identity,
    /// `host:port` of its programming interface.
    pub address: String,
}

/// The machines that one hub knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topology {
    /// The hub that says so.
    pub hub: Identity,
    /// Grows with each change; of two topologies of a hub the one with the greater number is the newer.
    pub serial: u64,
    /// When it was made, by the hub's clock.
    pub made: Moment,
    /// The machines, the hub among them.
    pub machines: Vec<Machine>,
}

/// A topology as it is handed out and kept: the very text that was signed, and what it takes to check it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedTopology {
    /// The topology as JSON, byte for byte as it was signed.
    pub document: String,
    /// Ed25519 signature of the document, in base64.
    pub signature: String,
    /// The hub's record-signing key, in base64.
    pub key: String,
    /// The key's certificates in DER and base64, its own first.
    pub chain: Vec<String>,
}

/// A topology that cannot be made.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum NotSigned {
    /// Only hubs sign, and only with a record-signing key.
    #[error("{0} is not a hub with a record-signing key: only a hub signs a topology")]
    NotAHub(Identity),
    /// The library failed.
    #[error("the topology could not be written or signed: {0}")]
    Failed(String),
}

/// A topology that is not believed.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum TopologyRefused {
    /// Not of the expected form.
    #[error("what was given is not a topology of a registry ({0})")]
    Form(&'static str),
    /// The key is not a hub's of this registry.
    #[error("the topology is not signed by a hub of this registry: {0}")]
    Key(#[from] RecordKeyRefused),
    /// The signature does not fit.
    #[error("the topology was changed after {0} signed it")]
    Changed(Identity),
}

impl Topology {
    /// Signs it with the record-signing key of `identity`, which must be the hub that it names.
    ///
    /// # Errors
    /// [`NotSigned`].
    pub fn sign(&self, identity: &IdentityDir) -> Result<SignedTopology, NotSigned> {
        let hub = identity.identity();
        let key = identity
            .record_key()
            .filter(|_| hub.is_hub() && *hub == self.hub)
            .ok_or_else(|| NotSigned::NotAHub(hub.clone()))?;
        let document = serde_json::to_string(self).map_err(|error| NotSigned::Failed(error.to_string()))?;
        let signature = key
            .sign(&signed_bytes(&document))
            .map_err(|error| NotSigned::Failed(error.to_string()))?;
        Ok(SignedTopology {
            document,
            signature: STANDARD.encode(signature),
            key: STANDARD.encode(key.public()),
            chain: identity
                .record_chain()
                .iter()
                .map(|der| STANDARD.encode(der))
                .collect(),
        })
    }
}

impl SignedTopology {
    /// What it says, when a hub of the registry with these roots signed it.
    ///
    /// # Errors
    /// [`TopologyRefused`].
    pub fn verify(&self, roots: &Roots) -> Result<Topology, TopologyRefused> {
        if self.document.len() > MOST_BYTES {
            return Err(TopologyRefused::Form("it is too long"));
        }
        let topology: Topology =
            serde_json::from_str(&self.document).map_err(|_| TopologyRefused::Form("its text"))?;
        let in_bounds = topology.machines.len() <= MOST_MACHINES
            && topology
                .machines
                .iter()
                .all(|machine| is_address(&machine.address));
        if !topology.hub.is_hub() || !in_bounds {
            return Err(TopologyRefused::Form("its machines"));
        }
        let key: [u8; 32] = decoded(&self.key)?
            .try_into()
            .map_err(|_| TopologyRefused::Form("its key"))?;
        let chain = self
            .chain
            .iter()
            .map(|text| decoded(text))
            .collect::<Result<Vec<_>, _>>()?;
        RecordKeyTrust::new(roots.clone()).admit(&topology.hub.path(), &key, &chain)?;
        UnparsedPublicKey::new(&ED25519, &key)
            .verify(&signed_bytes(&self.document), &decoded(&self.signature)?)
            .map_err(|_| TopologyRefused::Changed(topology.hub.clone()))?;
        Ok(topology)
    }
}

impl SignedTopology {
    /// Writes it to `file`, durably and whole or not at all.
    ///
    /// # Errors
    /// The system's, when it cannot be written.
    pub fn save(&self, file: &Path) -> io::Result<()> {
        files::replace(file, &serde_json::to_vec_pretty(self)?, Readers::All)
    }

    /// Reads what [`SignedTopology::save`] wrote; it is still to be verified. None when there is no file, or another one.
    #[must_use]
    pub fn load(file: &Path) -> Option<SignedTopology> {
        let most = u64::try_from(2 * MOST_BYTES).unwrap_or(u64::MAX);
        let small = std::fs::metadata(file).is_ok_and(|facts| facts.len() <= most);
        let text = small.then(|| std::fs::read(file).ok()).flatten()?;
        serde_json::from_slice(&text).ok()
    }
}

fn signed_bytes(document: &str) -> Vec<u8> {
    [DOMAIN, document.as_bytes()].concat()
}

fn decoded(text: &str) -> Result<Vec<u8>, TopologyRefused> {
    STANDARD
        .decode(text)
        .map_err(|_| TopologyRefused::Form("it is not base64"))
}

/// Whether `text` can be connected to: `host:port` or `[v6]:port`, and nothing that would read as more than that.
#[must_use]
pub fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let v6 = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok());
    let name = !host.is_empty()
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    text.len() <= LONGEST_ADDRESS && (v6 || name) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_a_host_and_a_port() {
        for good in ["127.0.0.1:8443", "node.alameda.example:1", "[::1]:8443"] {
            assert!(is_address(good), "{good}");
        }
        let long = format!("{}:1", "a".repeat(LONGEST_ADDRESS));
        for bad in [
            "",
            "host",
            ":1",
            "host:0",
            "host:70000",
            "::1:1",
            "[x]:1",
            "a b:1",
            "a/b:1",
            "a@b:1",
            "https://a:1",
            &long,
        ] {
            assert!(!is_address(bad), "{bad}");
        }
    }
}
