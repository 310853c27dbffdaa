//! A world of real daemons in a temporary directory: a hub and courts' nodes that enrolled by invitation.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ccpor_api::message::{
    CourtsAnswer, FileOrderRequest, LookupAnswer, LookupRequest, Name, Order, Person, Protected, WriteAnswer,
};
use ccpor_api::{CallFailed, Client, Target};
use ccpor_certs::tls::{Expect, client_config};
use ccpor_certs::{Identity, IdentityDir};
use ccpor_deploy::fleet::Fleet;

/// A fleet, and the identities to ask it with: each machine is asked as the court that it belongs to.
pub struct World {
    /// The daemons.
    pub fleet: Fleet,
    /// Where everything lies; removed when the world ends.
    pub directory: tempfile::TempDir,
    operator: IdentityDir,
}

/// Whatever goes wrong in a test; the text says what.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What goes wrong in a test ends it.
pub type Outcome<T> = Result<T, Failure>;

impl World {
    /// A hub and the nodes of these courts (slugs of counties).
    ///
    /// # Errors
    /// When a daemon does not start.
    pub async fn start(courts: &[&str]) -> Outcome<Self> {
        Self::start_on(courts, &BTreeMap::new()).await
    }

    /// As [`World::start`], but machines named in `disks` (`hub`, or the court) keep their data there.
    ///
    /// # Errors
    /// When a daemon does not start.
    pub async fn start_on(courts: &[&str], disks: &BTreeMap<String, PathBuf>) -> Outcome<Self> {
        let directory = tempfile::tempdir()?;
        let mut fleet = match disks.get("hub") {
            Some(disk) => Fleet::start_with(directory.path(), disk).await?,
            None => Fleet::start(directory.path()).await?,
        };
        let operator = fleet.authority().issue(
            &"operator/test".parse::<Identity>()?,
            &[],
            &[],
            &directory.path().join("operator"),
        )?;
        for court in courts {
            match disks.get(*court) {
                Some(disk) => fleet.join_with(Identity::court(court, 1)?, court, disk).await?,
                None => join(&mut fleet, court).await?,
            };
        }
        Ok(Self {
            fleet,
            directory,
            operator,
        })
    }

    /// From now on the directory stays when the world ends, to be looked at after a failure; [`World::succeeded`] ends that.
    pub fn keep(&mut self) {
        println!("a failed run stays in {}", self.directory.path().display());
        self.directory.disable_cleanup(true);
    }

    /// Nobody has to look at the directory.
    pub fn succeeded(mut self) {
        self.directory.disable_cleanup(false);
    }

    /// Gives a node further settings, in a drop-in beside its file, and starts it anew.
    ///
    /// # Errors
    /// When it does not start with them.
    pub async fn set(&mut self, number: usize, settings: &str) -> Outcome<()> {
        if let Some(node) = self.fleet.take_node(number) {
            node.stop().await;
        }
        let member = self.fleet.members().get(number).ok_or("no such member")?;
        let drop_ins = member.directory().join("node.d");
        std::fs::create_dir_all(&drop_ins)?;
        std::fs::write(drop_ins.join("test.toml"), settings)?;
        Ok(self.fleet.start_node(number).await?)
    }

    /// A connection to the node with this number, as its court.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn node(&self, number: usize) -> Outcome<Client> {
        let member = self.fleet.members().get(number).ok_or("no such member")?;
        self.client(member.api()).await
    }

    /// A connection to the hub, as the first court.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn hub(&self) -> Outcome<Client> {
        self.client(self.fleet.hub_api()).await
    }

    /// A connection to a port for programs, as the court whose it is.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn client(&self, address: SocketAddr) -> Outcome<Client> {
        connect(&self.desk(address)?, address).await
    }

    /// The identity to ask a machine with: of the court whose node it is, at the hub of the first court.
    ///
    /// # Errors
    /// When there is no court.
    pub fn desk(&self, address: SocketAddr) -> Outcome<IdentityDir> {
        let members = self.fleet.members();
        let own = members.iter().find(|member| member.api() == address);
        let court = own.or(members.first()).ok_or("no court to ask as")?;
        Ok(IdentityDir::open(&court.data().join("identity"))?)
    }

    /// An operator's identity: it sees the state of machines, and no order.
    pub fn operator(&self) -> &IdentityDir {
        &self.operator
    }
}

/// A connection with any identity.
///
/// # Errors
/// When it does not answer or refuses the identity.
pub async fn connect(
    identity: &IdentityDir,
    address: SocketAddr,
) -> Result<Client, Box<dyn std::error::Error + Send + Sync>> {
    let tls: Arc<rustls::ClientConfig> = client_config(identity, Expect::AnyServer, &[b"h2"])?;
    let target = Target {
        purpose: Some("a test of the registry".into()),
        ..Target::new(address.to_string(), tls)
    };
    Ok(Client::connect(target).await?)
}

/// Adds a court's node.
///
/// # Errors
/// When it does not enrol or start.
pub async fn join(fleet: &mut Fleet, court: &str) -> Outcome<usize> {
    Ok(fleet.join(Identity::court(court, 1)?, court).await?)
}

/// An order against LAST, FIRST, born 12 March 1985.
#[must_use]
pub fn order(last: &str, first: &str, case_number: &str) -> Order {
    let name = |first: &str, last: &str| {
        Some(Name {
            first: first.into(),
            last: last.into(),
            ..Name::default()
        })
    };
    Order {
        form: "DV-130".into(),
        case_number: case_number.into(),
        issued: "2026-03-01".into(),
        restrained: Some(Person {
            name: name(first, last),
            dob: "1985-03-12".into(),
            ..Person::default()
        }),
        protected: vec![Protected {
            person: Some(Person {
                name: name("Alma", "Protegida"),
                ..Person::default()
            }),
            ..Protected::default()
        }],
        ..Order::default()
    }
}

/// Files an order under a key.
///
/// # Errors
/// As the node says.
pub async fn file(client: &Client, key: &str, order: Order) -> Result<WriteAnswer, CallFailed> {
    let request = FileOrderRequest {
        idempotency_key: key.into(),
        order: Some(order),
        ..FileOrderRequest::default()
    };
    client.file_order(request).await
}

/// Looks a name up.
///
/// # Errors
/// As the machine says.
pub async fn lookup(client: &Client, last: &str, first: &str) -> Result<LookupAnswer, CallFailed> {
    let request = LookupRequest {
        last: last.into(),
        first: first.into(),
        limit: 200,
        ..LookupRequest::default()
    };
    client.lookup(request).await
}

/// Asks again and again until the answer is as wanted, at most for a minute. The wait between two questions is short, and what
/// is waited for is a state, not a time.
///
/// # Errors
/// With the last answer when it never was.
pub async fn until<T, F>(what: &str, mut ask: impl FnMut() -> F) -> Outcome<T>
where
    F: Future<Output = Outcome<Option<T>>>,
{
    let start = Instant::now();
    let mut last = String::new();
    while start.elapsed() < Duration::from_secs(60) {
        match ask().await {
            Ok(Some(reached)) => return Ok(reached),
            Ok(None) => {}
            Err(error) => last = error.to_string(),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err(format!("{what} did not happen within a minute. {last}").into())
}

/// Head of each ledger, by its name.
#[must_use]
pub fn heads(courts: &CourtsAnswer) -> BTreeMap<String, (u32, u64, String)> {
    courts
        .courts
        .iter()
        .filter_map(|court| {
            let head = court.head.as_ref()?;
            Some((court.origin.clone(), (head.epoch, head.seq, head.hash.clone())))
        })
        .collect()
}
