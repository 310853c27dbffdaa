//! Enrolment over real sockets on loopback: the good case, lost replies, and everything that is refused.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ccpor_certs::enrolment::{EnrolError, Enrolling, RefusalCode, ServeError, enroll_with, serve};
use ccpor_certs::{Authority, Clock, Identity, IdentityDir, Invitation};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::forge::{DAY, Registry, START, identity};

/// A registry whose hub takes enrolments.
pub(crate) struct Hub {
    pub(crate) registry: Registry,
    pub(crate) address: SocketAddr,
    stop: CancellationToken,
    service: JoinHandle<Result<(), ServeError>>,
    /// Whom the hub said that it refuses, before it did.
    pub(crate) recorded: Arc<Mutex<Vec<Refused>>>,
}

/// Who was refused, when that was proven, and why.
type Refused = (Option<Identity>, RefusalCode);

impl Hub {
    pub(crate) async fn start() -> Hub {
        let registry = Registry::new();
        let directory = registry.issue("hub/1");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let authority = Arc::new(Authority::open_with(&registry.path("ca"), registry.clock.clone()).unwrap());
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let recorded = Arc::<Mutex<Vec<Refused>>>::default();
        let keeping = Arc::clone(&recorded);
        let enrolling = Enrolling {
            refused: Arc::new(move |_from, who, why| {
                keeping.lock().unwrap().push((who, why));
                Box::pin(async {})
            }),
            ..Enrolling::at_once(authority)
        };
        let service = tokio::spawn(async move { serve(listener, enrolling, &directory, stopped).await });
        Hub {
            registry,
            address,
            stop,
            service,
            recorded,
        }
    }

    pub(crate) fn invite(&self, path: &str) -> Invitation {
        let (address, ttl) = (self.address.to_string(), Duration::from_secs(3600));
        self.registry
            .authority
            .invite(identity(path), &address, "hub.example:7440", ttl)
            .unwrap()
    }

    pub(crate) async fn enroll(
        &self,
        invitation: &Invitation,
        name: &str,
    ) -> Result<IdentityDir, EnrolError> {
        enroll_with(
            &invitation.text(),
            &self.registry.path(name),
            self.registry.clock.clone(),
        )
        .await
    }

