//! The client's line to a server: TCP, TLS, and the memory of why it failed, which the gRPC library does not pass on.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Why there is no line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No TCP connection, or it broke.
    Unreachable(String),
    /// The server's certificate is not one of this registry, or not the one expected.
    ServerNotTrusted(String),
    /// The server refused our certificate.
    Refused(String),
}

/// The last fault of a line; shared with the connector that makes its connections.
#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<Option<Fault>>>);

impl Memory {
    pub(crate) fn last(&self) -> Option<Fault> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, fault: Option<Fault>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }
}

/// Connects to `address` (`host:port`).
pub(crate) async fn connect(
    address: String,
    tls: Arc<rustls::ClientConfig>,
    time: Duration,
    memory: Memory,
) -> io::Result<Line> {
    memory.keep(None);
    match tokio::time::timeout(time, shaken(&address, tls)).await {
        Ok(Ok(stream)) => Ok(Line {
            stream,
            memory,
            heard: false,
        }),
        Ok(Err(error)) => {
            memory.keep(Some(fault_of(&error)));
            Err(error)
        }
        Err(_elapsed) => {
            let words = format!("no connection within {} s", time.as_secs());
            memory.keep(Some(Fault::Unreachable(words.clone())));
            Err(io::Error::new(io::ErrorKind::TimedOut, words))
        }
    }
}

async fn shaken(address: &str, tls: Arc<rustls::ClientConfig>) -> io::Result<TlsStream<TcpStream>> {
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let host = address
        .rsplit_once(':')
        .map_or(address, |(host, _port)| host)
        .trim_matches(['[', ']']);
    // Servers are known by the identity in their certificate, not by this name; but TLS wants one.
    let name = ServerName::try_from(host.to_owned())
        .or_else(|_unfit| ServerName::try_from("ccpor.invalid"))
        .map_err(io::Error::other)?;
    TlsConnector::from(tls).connect(name, socket).await
}

fn fault_of(error: &io::Error) -> Fault {
    let tls = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(rustls::Error::AlertReceived(alert)) => Fault::Refused(refusal(*alert)),
        Some(other) => Fault::ServerNotTrusted(other.to_string()),
        None => Fault::Unreachable(error.to_string()),
    }
}

/// What the alerts of TLS (RFC 8446, section 6.2) mean to the one whose certificate is refused.
fn refusal(alert: rustls::AlertDescription) -> String {
    use rustls::AlertDescription as Alert;
    let words = match alert {
        Alert::CertificateExpired => "it has expired, or is not valid yet",
        Alert::CertificateRevoked => "it is revoked",
        Alert::UnknownCA => "it was issued by another authority",
        Alert::BadCertificate | Alert::DecryptError | Alert::CertificateUnknown => "it could not be verified",
        Alert::CertificateRequired => "none was shown",
        other => return format!("TLS alert {other:?}"),
    };
    words.to_owned()
}

/// A connection that remembers why it broke. With TLS 1.3 a client learns only by its first read that it was refused.
pub(crate) struct Line {
    stream: TlsStream<TcpStream>,
    memory: Memory,
    /// Whether anything was ever read.
    heard: bool,
}

impl Line {
    /// A server that refuses us says so and closes. When a write is the first to notice, what was said is still to be read, and
    /// is the better reason.
    fn explained<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if self.heard || !matches!(written, Poll::Ready(Err(_))) {
            return written;
        }
        let mut bytes = [0; 256];
        match Pin::new(&mut self.stream).poll_read(context, &mut ReadBuf::new(&mut bytes)) {
            Poll::Ready(Err(said)) if said.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) => {
                Poll::Ready(Err(said))
            }
            Poll::Ready(_) => written,
            // The news that the connection broke is on its way here, and what was said comes with it.
            Poll::Pending => Poll::Pending,
        }
    }

    fn noted<T>(&self, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(Err(error)) = &polled {
            // A later error of the same broken connection says less than the first.
            if self.memory.last().is_none() {
                self.memory.keep(Some(fault_of(error)));
            }
        }
        polled
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.heard |= matches!(polled, Poll::Ready(Ok(())));
        self.noted(polled)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        let polled = self.explained(context, polled);
        self.noted(polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(context);
        let polled = self.explained(context, polled);
        self.noted(polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
