//! A PostgreSQL server of its own, made in a temporary directory, started for a measurement and stopped after it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use postgres::{Client, NoTls};

use crate::world::Outcome;

/// A server; dropping it stops it and removes its files.
pub(super) struct Cluster {
    programs: PathBuf,
    port: u16,
    directory: tempfile::TempDir,
}

impl Cluster {
    /// A new one with these settings besides its own.
    pub(super) fn start(port: u16, settings: &str) -> Outcome<Self> {
        let programs = programs()?;
        // A server does not run as root: then the account that the package made runs it, which must reach its files.
        let directory = tempfile::tempdir_in("/var/tmp")?;
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(directory.path()))?;
        }
        let server = Self {
            programs,
            port,
            directory,
        };
        let data = server.data();
        run(server.program("initdb").arg("-D").arg(&data).args([
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "-U",
            "postgres",
        ]))?;
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .open(data.join("postgresql.conf"))?;
        writeln!(
            file,
            "{settings}listen_addresses = ''\nport = {port}\nunix_socket_directories = '{}'",
            server.directory.path().display()
        )?;
        run(server
            .program("pg_ctl")
            .arg("-D")
            .arg(&data)
            .arg("-l")
            .arg(server.directory.path().join("log"))
            .args(["-w", "start"]))?;
        Ok(server)
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        }
    }

    /// A connection over its socket.
    pub(super) fn connect(&self) -> Outcome<Client> {
        self.connect_to("postgres")
    }

    pub(super) fn connect_to(&self, database: &str) -> Outcome<Client> {
        Ok(Client::connect(&self.address_of(database), NoTls)?)
    }

    /// Where it is reached, as its own client library takes it.
    pub(super) fn address(&self) -> String {
        self.address_of("postgres")
    }

    pub(super) fn address_of(&self, database: &str) -> String {
        let folder = self.directory.path().display();
        format!("host={folder} port={} user=postgres dbname={database}", self.port)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let data = self.data();
        if let Err(error) =
            run(self
                .program("pg_ctl")
                .arg("-D")
                .arg(data)
                .args(["-m", "immediate", "-w", "stop"]))
        {
            eprintln!("bench: the PostgreSQL server could not be stopped: {error}");
        }
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn run(command: &mut Command) -> Outcome<Output> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(output);
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into())
}

/// Where the server's programs lie.
fn programs() -> Outcome<PathBuf> {
    let versions = Path::new("/usr/lib/postgresql");
    let found = std::fs::read_dir(versions).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = found
        .map(|version| version.path().join("bin"))
        .filter(|bin| bin.join("initdb").exists())
        .collect();
    found.sort();
    found
        .pop()
        .ok_or_else(|| "PostgreSQL is not installed: apt-get install postgresql postgresql-contrib".into())
}
