//! A whole fleet: the authority, the hub, and the courts in it; each step is the one that an operator would take.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ccpor_certs::{Authority, Identity};
use tokio::process::Command;

use super::process::{Daemon, DaemonFailed, Starting, programs};

/// A hub, its courts, and the directory where all of them keep their files.
#[derive(Debug)]
pub struct Fleet {
    directory: PathBuf,
    authority: Authority,
    hub_program: PathBuf,
    node_program: PathBuf,
    hub: Option<Daemon>,
    hub_data: PathBuf,
    hub_addresses: HubAddresses,
    members: Vec<Member>,
}

/// Where the hub is reached; kept over restarts, since the nodes were told once.
#[derive(Clone, Copy, Debug)]
struct HubAddresses {
    api: SocketAddr,
    nodes: SocketAddr,
    enrolment: SocketAddr,
}

/// A court's node.
#[derive(Debug)]
pub struct Member {
    identity: Identity,
    directory: PathBuf,
    data: PathBuf,
    daemon: Option<Daemon>,
    api: SocketAddr,
}

/// Why the fleet could not do something.
#[derive(Debug, thiserror::Error)]
pub enum FleetFailed {
    /// A daemon did not start.
    #[error(transparent)]
    Daemon(#[from] DaemonFailed),
    /// A file or directory could not be made.
    #[error("{path} could not be written: {reason}")]
    File {
        /// The path.
        path: PathBuf,
        /// The system's words.
        reason: std::io::Error,
    },
    /// The authority refused.
    #[error("the certificate authority refused: {0}")]
    Authority(String),
    /// Enrolment failed.
    #[error("{identity} could not be enrolled: {reason}")]
    NotEnrolled {
        /// Whom.
        identity: String,
        /// What `enroll` said.
        reason: String,
    },
    /// There is no such member.
    #[error("this fleet has no member {0}")]
    NoMember(usize),
}

const LOOPBACK: &str = "127.0.0.1";

impl Fleet {
    /// Makes a private authority in `directory` and starts a hub with it.
    ///
    /// # Errors
    /// [`FleetFailed`] when a step fails; what was made stays, for looking at.
    pub async fn start(directory: &Path) -> Result<Self, FleetFailed> {
        Self::start_with(directory, &directory.join("hub")).await
    }

    /// As [`Fleet::start`], the hub's data being kept in `data`, which may lie on another disk.
    ///
    /// # Errors
    /// As [`Fleet::start`].
    pub async fn start_with(directory: &Path, data: &Path) -> Result<Self, FleetFailed> {
        let (hub_program, node_program) = programs()?;
        let authority = Authority::init(&directory.join("authority")).map_err(refused)?;
        make(&directory.join("hub"))?;
        authority
            .issue(
                &"hub/1".parse::<Identity>().map_err(refused)?,
                &[LOOPBACK.into(), "localhost".into()],
                &[],
                &data.join("identity"),
            )
            .map_err(refused)?;
        let free: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut fleet = Self {
            directory: directory.to_owned(),
            authority,
            hub_program,
            node_program,
            hub: None,
            hub_data: data.to_owned(),
            hub_addresses: HubAddresses {
                api: free,
                nodes: free,
                enrolment: free,
            },
            members: Vec::new(),
        };
        fleet.start_hub().await?;
        Ok(fleet)
    }

    /// Starts the hub, at the addresses it had before.
    ///
    /// # Errors
    /// [`FleetFailed::Daemon`] when it does not become ready.
    pub async fn start_hub(&mut self) -> Result<(), FleetFailed> {
        let daemon = self.spawn_hub()?.ready().await?;
        let ready = daemon.ready();
        self.hub_addresses = HubAddresses {
            api: ready.api,
            nodes: ready.nodes.unwrap_or(self.hub_addresses.nodes),
            enrolment: ready.enrolment.unwrap_or(self.hub_addresses.enrolment),
        };
        self.hub = Some(daemon);
        Ok(())
    }

    /// Starts the hub without waiting for it and without taking it into the fleet, to kill it on its way.
    ///
    /// # Errors
    /// [`FleetFailed`] when the system does not start it.
    pub fn spawn_hub(&self) -> Result<Starting, FleetFailed> {
        let directory = self.directory.join("hub");
        let file = directory.join("hub.toml");
        let text = format!(
            "[data]\ndirectory = {:?}\n\n[api]\nlisten = \"{}\"\n\n[nodes]\nlisten = \"{}\"\n\n[enrolment]\nlisten = \"{}\"\nauthority = {:?}\n",
            self.hub_data,
            self.hub_addresses.api,
            self.hub_addresses.nodes,
            self.hub_addresses.enrolment,
            self.directory.join("authority"),
        );
        write(&file, &text)?;
        Ok(Daemon::spawn(
            &self.hub_program,
            &run(&file),
            &directory.join("hub.log"),
        )?)
    }

    /// Invites a court's node, enrols it with the invitation, and starts it. Gives its number in this fleet.
    ///
    /// # Errors
    /// [`FleetFailed`] when the invitation is refused or the node does not become ready.
    pub async fn join(&mut self, identity: Identity, court_name: &str) -> Result<usize, FleetFailed> {
        let data = self.directory.join(identity.path().replace('/', "-"));
        self.join_with(identity, court_name, &data).await
    }

