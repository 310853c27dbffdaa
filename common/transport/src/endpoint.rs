//! QUIC settings: how much may be under way, how long silence lasts, what TLS must show. It accepts and opens
//! nothing by itself.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use ccpor_certs::IdentityDir;
use ccpor_certs::listener::{ClientCertificate, Finding, Listener};
use ccpor_certs::tls::{self, Expect, TlsSetupError};
use quinn::crypto::rustls::{NoInitialCipherSuite, QuicClientConfig, QuicServerConfig};
use quinn::{
    AckFrequencyConfig, AsyncUdpSocket, ClientConfig, ConnectionId, ConnectionIdGenerator, Endpoint,
    EndpointConfig, IdleTimeout, ServerConfig, TokioRuntime, TransportConfig, VarInt,
};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::limits;
use crate::platform::Platform;
use crate::transport::Transport;

/// The name of the protocol in the TLS handshake.
pub const ALPN: &[u8] = b"ccpor-sync/1";

/// The name of the tunnel in the TLS handshake of a TCP connection.
pub const TUNNEL_ALPN: &[u8] = b"ccpor-tunnel/1";

/// Why an endpoint could not be set up.
#[derive(Debug, Error)]
pub enum EndpointError {
    /// A socket could not be opened.
    #[error(
        "cannot listen on {protocol} {address}: {source}; choose another port or stop the program that uses it"
    )]
    Socket {
        /// UDP or TCP.
        protocol: &'static str,
        /// The address asked for.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// The identity directory gives no usable TLS settings.
    #[error(transparent)]
    Tls(#[from] TlsSetupError),
    /// The TLS library lacks the cipher that QUIC begins with.
    #[error("the TLS settings cannot carry QUIC: {0}")]
    Cipher(#[from] NoInitialCipherSuite),
}

/// Sockets for both transports at `address`, on the same port; for UDP alone where there is no TCP.
pub(crate) fn listening(
    address: SocketAddr,
    identity: &IdentityDir,
    server: &QuicServer,
    platform: &dyn Platform,
) -> Result<(Endpoint, Option<TcpListener>), EndpointError> {
    let mut left = if address.port() == 0 { PORTS_TRIED } else { 1 };
    loop {
        left -= 1;
        let config = server.settings.clone();
        let endpoint = open(address, resetting(identity), Some(config), platform)?;
        match beside(&endpoint, address, platform) {
            Ok(listener) => return Ok((endpoint, listener)),
            // The port that the system chose is free for UDP alone: another one.
            Err(_) if left > 0 => {}
            Err(taken) => return Err(taken),
        }
    }
}

/// Ports that are tried when any will do.
const PORTS_TRIED: u32 = 16;

/// A TCP listener on the port of `endpoint`.
fn beside(
    endpoint: &Endpoint,
    mut address: SocketAddr,
    platform: &dyn Platform,
) -> Result<Option<TcpListener>, EndpointError> {
    let listener = endpoint.local_addr().and_then(|bound| {
        address.set_port(bound.port());
        platform.tcp(address)
    });
    listener.map_err(|source| EndpointError::Socket {
        protocol: "TCP",
        address,
        source,
    })
}

/// A server over one transport.
pub(crate) struct QuicServer {
    listener: Listener,
    /// What all connections have in common; whoever connects by it is judged, and nobody is told of whom.
    settings: ServerConfig,
}

impl QuicServer {
    pub(crate) fn of(identity: &IdentityDir, over: Transport) -> Result<Self, EndpointError> {
        let listener = Listener::of(identity, ClientCertificate::Required, &[ALPN])?;
        let mut settings = ServerConfig::with_crypto(quic_tls(&listener, &Finding::default())?);
        settings.transport_config(transport(over));
        settings.max_incoming(limits::HANDSHAKES_MOST);
        Ok(Self { listener, settings })
    }

    /// The settings of one connection, whose handshake leaves in `finding` whom it refused. The QUIC library itself keeps no more of a
    /// refusal than its number.
    pub(crate) fn settings(&self, finding: &Finding) -> Result<ServerConfig, NoInitialCipherSuite> {
        let mut settings = self.settings.clone();
        settings.crypto = quic_tls(&self.listener, finding)?;
        Ok(settings)
    }
}

fn quic_tls(listener: &Listener, finding: &Finding) -> Result<Arc<QuicServerConfig>, NoInitialCipherSuite> {
    QuicServerConfig::try_from(listener.settings(finding)).map(Arc::new)
}

/// What a server does with a TCP connection first: the same certificates as for QUIC, by the same rules.
pub(crate) struct TunnelServer(Listener);

impl TunnelServer {
    pub(crate) fn of(identity: &IdentityDir) -> Result<Self, EndpointError> {
        let listener = Listener::of(identity, ClientCertificate::Required, &[TUNNEL_ALPN])?;
        Ok(Self(listener))
    }

    /// For one connection, as [`QuicServer::settings`].
    pub(crate) fn acceptor(&self, finding: &Finding) -> TlsAcceptor {
        TlsAcceptor::from(self.0.settings(finding))
    }
}

/// What a client does with a TCP connection first.
pub(crate) fn connector(identity: &IdentityDir, expect: Expect) -> Result<TlsConnector, EndpointError> {
    Ok(TlsConnector::from(tls::client_config(
        identity,
        expect,
        &[TUNNEL_ALPN],
    )?))
}

/// An endpoint whose packets go through a tunnel; one with `server` accepts from there.
pub(crate) fn tunnelled(
    socket: Arc<dyn AsyncUdpSocket>,
    server: Option<ServerConfig>,
) -> io::Result<Endpoint> {
    let mut config = EndpointConfig::default();
    config
        .max_udp_payload_size(limits::TUNNEL_DATAGRAM)
        .map_err(io::Error::other)?;
    Endpoint::new_with_abstract_socket(config, server, socket, Arc::new(TokioRuntime))
}

/// Lets this endpoint tell, after a restart, the peers of its former life that their connections are gone (a stateless reset,
/// RFC 9000, section 10.3); otherwise they would find out by silence. What they recognise it by is made from a secret that
/// survives the restart.
fn resetting(identity: &IdentityDir) -> EndpointConfig {
    let Some(secret) = identity.record_key_pkcs8() else {
        return EndpointConfig::default();
    };
    let token_key = blake3::derive_key("ccpor 2026-11 quic stateless reset key v1", secret);
    let mut config = EndpointConfig::new(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, &token_key)));
    // The library's own identifiers are signed with a key of this life, and packets with others are dropped unanswered.
    config.cid_generator(|| Box::new(RandomIds));
    config
}

