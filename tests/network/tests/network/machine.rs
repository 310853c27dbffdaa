//! A machine in a simulated network, as the driver sees it: datagrams go through turmoil, chance comes from a seed, and calls
//! that block take no time. It has no TCP.

use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};

use ccpor_transport::Platform;
use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, UdpPoller};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::net::TcpListener;
use turmoil::net::UdpSocket;

use crate::diary::Diary;

/// How many datagrams of a thousand are lost on the way, on the whole network.
#[derive(Clone, Default)]
pub(crate) struct Loss(Arc<AtomicU32>);

impl Loss {
    pub(crate) fn set(&self, of_a_thousand: u32) {
        self.0.store(of_a_thousand, Ordering::Relaxed);
    }

    fn takes(&self, drawn: u32) -> bool {
        drawn < self.0.load(Ordering::Relaxed)
    }
}

#[derive(Clone)]
pub(crate) struct Machine(Arc<Parts>);

struct Parts {
    name: String,
    diary: Diary,
    loss: Loss,
    chance: Mutex<StdRng>,
}

impl Machine {
    pub(crate) fn new(name: &str, diary: &Diary, loss: &Loss, seed: u64) -> Self {
        Self(Arc::new(Parts {
            name: name.to_owned(),
            diary: diary.clone(),
            loss: loss.clone(),
            chance: Mutex::new(StdRng::seed_from_u64(seed)),
        }))
    }
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.name)
    }
}

impl Platform for Machine {
    fn udp(&self, address: SocketAddr) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let any = (Ipv4Addr::UNSPECIFIED, address.port());
        // turmoil binds at once.
        let bound = pin!(UdpSocket::bind(any)).poll(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(socket) = bound else {
            return Err(io::ErrorKind::WouldBlock.into());
        };
        Ok(Arc::new(Datagrams {
            socket: Arc::new(socket?),
            readable: Mutex::new(None),
            machine: self.clone(),
        }))
    }

    fn tcp(&self, _: SocketAddr) -> io::Result<Option<TcpListener>> {
        Ok(None)
    }

    fn chance(&self) -> u64 {
        self.0.chance.lock().unwrap().random()
    }

    /// On another thread, because such calls may not be made within a runtime, but done before anything else goes on.
    fn work(&self, work: Box<dyn FnOnce() + Send>) {
        std::thread::spawn(work).join().unwrap();
    }
}

type Readable = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

struct Datagrams {
    socket: Arc<UdpSocket>,
    /// Waits for the next datagram; it holds the socket's lock while it does.
    readable: Mutex<Option<Readable>>,
    machine: Machine,
}

impl fmt::Debug for Datagrams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket.fmt(f)
    }
}

impl AsyncUdpSocket for Datagrams {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(AlwaysRoom)
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let Parts {
            name,
            diary,
            loss,
            chance,
        } = &*self.machine.0;
        let is_lost = loss.takes(chance.lock().unwrap().random_range(0..1_000));
        // Handshakes carry ECDSA signatures, whose length is a matter of chance that no seed reaches.
        let is_handshake = transmit.contents.first().is_some_and(|byte| byte & 0x80 != 0);
        let what = if is_handshake {
            "handshake".to_owned()
        } else {
            format!("{} bytes", transmit.contents.len())
        };
        let fate = if is_lost { ", lost" } else { "" };
        diary.note(name, &format!("to {}: {what}{fate}", transmit.destination));
        if is_lost {
            return Ok(());
        }
        let sent = self.socket.try_send_to(transmit.contents, transmit.destination);
        sent.map(drop)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let mut readable = self.readable.lock().unwrap();
        loop {
            if let Some(waiting) = readable.as_mut() {
                ready!(waiting.as_mut().poll(cx))?;
                *readable = None;
            }
            match self.socket.try_recv_from(&mut bufs[0]) {
                Ok((len, addr)) => {
                    meta[0] = RecvMeta {
                        addr,
                        len,
                        stride: len,
                        ecn: None,
                        dst_ip: None,
                    };
                    return Poll::Ready(Ok(1));
                }
                Err(empty) if empty.kind() == io::ErrorKind::WouldBlock => {
                    let socket = Arc::clone(&self.socket);
                    *readable = Some(Box::pin(async move { socket.readable().await }));
                }
                Err(failure) => return Poll::Ready(Err(failure)),
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    fn may_fragment(&self) -> bool {
        false
    }
}

/// turmoil takes every datagram.
#[derive(Debug)]
struct AlwaysRoom;

impl UdpPoller for AlwaysRoom {
    fn poll_writable(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
