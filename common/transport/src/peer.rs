//! All that goes on with one authenticated peer: the conversation, and once both have greeted, its streams and the
//! images wanted from it. How the connection came about is the business of uplink and landing.

use std::sync::Arc;

use ccpor_certs::revocation::Refused;
use ccpor_certs::tls::peer_of;
use ccpor_certs::{CertificateDer, Peer, Revocations};
use ccpor_sync::{CloseReason, Side};
use quinn::{Connection, RecvStream, SendStream};
use tokio::sync::{Notify, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::conversation::{AbortOnDrop, Conversation, code};
use crate::fetcher::{UnderWay, fetch_wanted};
use crate::hearing::Hearing;
use crate::limits::FAREWELL;
use crate::link::LinkBoard;
use crate::news::News;
use crate::platform::Platform;
use crate::services::{Permissions, Services};
use crate::streams;
use crate::transport::Transport;
use crate::trouble::{CertificateFault, Trouble};
use crate::tunnel::TunnelEnd;

/// What every connection of a program shares.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) services: Services,
    pub(crate) news: News,
    pub(crate) under_way: UnderWay,
    pub(crate) revocations: Revocations,
    pub(crate) platform: Arc<dyn Platform>,
    pub(crate) hearing: Hearing,
}

/// What carries a connection.
pub(crate) enum Carrier {
    /// Datagrams by themselves.
    Udp,
    /// A tunnel, whose end is the connection's.
    Tunnel(TunnelEnd),
}

/// One authenticated peer.
pub(crate) struct Attendance {
    pub(crate) connection: Connection,
    pub(crate) carrier: Carrier,
    pub(crate) send: SendStream,
    pub(crate) receive: RecvStream,
    pub(crate) side: Side,
    pub(crate) peer: Peer,
    pub(crate) permissions: Permissions,
    pub(crate) board: LinkBoard,
    /// Where questions and fetches find the connection while it is up.
    pub(crate) current: Arc<watch::Sender<Option<Connection>>>,
    pub(crate) stop: CancellationToken,
}

impl Shared {
    pub(crate) fn new(services: Services, revocations: &Revocations, platform: &Arc<dyn Platform>) -> Self {
        let news = News::of(services.ledgers.as_ref());
        Self {
            platform: Arc::clone(platform),
            hearing: Hearing::new(Arc::clone(platform), news.clone()),
            revocations: revocations.clone(),
            news,
            services,
            under_way: UnderWay::default(),
        }
    }

    /// Attends to the peer until the connection ends, and says why it did. It ends at once when the peer is revoked.
    pub(crate) async fn attend(&self, attendance: Attendance) -> Trouble {
        let Attendance {
            connection,
            carrier,
            send,
            receive,
            side,
            peer,
            permissions,
            board,
            current,
            stop,
        } = attendance;
        let (transport, mut carrier) = (carrier.transport(), carrier);
        let greeted = Arc::new(Notify::new());
        let aside = AbortOnDrop(tokio::spawn({
            let (connection, greeted, shared) = (connection.clone(), Arc::clone(&greeted), self.clone());
            let (identity, from) = (peer.identity.clone(), permissions.accepts.clone());
            async move {
                greeted.notified().await;
                let Self {
                    services,
                    news,
                    under_way,
                    platform,
                    ..
                } = shared;
                let fetching = fetch_wanted(
                    connection.clone(),
                    services.clone(),
                    from,
                    under_way,
                    news.subscribe_to_heads(),
                    platform,
                );
                tokio::join!(streams::serve(connection, identity, services), fetching);
            }
        }));
        let (revocations, whom, live) = (self.revocations.clone(), peer.clone(), connection.clone());
        let conversation = Conversation {
            admitted: Arc::new(move || revocations.refuses(&whom).is_none()),
            connection: connection.clone(),
            send,
            receive,
            side,
            permissions,
            ledgers: Arc::clone(&self.services.ledgers),
            news: self.news.clone(),
            board: board.clone(),
            platform: Arc::clone(&self.platform),
            hearing: self.hearing.clone(),
            stop,
        };
        let talking = conversation.hold(|| {
            let address = connection.remote_address();
            current.send_replace(Some(connection));
            board.up(&peer, address, transport);
            greeted.notify_one();
        });
        let trouble = tokio::select! {
            biased;
            refused = self.revocations.turned_away(&peer) => turn_away(&live, refused),
            trouble = talking => trouble,
            trouble = carrier.broken(&live) => trouble,
        };
        current.send_replace(None);
        drop(aside);
        trouble
    }
}

impl Carrier {
    /// What it is.
    pub(crate) fn transport(&self) -> Transport {
        match self {
            Self::Udp => Transport::Quic,
            Self::Tunnel(_) => Transport::Tcp,
        }
    }

    /// Waits until nothing can pass any more, which UDP never tells, and ends the connection.
    pub(crate) async fn broken(&mut self, connection: &Connection) -> Trouble {
        let Self::Tunnel(end) = self else {
            return std::future::pending().await;
        };
        let trouble = end.came().await;
        // The peer's last word may have come through and not been read yet.
        if let Ok(cause) = timeout(FAREWELL, connection.closed()).await {
            return Trouble::from(cause);
        }
        connection.close(code(CloseReason::Silent), b"the tunnel ended");
        trouble
    }
}

/// Ends the connection of a peer that is no longer believed.
fn turn_away(connection: &Connection, refused: Refused) -> Trouble {
    tracing::warn!(address = %connection.remote_address(), %refused, "a connection is ended");
    let reason = CloseReason::Revoked;
    connection.close(code(reason), reason.to_string().as_bytes());
    Trouble::Closed {
        reason,
        by_peer: false,
    }
}

/// Who is at the other end, as its certificate says.
pub(crate) fn identify(connection: &Connection) -> Result<Peer, Trouble> {
    let chain = connection
        .peer_identity()
        .and_then(|any| any.downcast::<Vec<CertificateDer<'static>>>().ok());
    let faulty = |fault| Trouble::Certificate { fault, ours: false };
    match peer_of(chain.as_deref().map(Vec::as_slice)) {
        Ok(Some(peer)) => Ok(peer),
        Ok(None) => Err(faulty(CertificateFault::Missing)),
        Err(_) => Err(faulty(CertificateFault::Identity)),
    }
}
