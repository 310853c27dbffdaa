//! The way to the desk while the daemon runs: its own programming interface, with the node's own certificate.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use ccpor_api::message::{EndOrderRequest, FileOrderRequest, RecordServiceRequest, WriteAnswer};
use ccpor_api::{ALPN, CallFailed, Client, Code, Target, render};
use ccpor_certs::IdentityDir;
use ccpor_certs::tls::{Expect, TlsSetupError, client_config};
use ccpor_domain::{Ending, Order, OrderId, Service};
use tokio::runtime::Handle;

use super::desk::{Desk, Done, Refused};

/// Connections; each carries many calls at once.
const CONNECTIONS: usize = 4;
/// Calls at once, over all connections.
const LANES: usize = 128;
/// Waits before a call is repeated that found nobody, or a busy daemon; its key makes that safe.
const WAITS: [Duration; 4] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(10),
];

/// The daemon of this data directory.
pub(super) struct Remote {
    clients: Vec<Client>,
    runtime: Handle,
}

/// Why the daemon cannot be spoken with.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectFailed {
    #[error(transparent)]
    Tls(#[from] TlsSetupError),
    #[error(
        "the data directory is in use and its daemon does not answer: {0}. Wait until it is ready, or stop it; then import again"
    )]
    Call(#[from] CallFailed),
}

impl Remote {
    /// Connects to the daemon at `api` and takes nobody else for it.
    pub(super) async fn connect(api: SocketAddr, identity: &IdentityDir) -> Result<Self, ConnectFailed> {
        let expect = Expect::Exactly(identity.identity().clone());
        let http2 = ALPN.get(..1).unwrap_or_default();
        let tls = client_config(identity, expect, http2)?;
        let target = Target::new(reachable(api).to_string(), tls);
        let mut clients = Vec::new();
        for _ in 0..CONNECTIONS {
            clients.push(Client::connect(target.clone()).await?);
        }
        Ok(Self {
            clients,
            runtime: Handle::current(),
        })
    }

    /// Calls from a thread of the import, and again where it was not heard.
    fn call<C>(&self, key: &str, call: impl Fn(Client) -> C) -> Result<Done, Refused>
    where
        C: Future<Output = Result<WriteAnswer, CallFailed>>,
    {
        let spread = key.bytes().fold(0, |sum, byte| sum + usize::from(byte));
        let Some(client) = self.clients.get(spread % CONNECTIONS) else {
            return Err(Refused::Every("there is no connection to the daemon".to_owned()));
        };
        self.runtime.block_on(async {
            let mut waits = WAITS.iter();
            loop {
                let failed = match call(client.clone()).await {
                    Ok(answer) => return done(&answer),
                    Err(failed) => failed,
                };
                match (is_passing(&failed), waits.next()) {
                    (true, Some(wait)) => tokio::time::sleep(*wait).await,
                    _ => return Err(refused(failed)),
                }
            }
        })
    }
}

impl Desk for Remote {
    fn file(&self, key: String, reason: &str, source_id: String, order: Order) -> Result<Done, Refused> {
        let request = FileOrderRequest {
            idempotency_key: key.clone(),
            order: Some(render::order(&order)),
            source_id,
            reason: reason.to_owned(),
            ..FileOrderRequest::default()
        };
        self.call(&key, |client| {
            let request = request.clone();
            async move { client.file_order(request).await }
        })
    }

    fn serve(&self, key: String, order: OrderId, service: Service) -> Result<Done, Refused> {
        let request = RecordServiceRequest {
            idempotency_key: key.clone(),
            order_id: order.to_string(),
            service: Some(render::service(&service)),
            reason: String::new(),
        };
        self.call(&key, |client| {
            let request = request.clone();
            async move { client.record_service(request).await }
        })
    }

    fn end(&self, key: String, order: OrderId, ending: Ending) -> Result<Done, Refused> {
        let request = EndOrderRequest {
            idempotency_key: key.clone(),
            order_id: order.to_string(),
            ending: Some(render::ending(&ending)),
            reason: String::new(),
        };
        self.call(&key, |client| {
            let request = request.clone();
            async move { client.end_order(request).await }
        })
    }

    fn lanes(&self) -> usize {
        LANES
    }
}

/// A daemon that listens on every address is reached on this machine's own.
fn reachable(api: SocketAddr) -> SocketAddr {
    let ip = match api.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, api.port())
}

fn done(answer: &WriteAnswer) -> Result<Done, Refused> {
    match answer.order_id.parse() {
        Ok(order) => Ok(Done {
            order,
            repeated: answer.repeated,
        }),
        Err(_) => Err(Refused::Every(
            "the daemon's answer names no order; is it of another version?".to_owned(),
        )),
    }
}

/// Whether the same call may succeed a little later.
fn is_passing(failed: &CallFailed) -> bool {
    match failed {
        CallFailed::Unreachable { .. } | CallFailed::NoAnswer { .. } => true,
        CallFailed::Problem(problem) => {
            matches!(
                problem.code,
                Code::Unavailable | Code::Timeout | Code::TooManyRequests
            )
        }
        _ => false,
    }
}

fn refused(failed: CallFailed) -> Refused {
    let CallFailed::Problem(problem) = failed else {
        return Refused::Every(failed.to_string());
    };
    match problem.code {
        Code::IdempotencyKeyReused | Code::AlreadyFiled => Refused::Differs,
        Code::InvalidFields
        | Code::TooLarge
        | Code::VersionConflict
        | Code::StateConflict
        | Code::NotTheIssuingCourt
        | Code::OrderNotFound => Refused::This(problem.detail.into_owned()),
        _ => Refused::Every(format!("{}. {}", problem.detail, problem.advice())),
    }
}

#[cfg(test)]
mod tests {
    use ccpor_api::Problem;

    use super::*;

    #[test]
    fn every_address_is_this_machine() {
        for (told, reached) in [
            ("0.0.0.0:8443", "127.0.0.1:8443"),
            ("[::]:1", "[::1]:1"),
            ("10.0.0.7:2", "10.0.0.7:2"),
        ] {
            assert_eq!(reachable(told.parse().unwrap()).to_string(), reached);
        }
    }

    #[test]
    fn problems_of_one_order_do_not_stop_the_others() {
        let of = |code| refused(CallFailed::Problem(Problem::new(code, "so it is")));
        assert_eq!(of(Code::IdempotencyKeyReused), Refused::Differs);
        assert_eq!(of(Code::StateConflict), Refused::This("so it is".to_owned()));
        assert!(matches!(of(Code::StorageFull), Refused::Every(words) if words.starts_with("so it is. ")));
        assert!(matches!(of(Code::NotAllowed), Refused::Every(_)));
    }
}
