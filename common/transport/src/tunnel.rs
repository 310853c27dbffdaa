//! Datagrams through a TCP connection, where UDP is blocked: each with its length before it, given to the QUIC library as if
//! a UDP socket had brought them. It looks into none of them, and says of its end only that it came and why.

use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{BufMut, Bytes, BytesMut};
use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, UdpPoller};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_util::sync::PollSender;

use crate::limits::{IDLE, TCP_UNSENT, TUNNEL_DATAGRAM, TUNNEL_TOGETHER, TUNNEL_WAITING};
use crate::trouble::Trouble;

/// The end of a tunnel, for whoever waits for it.
#[derive(Clone, Debug)]
pub(crate) struct TunnelEnd(watch::Receiver<Option<Trouble>>);

impl TunnelEnd {
    /// Waits for the end, and says why it came.
    pub(crate) async fn came(&mut self) -> Trouble {
        let why = self.0.wait_for(Option::is_some).await;
        why.ok().and_then(|why| why.clone()).unwrap_or(Trouble::Lost)
    }
}

/// Lets small writes leave at once, and keeps what waits where priorities still count: in the QUIC library, not in the system.
pub(crate) fn tune(stream: &TcpStream) {
    // A socket without these works as well, only less promptly.
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(stream).set_tcp_notsent_lowat(TCP_UNSENT);
}

/// Carries datagrams over `stream` from now on, until either end closes it or the socket is dropped.
pub(crate) fn dig(
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
    own: SocketAddr,
    peer: SocketAddr,
) -> (Arc<dyn AsyncUdpSocket>, TunnelEnd) {
    let (outgoing, to_send) = mpsc::channel(TUNNEL_WAITING);
    let (received, incoming) = mpsc::channel(TUNNEL_WAITING);
    let (end, ended) = watch::channel(None);
    tokio::spawn(async move {
        let why = match carry(stream, to_send, received).await {
            Ok(()) => Trouble::Lost,
            Err(failure) => Trouble::of_stream(failure),
        };
        end.send_replace(Some(why));
    });
    let mouth = Mouth {
        outgoing,
        incoming: Mutex::new(incoming),
        own,
        peer,
    };
    (Arc::new(mouth), TunnelEnd(ended))
}

async fn carry(
    stream: impl AsyncRead + AsyncWrite,
    to_send: mpsc::Receiver<Bytes>,
    received: mpsc::Sender<Bytes>,
) -> io::Result<()> {
    let (read, write) = tokio::io::split(stream);
    tokio::select! {
        ended = bring(read, received) => ended,
        ended = send(write, to_send) => ended,
    }
}

/// Reads datagrams until the stream ends.
async fn bring(read: impl AsyncRead, received: mpsc::Sender<Bytes>) -> io::Result<()> {
    let mut read = std::pin::pin!(BufReader::with_capacity(TUNNEL_TOGETHER, read));
    loop {
        let length = match read.read_u16().await {
            Err(end) if end.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            length => length?,
        };
        if length > TUNNEL_DATAGRAM {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a datagram is longer than the limit",
            ));
        }
        let mut datagram = BytesMut::zeroed(usize::from(length));
        read.read_exact(&mut datagram).await?;
        if received.send(datagram.freeze()).await.is_err() {
            return Ok(());
        }
    }
}

/// Writes datagrams, those that wait in one piece, until there is nobody left to send any.
async fn send(write: impl AsyncWrite, mut to_send: mpsc::Receiver<Bytes>) -> io::Result<()> {
    let mut write = std::pin::pin!(write);
    let mut together = BytesMut::with_capacity(TUNNEL_TOGETHER);
    while let Some(first) = to_send.recv().await {
        together.clear();
        put(&mut together, &first);
        while together.len() + usize::from(TUNNEL_DATAGRAM) < TUNNEL_TOGETHER
            && let Ok(next) = to_send.try_recv()
        {
            put(&mut together, &next);
        }
        // Whoever takes nothing for so long is gone, or as good as gone.
        timeout(IDLE, async {
            write.write_all(&together).await?;
            write.flush().await
        })
        .await??;
    }
    timeout(IDLE, write.shutdown()).await?
}

fn put(together: &mut BytesMut, datagram: &Bytes) {
    // The QUIC library makes none that is longer than the tunnel's.
    if let Ok(length) = u16::try_from(datagram.len()) {
        together.put_u16(length);
        together.put_slice(datagram);
    }
}

/// The end of a tunnel at which the QUIC library puts in and takes out.
struct Mouth {
    outgoing: mpsc::Sender<Bytes>,
    incoming: Mutex<mpsc::Receiver<Bytes>>,
    own: SocketAddr,
    peer: SocketAddr,
}

impl fmt::Debug for Mouth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mouth").field("peer", &self.peer).finish()
    }
}

impl AsyncUdpSocket for Mouth {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(Room(PollSender::new(self.outgoing.clone())))
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        match self.outgoing.try_send(Bytes::copy_from_slice(transmit.contents)) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Full(_)) => Err(io::ErrorKind::WouldBlock.into()),
            // As with UDP, the sender hears nothing of it; whoever waits for the end does.
            Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
        }
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let (Some(buf), Some(meta)) = (bufs.first_mut(), meta.first_mut()) else {
            return Poll::Ready(Ok(0));
        };
        let mut incoming = self.incoming.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let Some(datagram) = ready!(incoming.poll_recv(cx)) else {
                // An error here would be logged as a fault of the program; the end of the tunnel is told by `TunnelEnd`.
                return Poll::Pending;
            };
            let Some(place) = buf.get_mut(..datagram.len()) else {
                continue;
            };
            place.copy_from_slice(&datagram);
            *meta = RecvMeta {
                addr: self.peer,
                len: datagram.len(),
                stride: datagram.len(),
                ecn: None,
                dst_ip: None,
            };
            return Poll::Ready(Ok(1));
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.own)
    }

    fn may_fragment(&self) -> bool {
        false
    }
}

/// Waits for room in a tunnel.
struct Room(PollSender<Bytes>);

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Room")
    }
}

impl UdpPoller for Room {
    fn poll_writable(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let reserved = ready!(self.0.poll_reserve(cx));
        if reserved.is_ok() {
            self.0.abort_send();
        }
        Poll::Ready(Ok(()))
    }
}
