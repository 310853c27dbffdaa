//! An office for one test: an authority, a machine that answers, and the program with a certificate of its own.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use ccpor_api::{Caller, Limits, Serving, serve};
use ccpor_certs::listener::{ClientCertificate, Listener};
use ccpor_certs::{Authority, Identity, identity_of};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::desk::Desk;

pub(crate) struct Office {
    pub(crate) endpoint: String,
    directory: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    _stop: DropGuard,
}

impl Office {
    pub(crate) fn open() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let authority = Authority::init(&directory.path().join("ca")).unwrap();
        let issue = |identity: &str, oris: &[String]| {
            let identity: Identity = identity.parse().unwrap();
            let target = directory.path().join(identity.path().replace('/', "-"));
            authority.issue(&identity, &[], oris, &target).unwrap()
        };
        let machine = issue("court/kern/node/1", &[]);
        issue("lea/kern-so", &["CA0150000".into(), "CA0150100".into()]);
        let listener = Listener::of(&machine, ClientCertificate::Optional, &ccpor_api::ALPN).unwrap();
        let serving = Serving {
            tls: Arc::new(move |finding| listener.settings(finding)),
            turned_away: ccpor_api::nobody_is_turned_away(),
            caller_of: Arc::new(|certificate| {
                let peer = identity_of(certificate).unwrap();
                Ok(Caller {
                    identity: peer.identity.path(),
                    oris: peer.oris,
                    ..Caller::default()
                })
            }),
            backend: Arc::new(Desk::default()),
            people: None,
            pages: None,
            limits: Limits::default(),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .unwrap();
        let endpoint = listener.local_addr().unwrap().to_string();
        let stop = CancellationToken::new();
        runtime.spawn(serve(listener, serving, stop.clone()));
        let office = Self {
            endpoint,
            directory,
            runtime,
            _stop: stop.drop_guard(),
        };
        let identity = office.path("lea-kern-so").display().to_string();
        let added = office.run(&[
            "context",
            "add",
            "kern",
            "--endpoint",
            &office.endpoint,
            "--identity",
            &identity,
            "--ori",
            "CA0150000",
        ]);
        assert_eq!(added.code, 0, "{}", added.talk);
        office
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_ccpor")));
        command
            .args(arguments)
            .env_clear()
            .env("CCPOR_CONFIG", self.path("contexts.json"));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.command(arguments).output().unwrap().into()
    }

    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Ended {
        let mut child = self.spawn(arguments);
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_owned();
        let writing = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
        let ended = child.wait_with_output().unwrap().into();
        writing.join().unwrap().unwrap();
        ended
    }

    pub(crate) fn spawn(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdin(Stdio::piped()).spawn().unwrap()
    }

    /// The machine goes away.
    pub(crate) fn close(self) -> (String, tempfile::TempDir) {
        self.runtime.shutdown_background();
        (self.endpoint, self.directory)
    }
}

/// How the program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) data: String,
    pub(crate) talk: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let talk = String::from_utf8(output.stderr).unwrap();
        assert!(!talk.contains("panicked"), "{talk}");
        Self {
            code: output.status.code().unwrap(),
            data: String::from_utf8_lossy(&output.stdout).into_owned(),
            talk,
        }
    }
}