    pub(crate) async fn refusal(&self, invitation: &Invitation, name: &str) -> RefusalCode {
        match self.enroll(invitation, name).await {
            Err(EnrolError::Refused(refusal)) => {
                let recorded = self.recorded.lock().unwrap().last().cloned();
                assert_eq!(recorded, Some((None, refusal.code)), "told before it is answered");
                refusal.code
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_machine_enrols_and_the_directory_is_whole() {
    let hub = Hub::start().await;
    for path in ["court/alameda/node/1", "tribal/yurok/node/1", "lea/alameda-so"] {
        let name = path.replace('/', ".");
        let made = hub.enroll(&hub.invite(path), &name).await.unwrap();
        assert_eq!(made.identity(), &identity(path));
        assert_eq!(made.record_key_pkcs8().is_some(), made.identity().signs_records());
        assert_eq!(made.facts().hub_address.as_deref(), Some("hub.example:7440"));
        assert_eq!(made.facts().hub, Some(identity("hub/1")));
        assert!(made.warnings().is_empty());
        assert!(!hub.registry.path(&format!("{name}.enrolling")).exists());
    }
    hub.stop.cancel();
    hub.service.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_empty_directory_may_be_there_and_a_full_one_may_not() {
    let hub = Hub::start().await;
    fs::create_dir(hub.registry.path("empty")).unwrap();
    let invitation = hub.invite("court/alameda/node/1");
    let first = hub.enroll(&invitation, "empty").await.unwrap();
    // The same once more, as after a reply that nobody saw.
    assert_eq!(
        hub.enroll(&invitation, "empty").await.unwrap().peer(),
        first.peer()
    );
    let second = hub.invite("court/alameda/node/1");
    assert!(matches!(
        hub.enroll(&second, "empty").await,
        Err(EnrolError::AlreadyEnrolled(_))
    ));
}

#[tokio::test]
async fn a_lost_reply_is_repeated_with_the_same_keys() {
    let hub = Hub::start().await;
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (behind, address) = (hub.address, proxy.local_addr().unwrap().to_string());
    let authority = Authority::open_with(&hub.registry.path("ca"), hub.registry.clock.clone()).unwrap();
    tokio::spawn(async move {
        let (client, _) = proxy.accept().await.unwrap();
        let hub = TcpStream::connect(behind).await.unwrap();
        cut_off_the_reply(client, hub, &authority).await;
    });
    let ttl = Duration::from_secs(3600);
    let node = identity("court/alameda/node/1");
    let invitation = hub
        .registry
        .authority
        .invite(node, &address, "hub.example:7440", ttl)
        .unwrap();
    let lost = hub.enroll(&invitation, "node").await.unwrap_err();
    assert!(matches!(&lost, EnrolError::AnswerLost(_)), "{lost:?}");
    assert!(lost.to_string().contains("run the same command again"));
    assert!(!hub.registry.path("node").exists());

    // Another machine that got hold of the invitation comes too late.
    let mut direct = invitation.clone();
    direct.enrolment_address = hub.address.to_string();
    assert_eq!(hub.refusal(&direct, "thief").await, RefusalCode::Used);
    let made = hub.enroll(&direct, "node").await.unwrap();
    let listed = hub.registry.authority.list().unwrap();
    assert!(listed.iter().any(|entry| entry.serial == made.peer().serial));
    assert_eq!(
        listed
            .iter()
            .filter(|entry| &entry.identity == made.identity())
            .count(),
        2
    );
}

/// Carries bytes both ways until the hub has redeemed, then drops what the hub says.
async fn cut_off_the_reply(client: TcpStream, hub: TcpStream, authority: &Authority) {
    let ((mut from_client, mut to_client), (mut from_hub, mut to_hub)) =
        (client.into_split(), hub.into_split());
    let forward = tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_hub).await });
    let mut bytes = [0; 4096];
    while let Ok(read @ 1..) = from_hub.read(&mut bytes).await {
        if authority
            .invitations()
            .unwrap()
            .iter()
            .any(|invitation| invitation.redeemed.is_some())
        {
            break;
        }
        to_client.write_all(&bytes[..read]).await.unwrap();
    }
    forward.abort();
}

#[tokio::test]
async fn altered_invitations_lead_nowhere() {
    let hub = Hub::start().await;
    let genuine = hub.invite("court/alameda/node/1");
    let altered = |change: &dyn Fn(&mut Invitation)| {
        let mut invitation = genuine.clone();
        change(&mut invitation);
        invitation
    };
    let other_token = Registry::new()
        .authority
        .invite(identity("hub/2"), "a:1", "a:1", Duration::from_secs(9))
        .unwrap()
        .token;
    assert_eq!(
        hub.refusal(&altered(&|i| i.token = other_token.clone()), "a")
            .await,
        RefusalCode::Unknown
    );

    let error = hub
        .enroll(&altered(&|i| i.ca_fingerprint = "0".repeat(64)), "b")
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("does not belong to the registry that wrote the invitation"),
        "{error}"
    );
    let error = hub
        .enroll(&altered(&|i| i.hub = identity("hub/2")), "c")
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("hub/1, but hub/2 was expected"),
        "{error}"
    );

    // The life that counts is the one in the authority's book.
    hub.registry.clock.set(START.plus(3601));
    let expired = altered(&|i| i.expires = i.expires.plus(DAY));
    assert_eq!(hub.refusal(&expired, "d").await, RefusalCode::Expired);
    hub.registry.clock.set(START);

    // Tried last, because it burns the invitation: the certificate is still the invited identity's.
    let error = hub
        .enroll(&altered(&|i| i.identity = identity("court/kern/node/1")), "e")
        .await
        .unwrap_err();
    assert!(matches!(error, EnrolError::WrongAnswer(_)), "{error:?}");
    for name in ["a", "b", "c", "d", "e"] {
        assert!(!hub.registry.path(name).exists());
    }
    let cut = genuine.text()[..60].to_owned();
    let error = enroll_with(&cut, &hub.registry.path("f"), Clock::machine())
        .await
        .unwrap_err();
    assert!(matches!(error, EnrolError::Invitation(_)));
}

