//! Daemons without a fleet: an authority whose clock can be moved, and single hubs and nodes with the settings that a test
//! chooses.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ccpor_certs::{Authority, Clock, Identity, IdentityDir};
use ccpor_deploy::fleet::{Daemon, programs};

use crate::program::{Ended, Program};
use crate::world::Outcome;

/// An authority and a directory for everything that it certifies.
pub struct Realm {
    directory: tempfile::TempDir,
    /// The authority.
    pub authority: Authority,
}

/// One daemon with a directory and settings of its own.
#[derive(Debug)]
pub struct Lone {
    directory: PathBuf,
    kind: Kind,
    daemon: Option<Daemon>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Hub,
    Node,
}

impl Realm {
    /// An authority whose certificates begin when `clock` says.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(clock: Clock) -> Outcome<Self> {
        let directory = tempfile::tempdir()?;
        let authority = Authority::init_with(&directory.path().join("authority"), clock)?;
        Ok(Self { directory, authority })
    }

    /// A place in the directory.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Issues an identity, `court/alameda/node/1` or `lea/alameda-so`, with these ORIs.
    ///
    /// # Errors
    /// When the authority refuses.
    pub fn issue(&self, identity: &str, oris: &[&str]) -> Outcome<IdentityDir> {
        let folder = self.path(&format!("identity-{}", identity.replace('/', "-")));
        let oris: Vec<String> = oris.iter().map(|ori| (*ori).to_owned()).collect();
        Ok(self
            .authority
            .issue(&identity.parse::<Identity>()?, &[], &oris, &folder)?)
    }

    /// A node with the identity `court/COURT/node/1`, not started; `more` is added to its settings.
    ///
    /// # Errors
    /// When its files cannot be written.
    pub fn node(&self, court: &str, more: &str) -> Outcome<Lone> {
        let identity = self.issue(&format!("court/{court}/node/1"), &[])?;
        Lone::node(&self.path(court), identity.path(), more)
    }

    /// The hub `hub/1`, not started.
    ///
    /// # Errors
    /// When its files cannot be written.
    pub fn hub(&self) -> Outcome<Lone> {
        self.hub_with(1, "")
    }

    /// The hub with this number, not started; `enrolment` is added to that section of its settings.
    ///
    /// # Errors
    /// When its files cannot be written.
    pub fn hub_with(&self, number: u32, enrolment: &str) -> Outcome<Lone> {
        let name = format!("hub/{number}");
        let identity = self.issue(&name, &[])?;
        let ports =
            format!("[nodes]\nlisten = \"127.0.0.1:0\"\n[enrolment]\nlisten = \"127.0.0.1:0\"\n{enrolment}");
        Lone::new(
            &self.path(&name.replace('/', "-")),
            Kind::Hub,
            identity.path(),
            &ports,
        )
    }
}

impl Lone {
    /// A node that keeps its files in `directory`, with the identity in another one.
    ///
    /// # Errors
    /// When its files cannot be written.
    pub fn node(directory: &Path, identity: &Path, more: &str) -> Outcome<Self> {
        Self::new(directory, Kind::Node, identity, more)
    }

    fn new(directory: &Path, kind: Kind, identity: &Path, more: &str) -> Outcome<Self> {
        let data = directory.join("data");
        std::fs::create_dir_all(&data)?;
        let text = format!(
            "[data]\ndirectory = {data:?}\nidentity = {identity:?}\n[api]\nlisten = \"127.0.0.1:0\"\n{more}"
        );
        std::fs::write(directory.join("settings.toml"), text)?;
        Ok(Self {
            directory: directory.to_owned(),
            kind,
            daemon: None,
        })
    }

    /// Its settings file.
    #[must_use]
    pub fn settings(&self) -> PathBuf {
        self.directory.join("settings.toml")
    }

    /// Its data directory.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// What it logged since it was made.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }

    /// Starts it, and gives the address of its interfaces.
    ///
    /// # Errors
    /// When it does not become ready; with its last words.
    pub async fn start(&mut self) -> Outcome<SocketAddr> {
        let (hub, node) = programs()?;
        let program = if self.kind == Kind::Hub { hub } else { node };
        let arguments = [
            "--config".into(),
            self.settings().display().to_string(),
            "run".into(),
        ];
        let daemon = Daemon::spawn(&program, &arguments, &self.directory.join("log"))?
            .ready()
            .await?;
        let address = daemon.ready().api;
        self.daemon = Some(daemon);
        Ok(address)
    }

    /// Lets it open the ports that it has now when it is started again.
    ///
    /// # Errors
    /// When it does not run, or its files cannot be written.
    pub fn keep_ports(&self) -> Outcome<()> {
        let ready = self.daemon()?.ready();
        let mut ports = format!("[api]\nlisten = \"{}\"\n", ready.api);
        if let Some(nodes) = ready.nodes {
            ports += &format!("[nodes]\nlisten = \"{nodes}\"\n");
        }
        let drop_ins = self.settings().with_extension("d");
        std::fs::create_dir_all(&drop_ins)?;
        Ok(std::fs::write(drop_ins.join("90-ports.toml"), ports)?)
    }

    /// The running daemon.
    ///
    /// # Errors
    /// When it does not run.
    pub fn daemon(&self) -> Outcome<&Daemon> {
        Ok(self.daemon.as_ref().ok_or("the daemon does not run")?)
    }

    /// Where its hub takes nodes.
    ///
    /// # Errors
    /// When it is no running hub.
    pub fn nodes(&self) -> Outcome<SocketAddr> {
        Ok(self.daemon()?.ready().nodes.ok_or("not a hub")?)
    }

    /// Stops it.
    pub async fn stop(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            daemon.stop().await;
        }
    }

    /// Kills it.
    pub async fn kill(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            daemon.kill().await;
        }
    }

    /// Runs its program with these arguments, to the end.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn run(&self, arguments: &[&str]) -> Outcome<Ended> {
        let program = if self.kind == Kind::Hub {
            Program::hub()?
        } else {
            Program::node()?
        };
        program
            .arg("--config")
            .arg(self.settings())
            .args(arguments.iter().copied())
            .run()
            .await
    }
}

/// Copies an identity directory so that it trusts the authority of another one as well.
///
/// # Errors
/// When the files cannot be copied.
pub fn trusting(identity: &IdentityDir, authority: &IdentityDir, target: &Path) -> Outcome<IdentityDir> {
    std::fs::create_dir(target)?;
    for entry in std::fs::read_dir(identity.path())? {
        let entry = entry?;
        std::fs::copy(entry.path(), target.join(entry.file_name()))?;
    }
    let (own, other) = (identity.path().join("ca.pem"), authority.path().join("ca.pem"));
    std::fs::write(
        target.join("ca.pem"),
        std::fs::read_to_string(own)? + &std::fs::read_to_string(other)?,
    )?;
    Ok(IdentityDir::open(target)?)
}
