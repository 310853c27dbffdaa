//! A server on loopback with its own certificate authority, and callers of every kind.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use ccpor_api::{ALPN, Backend, Caller, Client, Code, Limits, Problem, Serving, Target};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertificateParams, DistinguishedName, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};

pub(crate) type Answer = http::Response<Bytes>;

pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
}

#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    key: Arc<PrivateKeyDer<'static>>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name = DistinguishedName::new();
        let root = params.self_signed(&key).unwrap().der().clone();
        Self {
            issuer: Issuer::new(params, key),
            root,
        }
    }

    pub(crate) fn issue(&self, expired: bool) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params =
            CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
        if expired {
            params.not_before = rcgen::date_time_ymd(2020, 1, 1);
            params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        }
        let leaf = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        Identity {
            chain: vec![leaf.der().clone()],
            key: Arc::new(key),
        }
    }

    fn roots(&self) -> Arc<rustls::RootCertStore> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.root.clone()).unwrap();
        Arc::new(roots)
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

pub(crate) fn client_config(
    trust: &Authority,
    show: Option<&Identity>,
    alpn: &[&[u8]],
) -> Arc<rustls::ClientConfig> {
    let builder = rustls::ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(trust.roots());
    let mut config = match show {
        Some(identity) => builder
            .with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())
            .unwrap(),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    Arc::new(config)
}

fn server_config(authority: &Authority, identity: &Identity) -> Arc<rustls::ServerConfig> {
    let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(authority.roots(), provider())
        .allow_unauthenticated()
        .build()
        .unwrap();
    let mut config = rustls::ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(identity.chain.clone(), identity.key.clone_key())
        .unwrap();
    config.alpn_protocols = ALPN.iter().map(|name| name.to_vec()).collect();
    Arc::new(config)
}

/// A running server.
pub(crate) struct House {
    pub(crate) authority: Authority,
    pub(crate) address: SocketAddr,
    /// A dispatch centre with two agencies.
    pub(crate) dispatch: Identity,
    /// A court's own system, without an agency.
    pub(crate) system: Identity,
    /// Of the right authority, but nobody here.
    pub(crate) stranger: Identity,
    /// Once set, nobody is let in any more.
    pub(crate) revoked: Arc<AtomicBool>,
    pub(crate) stop: CancellationToken,
    pub(crate) done: tokio::task::JoinHandle<()>,
}

impl House {
    pub(crate) async fn open(backend: Arc<dyn Backend>, limits: Limits) -> Self {
        Self::open_with(backend, limits, None).await
    }

    /// With pages beside the interfaces.
    pub(crate) async fn open_with(
        backend: Arc<dyn Backend>,
        limits: Limits,
        pages: Option<axum::Router>,
    ) -> Self {
        let authority = Authority::new();
        let (server, dispatch) = (authority.issue(false), authority.issue(false));
        let (system, stranger) = (authority.issue(false), authority.issue(false));
        let known = BTreeMap::from([
            (
                dispatch.chain[0].to_vec(),
                caller("lea/alameda-so", &["CA0010000", "CA0010100"]),
            ),
            (
                system.chain[0].to_vec(),
                caller("system/alameda-cms", &["CA001015J"]),
            ),
        ]);
        let revoked = Arc::new(AtomicBool::new(false));
        let refusing = revoked.clone();
        let tls = server_config(&authority, &server);
        let serving = Serving {
            tls: Arc::new(move |_| tls.clone()),
            turned_away: ccpor_api::nobody_is_turned_away(),
            caller_of: Arc::new(move |certificate| {
                let nobody = || Problem::new(Code::CertificateNotAccepted, "the certificate names no caller");
                let known = known
                    .get(certificate.as_ref())
                    .filter(|_| !refusing.load(Ordering::SeqCst));
                known.cloned().ok_or_else(nobody)
            }),
            backend,
            people: None,
            pages,
            limits,
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let done = tokio::spawn(async move { ccpor_api::serve(listener, serving, stopped).await.unwrap() });
        Self {
            authority,
            address,
            dispatch,
            system,
            stranger,
            revoked,
            stop,
            done,
        }
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.target(Some(&self.system))).await.unwrap()
    }

