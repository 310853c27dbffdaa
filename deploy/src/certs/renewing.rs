//! Renewing a certificate by hand, and the list of what is revoked for programs of third parties.

use std::path::PathBuf;

use ccpor_certs::renewal::{Keys, RenewalError, renew_here};
use ccpor_certs::{Authority, IdentityDir, enrolment};
use ccpor_daemon::exit::Exit;
use clap::Args;
use serde_json::json;

use crate::contexts::valid_endpoint;
use crate::failure::Failure;
use crate::screen::Screen;

/// What to renew.
#[derive(Args, Debug)]
pub(crate) struct Renew {
    /// The identity directory.
    directory: PathBuf,
    /// Where the hub enrols, when the directory does not note it.
    #[arg(long, value_name = "HOST:PORT", value_parser = valid_endpoint, conflicts_with = "authority")]
    at: Option<String>,
    /// Directory of the authority, when it is on this machine.
    #[arg(long, value_name = "DIR")]
    authority: Option<PathBuf>,
    /// Replace a node's record-signing key as well. Its running service hands the ledger over to the new one within an hour, or when it
    /// is restarted.
    #[arg(long, conflicts_with = "authority")]
    record_key: bool,
}

/// Where to write the list.
#[derive(Args, Debug)]
pub(crate) struct Export {
    /// Directory of the authority.
    #[arg(long, value_name = "DIR")]
    authority: PathBuf,
    /// The file to write, in PEM.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Renews now, whether it is due or not.
pub(super) async fn renew(renew: &Renew, screen: &Screen) -> Result<Exit, Failure> {
    let directory = IdentityDir::open(&renew.directory)?;
    let renewed = match &renew.authority {
        Some(authority) => renew_here(&directory, &Authority::open(authority)?)?,
        None => {
            let keys = if renew.record_key {
                Keys::TlsAndRecord
            } else {
                Keys::Tls
            };
            enrolment::renew(&directory, renew.at.as_deref(), keys).await?
        }
    };
    super::shown(&renewed, screen)?;
    Ok(Exit::Done)
}

/// Writes the X.509 list.
pub(super) fn export_crl(export: &Export, screen: &Screen) -> Result<Exit, Failure> {
    let crl = Authority::open(&export.authority)?.export_crl()?;
    std::fs::write(&export.out, crl).map_err(|error| {
        Failure::file(
            "writing",
            &export.out,
            &error,
            "Name a file in a directory that you may write.",
        )
    })?;
    if screen.json {
        screen.document(&json!({ "file": export.out }))?;
    } else {
        screen.remark("Third parties ask for the next one within 7 days: write it anew every day.");
    }
    Ok(Exit::Done)
}

impl From<RenewalError> for Failure {
    fn from(error: RenewalError) -> Self {
        let exit = match &error {
            RenewalError::Refused(_) => Exit::Denied,
            _ => Exit::Failed,
        };
        Self::own(exit, error.to_string(), "")
    }
}
