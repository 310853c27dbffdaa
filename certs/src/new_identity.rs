//! The files of a new identity directory, written one after the other into a directory that nobody uses yet. It checks nothing.

use std::io;
use std::path::Path;

use rustls_pki_types::CertificateDer;

use crate::files::{self, Readers};
use crate::folder::{
    CA_FILE, FACTS_FILE, Facts, RECORD_CHAIN_FILE, RECORD_KEY_FILE, TLS_CHAIN_FILE, TLS_KEY_FILE,
};
use crate::keys::PrivateKey;
use crate::pem;

/// Everything a new identity directory is made of.
pub(crate) struct NewIdentity<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) ca: &'a [CertificateDer<'static>],
    pub(crate) tls_key: &'a PrivateKey,
    pub(crate) tls_chain: &'a [CertificateDer<'static>],
    pub(crate) record: Option<(&'a PrivateKey, &'a [CertificateDer<'static>])>,
}

impl NewIdentity<'_> {
    /// Writes every file into `dir`, which exists, each of them durable on return.
    pub(crate) fn write(&self, dir: &Path) -> io::Result<()> {
        write_key(dir, TLS_KEY_FILE, self.tls_key)?;
        write_chain(dir, TLS_CHAIN_FILE, self.tls_chain)?;
        write_chain(dir, CA_FILE, self.ca)?;
        if let Some((key, chain)) = self.record {
            write_key(dir, RECORD_KEY_FILE, key)?;
            write_chain(dir, RECORD_CHAIN_FILE, chain)?;
        }
        let mut text = serde_json::to_vec_pretty(self.facts)?;
        text.push(b'\n');
        files::replace(&dir.join(FACTS_FILE), &text, Readers::All)
    }
}

pub(crate) fn write_key(dir: &Path, name: &str, key: &PrivateKey) -> io::Result<()> {
    files::replace(&dir.join(name), pem::key_text(key).as_bytes(), Readers::Owner)
}

fn write_chain(dir: &Path, name: &str, chain: &[CertificateDer<'static>]) -> io::Result<()> {
    files::replace(
        &dir.join(name),
        pem::certificates_text(chain).as_bytes(),
        Readers::All,
    )
}
