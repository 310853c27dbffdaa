//! The streams of a connection besides that of the protocol: each says with its first byte what it is for.

use std::sync::Arc;

use ccpor_certs::Identity;
use quinn::{Connection, RecvStream, SendStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::framing::finish;
use crate::kind::Kind;
use crate::limits::{HANDSHAKE, PROBE, QUESTIONS_AT_ONCE, STREAMS_MOST};
use crate::services::Services;
use crate::{ask, images};

/// Serves the peer's streams until the connection ends.
pub(crate) async fn serve(connection: Connection, peer: Identity, services: Services) {
    let services = Arc::new(services);
    let turns = Arc::new(Semaphore::new(QUESTIONS_AT_ONCE));
    let mut open = JoinSet::new();
    while let Ok((send, receive)) = connection.accept_bi().await {
        while open.try_join_next().is_some() {}
        // QUIC's own limit on streams counts those whose last byte was read; tasks may live a little longer.
        if open.len() >= 2 * usize::try_from(STREAMS_MOST).unwrap_or(usize::MAX) {
            open.join_next().await;
        }
        open.spawn(one(
            send,
            receive,
            peer.clone(),
            Arc::clone(&services),
            Arc::clone(&turns),
        ));
    }
}

async fn one(
    mut send: SendStream,
    mut receive: RecvStream,
    peer: Identity,
    services: Arc<Services>,
    turns: Arc<Semaphore>,
) {
    let mut kind = [0];
    let Ok(Ok(())) = timeout(HANDSHAKE, receive.read_exact(&mut kind)).await else {
        return;
    };
    let [kind] = kind;
    match Kind::of(kind) {
        Some(Kind::Image) => images::serve(&services, send, receive).await,
        Some(Kind::Ask) => ask::serve(peer, &services, &turns, send, receive).await,
        Some(Kind::Probe) => {
            // A broken stream is the prober's loss.
            let _ = send.write_all(&[kind]).await;
            finish(send).await;
        }
        // A kind of a later version: the asker sees that the stream was stopped, and the connection goes on.
        None => {}
    }
}

/// Whether somebody still lives at the other end of `connection`.
pub(crate) async fn is_alive(connection: &Connection) -> bool {
    let probe = async {
        let (mut send, mut receive) = connection.open_bi().await.ok()?;
        send.write_all(&[Kind::Probe as u8]).await.ok()?;
        send.finish().ok()?;
        let mut answer = [0];
        receive.read_exact(&mut answer).await.ok()
    };
    matches!(timeout(PROBE, probe).await, Ok(Some(())))
}