#[tokio::test]
async fn a_wrong_clock_is_named_and_costs_no_invitation() {
    let hub = Hub::start().await;
    let invitation = hub.invite("court/alameda/node/1");
    let enroll_at = async |moment| {
        enroll_with(
            &invitation.text(),
            &hub.registry.path("node"),
            Clock::standing_at(moment),
        )
        .await
    };
    for wrong in [START.plus(DAY), START.plus(301), START.plus(-301)] {
        match enroll_at(wrong).await {
            Err(EnrolError::Refused(refusal)) => {
                assert_eq!(refusal.code, RefusalCode::Clock);
                assert!(
                    refusal.message.contains(&wrong.to_string())
                        && refusal.message.contains("2026-11-23T00:00:00Z")
                );
            }
            other => panic!("{other:?}"),
        }
    }
    for wrong in [START.plus(200 * DAY), START.plus(-200 * DAY)] {
        let error = enroll_at(wrong).await.unwrap_err();
        assert!(error.to_string().contains("set the clock"), "{error}");
    }
    enroll_at(START.plus(299)).await.unwrap();
}

#[tokio::test]
async fn a_new_invitation_replaces_an_unfinished_attempt() {
    let hub = Hub::start().await;
    let (first, second) = (
        hub.invite("court/alameda/node/1"),
        hub.invite("court/alameda/node/1"),
    );
    let mut nobody_there = first.clone();
    nobody_there.enrolment_address = "127.0.0.1:1".into();
    let error = hub.enroll(&nobody_there, "node").await.unwrap_err();
    assert!(matches!(error, EnrolError::Unreachable { .. }));
    let kept = fs::read(hub.registry.path("node.enrolling/tls.key")).unwrap();
    hub.enroll(&first, "node").await.unwrap();
    assert_eq!(fs::read(hub.registry.path("node/tls.key")).unwrap(), kept);

    nobody_there.token = second.token.clone();
    hub.enroll(&nobody_there, "other").await.unwrap_err();
    let third = hub.invite("court/alameda/node/1");
    hub.enroll(&third, "other").await.unwrap();
}

#[tokio::test]
async fn noise_does_not_disturb_the_service() {
    let hub = Hub::start().await;
    for noise in [&b""[..], b"GET / HTTP/1.1\r\n\r\n", &[0xff; 5000]] {
        let mut socket = TcpStream::connect(hub.address).await.unwrap();
        let _ = socket.write_all(noise).await;
    }
    hub.enroll(&hub.invite("court/alameda/node/1"), "node")
        .await
        .unwrap();
}

#[tokio::test]
async fn only_the_hub_of_the_same_registry_serves() {
    let (registry, other) = (Registry::new(), Registry::new());
    let authority = Arc::new(Authority::open_with(&registry.path("ca"), registry.clock.clone()).unwrap());
    let start = async |directory: &IdentityDir| {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        serve(
            listener,
            Enrolling::at_once(Arc::clone(&authority)),
            directory,
            CancellationToken::new(),
        )
        .await
        .unwrap_err()
    };
    assert!(matches!(
        start(&registry.issue("court/alameda/node/1")).await,
        ServeError::NotAHub(_)
    ));
    assert!(matches!(
        start(&other.issue("hub/1")).await,
        ServeError::OtherAuthority
    ));
}

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_secret_reaches_a_log_or_an_error() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let hub = Hub::start().await;
    let invitation = hub.invite("court/alameda/node/1");
    let made = hub.enroll(&invitation, "node").await.unwrap();
    let used = hub.enroll(&invitation, "thief").await.unwrap_err();
    let texts = format!(
        "{}{used:?}{used}{made:?}{invitation:?}",
        String::from_utf8_lossy(&log.0.lock().unwrap())
    );
    assert!(texts.contains("machine enrolled") && texts.contains("enrolment refused"));
    let mut secrets = vec![
        serde_json::to_value(&invitation).unwrap()["token"]
            .as_str()
            .unwrap()
            .to_owned(),
    ];
    for directory in ["node", "thief.enrolling"] {
        for key in ["tls.key", "record.key"] {
            secrets.push(longest_line(&hub.registry.path(directory).join(key)));
        }
    }
    for secret in secrets {
        assert!(secret.len() >= 40 && !texts.contains(&secret));
    }
}

fn longest_line(file: &Path) -> String {
    fs::read_to_string(file)
        .unwrap()
        .lines()
        .max_by_key(|line| line.len())
        .unwrap()
        .to_owned()
}
