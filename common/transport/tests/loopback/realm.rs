//! A registry on this machine: an authority, identities, a hub that listens, nodes that dial.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ccpor_certs::{Authority, Clock, Identity, IdentityDir};
use ccpor_ledger::OriginId;
use ccpor_sync::Backoff;
use ccpor_transport::{
    EndpointError, Landing, LandingConfig, LandingHandle, LinkState, Permissions, TransportChoice, Trouble,
    Uplink, UplinkConfig, UplinkHandle,
};
use tempfile::TempDir;

use crate::memory::Memory;

pub(crate) struct Realm {
    dir: TempDir,
    pub(crate) authority: Authority,
}

impl Realm {
    pub(crate) fn new() -> Self {
        Self::at(Clock::machine())
    }

    pub(crate) fn at(clock: Clock) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::init_with(&dir.path().join("authority"), clock).unwrap();
        Self { dir, authority }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn issue(&self, identity: &Identity, folder: &str) -> IdentityDir {
        self.authority
            .issue(identity, &["ccpor".to_owned()], &[], &self.path().join(folder))
            .unwrap()
    }

    pub(crate) fn hub_identity(&self) -> IdentityDir {
        self.issue(&Identity::hub(1).unwrap(), "hub")
    }

    pub(crate) fn court(&self, slug: &str) -> IdentityDir {
        self.issue(&Identity::court(slug, 1).unwrap(), slug)
    }
}

pub(crate) fn origin(slug: &str) -> OriginId {
    OriginId::new(&format!("court/{slug}/node/1")).unwrap()
}

pub(crate) fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

pub(crate) fn land(identity: &IdentityDir, memory: &Arc<Memory>, at: SocketAddr) -> LandingHandle {
    Landing::start(identity, memory.services(), LandingConfig::hub(at)).unwrap()
}

/// Lands where another landing has just stopped: the system gives the port back a moment later.
pub(crate) async fn land_again(
    identity: &IdentityDir,
    memory: &Arc<Memory>,
    at: SocketAddr,
) -> LandingHandle {
    loop {
        match Landing::start(identity, memory.services(), LandingConfig::hub(at)) {
            Ok(landing) => return landing,
            Err(EndpointError::Socket { .. }) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(other) => panic!("{other}"),
        }
    }
}

pub(crate) fn dial(identity: &IdentityDir, memory: &Arc<Memory>, to: SocketAddr) -> UplinkHandle {
    dial_by(identity, memory, to, TransportChoice::Quic)
}

pub(crate) fn dial_by(
    identity: &IdentityDir,
    memory: &Arc<Memory>,
    to: SocketAddr,
    transport: TransportChoice,
) -> UplinkHandle {
    let own = OriginId::new(&identity.identity().path()).ok();
    let permissions = own.map_or_else(
        || Permissions::hub_towards(&Identity::hub(2).unwrap()).unwrap(),
        Permissions::node,
    );
    dial_with(identity, memory, to, permissions, transport)
}

pub(crate) fn dial_with(
    identity: &IdentityDir,
    memory: &Arc<Memory>,
    to: SocketAddr,
    permissions: Permissions,
    transport: TransportChoice,
) -> UplinkHandle {
    let config = UplinkConfig {
        backoff: Backoff {
            first_ms: 40,
            most_ms: 400,
        },
        transport,
        ..UplinkConfig::new(vec![to.to_string()], permissions)
    };
    Uplink::start(identity.clone(), memory.services(), config).unwrap()
}

pub(crate) async fn until(
    link: &UplinkHandle,
    what: &str,
    reached: impl FnMut(&LinkState) -> bool,
) -> LinkState {
    let mut status = link.status();
    let waited = tokio::time::timeout(Duration::from_secs(30), status.wait_for(reached)).await;
    waited
        .unwrap_or_else(|_| panic!("{what} within 30 s"))
        .unwrap()
        .clone()
}

pub(crate) async fn until_up(link: &UplinkHandle) -> LinkState {
    until(link, "up", |state| state.up_since.is_some()).await
}

pub(crate) async fn trouble(link: &UplinkHandle) -> Trouble {
    until(link, "trouble", |state| state.last_trouble.is_some())
        .await
        .last_trouble
        .unwrap()
}
