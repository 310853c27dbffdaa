//! Dialling a hub once over one transport, up to the point where both know who the other is; and the same to find out what
//! passes on the way.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use ccpor_certs::tls::Expect;
use ccpor_certs::{Identity, IdentityDir, Peer};
use ccpor_sync::CloseReason;
use quinn::{Connection, Endpoint};
use rustls_pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout};

use crate::conversation::code;
use crate::endpoint::{self, EndpointError};
use crate::limits::{FAREWELL, HANDSHAKE};
use crate::peer::{Carrier, identify};
use crate::platform::{Platform, System};
use crate::transport::Transport;
use crate::trouble::Trouble;
use crate::tunnel;

/// The name given to TLS, which asks for one; the identity in the certificate is what is checked.
const SERVER_NAME: &str = "ccpor";

/// A connection on which nothing was said yet.
pub(crate) struct Dialled {
    pub(crate) endpoint: Endpoint,
    pub(crate) connection: Connection,
    pub(crate) carrier: Carrier,
    pub(crate) peer: Peer,
}

/// Dials `address` and shakes hands.
pub(crate) async fn dial(
    identity: &IdentityDir,
    expect: Expect,
    address: SocketAddr,
    over: Transport,
    platform: &dyn Platform,
) -> Result<Dialled, Trouble> {
    let config = endpoint::client(identity, expect.clone(), over).map_err(setup)?;
    let (endpoint, mut carrier) = match over {
        Transport::Quic => (
            endpoint::dialling(address, platform).map_err(setup)?,
            Carrier::Udp,
        ),
        Transport::Tcp => timeout(HANDSHAKE, dig(identity, expect, address))
            .await
            .map_err(|_| Trouble::NoAnswer)??,
    };
    let connecting = endpoint
        .connect_with(config, address, SERVER_NAME)
        .map_err(|why| Trouble::Address(why.to_string()))?;
    let shaken = match &mut carrier {
        Carrier::Udp => timeout(HANDSHAKE, connecting).await,
        Carrier::Tunnel(end) => tokio::select! {
            shaken = timeout(HANDSHAKE, connecting) => shaken,
            trouble = end.came() => return Err(trouble),
        },
    };
    let connection = shaken.map_err(|_| Trouble::NoAnswer)??;
    let peer = identify(&connection).inspect_err(|_| close(&connection, CloseReason::NotWelcome))?;
    Ok(Dialled {
        endpoint,
        connection,
        carrier,
        peer,
    })
}

/// A tunnel to `address`. A hub that refuses this machine's certificate says so only when something is read.
async fn dig(
    identity: &IdentityDir,
    expect: Expect,
    address: SocketAddr,
) -> Result<(Endpoint, Carrier), Trouble> {
    let connector = endpoint::connector(identity, expect).map_err(setup)?;
    let stream = TcpStream::connect(address).await.map_err(|why| refused(&why))?;
    tunnel::tune(&stream);
    let own = stream.local_addr()?;
    let name = ServerName::try_from(SERVER_NAME).map_err(|why| Trouble::Address(why.to_string()))?;
    let shaken = connector.connect(name, stream).await;
    let stream = shaken.map_err(|failure| match Trouble::of_stream(failure) {
        // Somebody on the way took the connection and let nothing through.
        Trouble::Lost => Trouble::NoAnswer,
        other => other,
    })?;
    let (socket, end) = tunnel::dig(stream, own, address);
    Ok((endpoint::tunnelled(socket, None)?, Carrier::Tunnel(end)))
}

/// Nobody listens, or a firewall says so.
fn refused(why: &io::Error) -> Trouble {
    match why.kind() {
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::TimedOut => Trouble::NoAnswer,
        _ => Trouble::Address(why.to_string()),
    }
}

fn setup(failure: EndpointError) -> Trouble {
    Trouble::Address(failure.to_string())
}

pub(crate) fn close(connection: &Connection, reason: CloseReason) {
    connection.close(code(reason), reason.to_string().as_bytes());
}

/// Every address that `names` (`host:port`) stand for.
pub(crate) async fn addresses(names: &[String]) -> Result<Vec<SocketAddr>, Trouble> {
    let mut found = Vec::new();
    let mut failure = None;
    for name in names {
        match timeout(HANDSHAKE, lookup_host(name)).await {
            Ok(Ok(addresses)) => found.extend(addresses),
            Ok(Err(why)) => failure = Some(Trouble::from(why)),
            Err(_) => failure = Some(Trouble::Address("the name server does not answer".to_owned())),
        }
    }
    if found.is_empty() {
        return Err(failure.unwrap_or_else(|| Trouble::Address("none is configured".to_owned())));
    }
    Ok(found)
}

/// A hub that was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Who it is.
    pub hub: Identity,
    /// Where.
    pub address: SocketAddr,
    /// How long it took until both knew each other.
    pub took: Duration,
}

/// Finds out whether a hub can be reached over one transport, and says nothing to it but hello and farewell.
///
/// # Errors
/// Why it cannot.
pub async fn reach(identity: &IdentityDir, name: &str, over: Transport) -> Result<Reached, Trouble> {
    let mut trouble = Trouble::NoAnswer;
    for address in addresses(&[name.to_owned()]).await? {
        let begun = Instant::now();
        let dialled = match dial(identity, Expect::Hub, address, over, &System).await {
            Ok(dialled) => dialled,
            Err(why) => {
                trouble = why;
                continue;
            }
        };
        let took = begun.elapsed();
        // Whoever is refused learns it after the handshake.
        if let Ok(refused) = timeout(FAREWELL, dialled.connection.closed()).await {
            return Err(Trouble::from(refused));
        }
        close(&dialled.connection, CloseReason::Leaving);
        let _ = timeout(FAREWELL, dialled.endpoint.wait_idle()).await;
        return Ok(Reached {
            hub: dialled.peer.identity,
            address,
            took,
        });
    }
    Err(trouble)
}