/// Connection identifiers of 8 random bytes.
struct RandomIds;

impl ConnectionIdGenerator for RandomIds {
    fn generate_cid(&mut self) -> ConnectionId {
        ConnectionId::new(&rand::random::<[u8; 8]>())
    }

    fn cid_len(&self) -> usize {
        8
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}

/// An endpoint of a fresh port for connections to `address`.
pub(crate) fn dialling(address: SocketAddr, platform: &dyn Platform) -> Result<Endpoint, EndpointError> {
    let any = match address {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    open(any, EndpointConfig::default(), None, platform)
}

/// The settings of a connection that accepts only `expect` at the other end.
pub(crate) fn client(
    identity: &IdentityDir,
    expect: Expect,
    over: Transport,
) -> Result<ClientConfig, EndpointError> {
    let tls = tls::client_config(identity, expect, &[ALPN])?;
    let mut config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?));
    config.transport_config(transport(over));
    Ok(config)
}

fn open(
    address: SocketAddr,
    mut config: EndpointConfig,
    server: Option<ServerConfig>,
    platform: &dyn Platform,
) -> Result<Endpoint, EndpointError> {
    let mut seed = [0; 32];
    for piece in seed.chunks_exact_mut(8) {
        piece.copy_from_slice(&platform.chance().to_le_bytes());
    }
    config.rng_seed(Some(seed));
    let opened = platform.udp(address).and_then(|socket| {
        Endpoint::new_with_abstract_socket(config, server, socket, Arc::new(TokioRuntime))
    });
    opened.map_err(|source| EndpointError::Socket {
        protocol: "UDP",
        address,
        source,
    })
}

fn transport(over: Transport) -> Arc<TransportConfig> {
    let mut seldom = AckFrequencyConfig::default();
    seldom.ack_eliciting_threshold(VarInt::from_u32(limits::PACKETS_UNCONFIRMED));
    let mut transport = TransportConfig::default();
    transport
        .max_idle_timeout(IdleTimeout::try_from(limits::IDLE).ok())
        .max_concurrent_bidi_streams(VarInt::from_u32(limits::STREAMS_MOST + 1))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .stream_receive_window(VarInt::from_u32(limits::STREAM_WINDOW))
        .receive_window(VarInt::from_u32(limits::CONNECTION_WINDOW))
        .send_window(limits::SEND_WINDOW)
        .ack_frequency_config(Some(seldom))
        .datagram_receive_buffer_size(None);
    if over == Transport::Tcp {
        // Nothing on the way cuts what a stream carries: no size has to be found out.
        transport
            .initial_mtu(limits::TUNNEL_DATAGRAM)
            .min_mtu(limits::TUNNEL_DATAGRAM)
            .mtu_discovery_config(None);
    }
    Arc::new(transport)
}