    pub(crate) fn target(&self, show: Option<&Identity>) -> Target {
        Target::new(
            self.address.to_string(),
            client_config(&self.authority, show, &[b"h2"]),
        )
    }

    pub(crate) async fn channel(&self, show: &Identity) -> Channel {
        let config = client_config(&self.authority, Some(show), &[b"h2"]);
        let address = self.address;
        let connector = tower::service_fn(move |_uri| {
            let config = config.clone();
            async move {
                let socket = tokio::net::TcpStream::connect(address).await?;
                let name = ServerName::try_from("localhost").unwrap();
                TlsConnector::from(config)
                    .connect(name, socket)
                    .await
                    .map(TokioIo::new)
            }
        });
        Endpoint::from_static("http://localhost")
            .connect_with_connector(connector)
            .await
            .unwrap()
    }

    /// One REST call over HTTP/1.1 as the court's system.
    pub(crate) async fn call(&self, request: http::request::Builder, body: impl Into<Bytes>) -> Answer {
        self.call_as(Some(&self.system), request, body).await
    }

    pub(crate) async fn call_as(
        &self,
        show: Option<&Identity>,
        request: http::request::Builder,
        body: impl Into<Bytes>,
    ) -> Answer {
        self.call_with(show, request, Full::new(body.into())).await
    }

    pub(crate) async fn call_with<B>(
        &self,
        show: Option<&Identity>,
        request: http::request::Builder,
        body: B,
    ) -> Answer
    where
        B: hyper::body::Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + 'static,
    {
        let stream = self.tls(show, b"http/1.1").await;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection);
        let request = request.header("host", "localhost").body(body).unwrap();
        collected(sender.send_request(request).await.unwrap()).await
    }

    /// One raw gRPC call: the bytes go out as one message.
    pub(crate) async fn grpc_bytes(&self, path: &str, message: &[u8]) -> Answer {
        let stream = self.tls(Some(&self.system), b"h2").await;
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
                .await
                .unwrap();
        tokio::spawn(connection);
        let mut body = vec![0];
        body.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
        body.extend_from_slice(message);
        let request = http::Request::post(format!("https://localhost{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(Full::new(Bytes::from(body)))
            .unwrap();
        collected(sender.send_request(request).await.unwrap()).await
    }

    pub(crate) async fn tls(
        &self,
        show: Option<&Identity>,
        alpn: &'static [u8],
    ) -> tokio_rustls::client::TlsStream<tokio::net::TcpStream> {
        let config = client_config(&self.authority, show, &[alpn]);
        let socket = tokio::net::TcpStream::connect(self.address).await.unwrap();
        TlsConnector::from(config)
            .connect(ServerName::try_from("localhost").unwrap(), socket)
            .await
            .unwrap()
    }
}

async fn collected(response: http::Response<hyper::body::Incoming>) -> Answer {
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    http::Response::from_parts(parts, bytes)
}

pub(crate) fn caller(identity: &str, oris: &[&str]) -> Caller {
    let oris = oris.iter().map(|ori| (*ori).to_owned()).collect();
    Caller {
        identity: identity.to_owned(),
        oris,
        ..Caller::default()
    }
}

pub(crate) fn get(path: &str) -> http::request::Builder {
    http::Request::get(path)
}

pub(crate) fn post(path: &str) -> http::request::Builder {
    http::Request::post(path).header("content-type", "application/json")
}

pub(crate) fn problem(answer: &Answer) -> Problem {
    assert_eq!(
        answer.headers()["content-type"],
        "application/problem+json",
        "{answer:?}"
    );
    let problem = Problem::from_json(answer.body()).unwrap();
    assert_eq!(answer.status().as_u16(), problem.code.status());
    problem
}