    /// As [`Fleet::join`], the node's data being kept in `data`, which may lie on another disk.
    ///
    /// # Errors
    /// As [`Fleet::join`].
    pub async fn join_with(
        &mut self,
        identity: Identity,
        court_name: &str,
        data: &Path,
    ) -> Result<usize, FleetFailed> {
        let directory = self.directory.join(identity.path().replace('/', "-"));
        make(&directory)?;
        let file = directory.join("node.toml");
        write(
            &file,
            &format!(
                "[data]\ndirectory = {data:?}\n\n[court]\nname = {court_name:?}\n\n[api]\nlisten = \"{LOOPBACK}:0\"\n",
            ),
        )?;
        let invitation = self
            .authority
            .invite(
                identity.clone(),
                &self.hub_addresses.enrolment.to_string(),
                &self.hub_addresses.nodes.to_string(),
                Duration::from_secs(3_600),
            )
            .map_err(refused)?;
        let said = Command::new(&self.node_program)
            .arg("--config")
            .arg(&file)
            .arg("enroll")
            .arg(invitation.text().as_str())
            .output()
            .await
            .map_err(|reason| DaemonFailed::NotStarted {
                program: self.node_program.clone(),
                reason,
            })?;
        if !said.status.success() {
            let reason = String::from_utf8_lossy(&said.stderr).trim().to_owned();
            return Err(FleetFailed::NotEnrolled {
                identity: identity.path(),
                reason,
            });
        }
        let api = SocketAddr::from(([127, 0, 0, 1], 0));
        self.members.push(Member {
            identity,
            directory,
            data: data.to_owned(),
            daemon: None,
            api,
        });
        let number = self.members.len() - 1;
        self.start_node(number).await?;
        Ok(number)
    }

    /// Starts a node that was stopped, at the address it had before.
    ///
    /// # Errors
    /// [`FleetFailed`] when there is no such member or it does not become ready.
    pub async fn start_node(&mut self, number: usize) -> Result<(), FleetFailed> {
        let daemon = self.spawn_node(number)?.ready().await?;
        let member = self
            .members
            .get_mut(number)
            .ok_or(FleetFailed::NoMember(number))?;
        member.api = daemon.ready().api;
        member.daemon = Some(daemon);
        Ok(())
    }

    /// Starts a node without waiting for it and without taking it into the fleet, to kill it on its way.
    ///
    /// # Errors
    /// [`FleetFailed`] when there is no such member or the system does not start it.
    pub fn spawn_node(&self, number: usize) -> Result<Starting, FleetFailed> {
        let member = self.members.get(number).ok_or(FleetFailed::NoMember(number))?;
        let mut arguments = run(&member.directory.join("node.toml"));
        arguments.extend(["--set".into(), format!("api.listen={}", member.api)]);
        Ok(Daemon::spawn(
            &self.node_program,
            &arguments,
            &member.directory.join("node.log"),
        )?)
    }

    /// Takes the hub's process out of the fleet, to stop or to kill it.
    pub fn take_hub(&mut self) -> Option<Daemon> {
        self.hub.take()
    }

    /// Takes a node's process out of the fleet, to stop or to kill it.
    pub fn take_node(&mut self, number: usize) -> Option<Daemon> {
        self.members
            .get_mut(number)
            .and_then(|member| member.daemon.take())
    }

    /// Stops every process, the nodes first.
    pub async fn stop(&mut self) {
        for member in &mut self.members {
            if let Some(daemon) = member.daemon.take() {
                daemon.stop().await;
            }
        }
        if let Some(hub) = self.hub.take() {
            hub.stop().await;
        }
    }

    /// The courts.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The hub's process, while it runs.
    #[must_use]
    pub fn hub(&self) -> Option<&Daemon> {
        self.hub.as_ref()
    }

    /// Where the hub serves gRPC and REST.
    #[must_use]
    pub fn hub_api(&self) -> SocketAddr {
        self.hub_addresses.api
    }

    /// Where the hub takes connections of nodes.
    #[must_use]
    pub fn hub_nodes(&self) -> SocketAddr {
        self.hub_addresses.nodes
    }

    /// Where the hub keeps its data.
    #[must_use]
    pub fn hub_data(&self) -> &Path {
        &self.hub_data
    }

    /// The authority, for issuing identities to agencies and operators.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The directory of everything.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

impl Member {
    /// Who it is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Where its configuration and its log lie.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where it keeps its data.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Its process, while it runs.
    #[must_use]
    pub fn daemon(&self) -> Option<&Daemon> {
        self.daemon.as_ref()
    }

    /// Where it serves gRPC and REST.
    #[must_use]
    pub fn api(&self) -> SocketAddr {
        self.api
    }
}

fn run(file: &Path) -> Vec<String> {
    vec!["--config".into(), file.display().to_string(), "run".into()]
}

fn make(directory: &Path) -> Result<(), FleetFailed> {
    std::fs::create_dir_all(directory).map_err(|reason| FleetFailed::File {
        path: directory.to_owned(),
        reason,
    })
}

fn write(path: &Path, text: &str) -> Result<(), FleetFailed> {
    std::fs::write(path, text).map_err(|reason| FleetFailed::File {
        path: path.to_owned(),
        reason,
    })
}

fn refused(error: impl std::fmt::Display) -> FleetFailed {
    FleetFailed::Authority(error.to_string())
}
