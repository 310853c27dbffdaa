//! What the driver takes from the machine it runs on: sockets, chance, and threads for calls that block. A test may give it
//! another machine, whose network and chance it holds in its hand. It opens no connection.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use quinn::{AsyncUdpSocket, Runtime, TokioRuntime};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::limits;

/// The machine under the driver.
pub trait Platform: fmt::Debug + Send + Sync + 'static {
    /// A socket for datagrams at `address`.
    ///
    /// # Errors
    /// The machine does not give it.
    fn udp(&self, address: SocketAddr) -> io::Result<Arc<dyn AsyncUdpSocket>>;

    /// A socket for TCP connections to `address`; none where there is no TCP.
    ///
    /// # Errors
    /// The machine does not give it.
    fn tcp(&self, address: SocketAddr) -> io::Result<Option<TcpListener>>;

    /// A number that nobody can guess, evenly distributed.
    fn chance(&self) -> u64;

    /// Runs `work`, which blocks, where that harms nobody. Called within the runtime.
    fn work(&self, work: Box<dyn FnOnce() + Send>);
}

/// The machine that the program runs on.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

/// TCP connections that wait to be accepted.
const TCP_BACKLOG: i32 = 1_024;

impl Platform for System {
    /// One socket carries all connections of an endpoint; the 208 KiB that Linux gives by default overflow in a burst.
    fn udp(&self, address: SocketAddr) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            // Both families on one socket where the system can; where it cannot, IPv6 alone still works.
            let _ = socket.set_only_v6(false);
        }
        // Less than asked for is no failure: the system's bound is its administrator's choice.
        let _ = socket.set_recv_buffer_size(limits::SOCKET_BUFFER);
        let _ = socket.set_send_buffer_size(limits::SOCKET_BUFFER);
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        TokioRuntime.wrap_udp_socket(socket.into())
    }

    fn tcp(&self, address: SocketAddr) -> io::Result<Option<TcpListener>> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        if address.is_ipv6() {
            // As for UDP.
            let _ = socket.set_only_v6(false);
        }
        // After a restart connections of the former life may still linger on the port.
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(TCP_BACKLOG)?;
        TcpListener::from_std(socket.into()).map(Some)
    }

    fn chance(&self) -> u64 {
        rand::random()
    }

    fn work(&self, work: Box<dyn FnOnce() + Send>) {
        tokio::task::spawn_blocking(work);
    }
}

/// Runs `work`, which blocks, and waits for what it gives; nothing when it panicked.
pub(crate) async fn blocking<T: Send + 'static>(
    platform: &dyn Platform,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (done, result) = oneshot::channel();
    platform.work(Box::new(move || {
        // Nobody waits any more: the connection ended.
        let _ = done.send(work());
    }));
    result.await.ok()
}
