//! A small HTTPS client for the REST interface, and for raw gRPC messages: one connection for each call, with any
//! certificate or none.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use ccpor_api::Problem;
use ccpor_certs::IdentityDir;
use ccpor_certs::tls::{Expect, client_config};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::client::ResolvesClientCert;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, SignatureScheme, sign::CertifiedKey};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::world::Outcome;

/// A caller of the REST interface of one machine.
#[derive(Clone, Debug)]
pub struct Rest {
    address: SocketAddr,
    tls: ClientConfig,
}

/// An answer with its whole body.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: http::HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// Shows no certificate.
#[derive(Debug)]
struct Nobody;

impl ResolvesClientCert for Nobody {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

impl Rest {
    /// Calls with a certificate.
    ///
    /// # Errors
    /// When the certificate cannot be used.
    pub fn of(identity: &IdentityDir, address: SocketAddr) -> Outcome<Self> {
        let tls = client_config(identity, Expect::AnyServer, &[b"http/1.1"])?;
        Ok(Self {
            address,
            tls: (*tls).clone(),
        })
    }

    /// Calls without a certificate, trusting the servers that `identity` trusts.
    ///
    /// # Errors
    /// When the identity cannot be used.
    pub fn nobody(identity: &IdentityDir, address: SocketAddr) -> Outcome<Self> {
        let mut nobody = Self::of(identity, address)?;
        nobody.tls.client_auth_cert_resolver = Arc::new(Nobody);
        Ok(nobody)
    }

    /// A connection with its handshake done, speaking this protocol.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn connect(&self, protocol: &[u8]) -> Outcome<TlsStream<TcpStream>> {
        let mut tls = self.tls.clone();
        tls.alpn_protocols = vec![protocol.to_vec()];
        let socket = TcpStream::connect(self.address).await?;
        // The name plays no part: the identity in the certificate is what counts.
        let name = ServerName::try_from("localhost")?;
        Ok(TlsConnector::from(Arc::new(tls)).connect(name, socket).await?)
    }

    /// Gets a path.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn get(&self, path: &str) -> Outcome<Answer> {
        self.send(http::Request::get(path), Full::default()).await
    }

    /// Posts a message as JSON.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post(&self, path: &str, message: &impl Serialize) -> Outcome<Answer> {
        let request = http::Request::post(path).header("content-type", "application/json");
        self.send(request, Full::from(serde_json::to_vec(message)?)).await
    }

    /// Puts an image on an order.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn put_image(&self, order: &str, key: &str, bytes: impl Into<Bytes>) -> Outcome<Answer> {
        self.send(image_put(order, key), Full::new(bytes.into())).await
    }

    /// Sends any request.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send<B>(&self, request: http::request::Builder, body: B) -> Outcome<Answer>
    where
        B: hyper::body::Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + 'static,
    {
        let stream = TokioIo::new(self.connect(b"http/1.1").await?);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
        tokio::spawn(connection);
        let request = request.header("host", "localhost").body(body)?;
        Answer::of(sender.send_request(request).await?).await
    }

    /// Sends one gRPC message in its wire form to a method, and gives the whole answer with its frames.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn grpc(&self, method: &str, message: &[u8]) -> Outcome<Answer> {
        let stream = TokioIo::new(self.connect(b"h2").await?);
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await?;
        tokio::spawn(connection);
        let mut frame = vec![0];
        frame.extend(u32::try_from(message.len())?.to_be_bytes());
        frame.extend(message);
        let request = http::Request::post(format!("https://localhost{method}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(Full::new(Bytes::from(frame)))?;
        Answer::of(sender.send_request(request).await?).await
    }
}

/// The request that puts an image on an order; its body is the image.
#[must_use]
pub fn image_put(order: &str, key: &str) -> http::request::Builder {
    http::Request::put(format!("/v1/orders/{order}/images")).header("idempotency-key", key)
}

impl Answer {
    async fn of(response: http::Response<hyper::body::Incoming>) -> Outcome<Self> {
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        })
    }

    /// The message in the body of a good answer.
    ///
    /// # Errors
    /// When it is a problem, or no such message.
    pub fn message<T: DeserializeOwned>(&self) -> Outcome<T> {
        if self.status >= 300 {
            return Err(format!("{} {}", self.status, String::from_utf8_lossy(&self.body)).into());
        }
        Ok(serde_json::from_slice(&self.body)?)
    }

    /// The problem in the body.
    ///
    /// # Errors
    /// When the answer is none, or its status and its kind do not fit each other.
    pub fn problem(&self) -> Outcome<Problem> {
        let problem = Problem::from_json(&self.body)
            .ok()
            .filter(|problem| problem.code.status() == self.status);
        problem.ok_or_else(|| format!("{} {}", self.status, String::from_utf8_lossy(&self.body)).into())
    }
}
