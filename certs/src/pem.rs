//! PEM text (RFC 7468) of certificates and keys, written and read. It does no file access.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use zeroize::Zeroizing;

use crate::keys::{KeyError, PrivateKey};

const CERTIFICATE: &str = "CERTIFICATE";
const PRIVATE_KEY: &str = "PRIVATE KEY";
/// Characters of base64 in a line (RFC 7468, section 2).
const LINE: usize = 64;

/// The certificates one after the other.
pub(crate) fn certificates_text<'a>(
    certificates: impl IntoIterator<Item = &'a CertificateDer<'a>>,
) -> String {
    certificates
        .into_iter()
        .map(|certificate| section(CERTIFICATE, certificate).to_string())
        .collect()
}

/// A private key, unencrypted.
pub(crate) fn key_text(key: &PrivateKey) -> Zeroizing<String> {
    section(PRIVATE_KEY, key.pkcs8())
}

/// All certificates in `text`; none at all, or damaged ones, are an error.
pub(crate) fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, NotPem> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    match found {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(NotPem),
    }
}

/// The first private key in `text`.
pub(crate) fn key(text: &[u8]) -> Result<PrivateKey, KeyError> {
    let found = PrivatePkcs8KeyDer::from_pem_slice(text).map_err(|_| KeyError::Unreadable)?;
    let pkcs8 = Zeroizing::new(found.secret_pkcs8_der().to_vec());
    let mut found = found;
    zeroize::Zeroize::zeroize(&mut found);
    PrivateKey::from_pkcs8(pkcs8)
}

/// There is no whole certificate in the text.
#[derive(Debug)]
pub(crate) struct NotPem;

fn section(label: &str, der: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(STANDARD.encode(der));
    // The full size at once: a text that grows leaves copies of a key behind.
    let mut text = Zeroizing::new(String::with_capacity(
        body.len() + body.len() / LINE + 2 * label.len() + 64,
    ));
    text.push_str(&format!("-----BEGIN {label}-----\n"));
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(LINE));
        text.push_str(line);
        text.push('\n');
        rest = more;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::KeyKind;

    #[test]
    fn text_written_is_text_read() {
        let key_made = PrivateKey::generate(KeyKind::P256).unwrap();
        let text = key_text(&key_made);
        assert!(text.lines().all(|line| line.len() <= LINE));
        assert_eq!(key(text.as_bytes()).unwrap().pkcs8(), key_made.pkcs8());

        let made = [
            CertificateDer::from(vec![7; 200]),
            CertificateDer::from(vec![9; 48]),
        ];
        assert_eq!(certificates(certificates_text(&made).as_bytes()).unwrap(), made);
    }

    #[test]
    fn other_text_is_refused() {
        assert!(certificates(b"").is_err());
        assert!(certificates(b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n").is_err());
        assert!(key(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").is_err());
    }
}
