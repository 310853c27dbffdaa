//! What each kind of certificate contains: its names, its life and what it may be used for. It signs nothing.

use std::net::IpAddr;
use std::time::Duration;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    IsCa, KeyUsagePurpose, SanType, SerialNumber,
};
use rustls_pki_types::{CertificateDer, DnsName};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::clock::{DAY, Moment};
use crate::identity::Identity;
use crate::peer::{MOST_ORIS, hex, is_ori, ori_uri};

/// How long before its making a certificate's life begins, in seconds: machines whose clocks are a little behind must
/// accept it at once.
pub const CLOCK_SLACK: i64 = 600;
/// Days of the root's life.
pub const ROOT_DAYS: i64 = 15 * 365 + 4;
/// Days of the issuing certificate's life.
pub const ISSUING_DAYS: i64 = 2 * 365;
/// Days of a record-signing certificate's life. Records stay verifiable after it: see [`crate::record_key`].
pub const RECORD_DAYS: i64 = 365;
/// The most DNS names and addresses one certificate may carry.
pub const MOST_NAMES: usize = 32;

/// The extended key usage of record-signing certificates, 2.25.226258083426768359211421491588412272771 in DER (an OID
/// made from a UUID, ITU-T X.667, which needs no registration). Because it is the only usage in them, no TLS
/// implementation takes such a certificate for a client's or server's.
pub(crate) const RECORD_SIGNING: &[u8] = &[
    0x69, 0x82, 0xd4, 0xb7, 0xdc, 0xb2, 0x82, 0xef, 0xe2, 0xa9, 0xa9, 0x94, 0xe4, 0x8d, 0x89, 0xfc, 0xe7,
    0xb3, 0xe1, 0x03,
];
/// The extension "extended key usage" (RFC 5280, 4.2.1.12).
const EXTENDED_KEY_USAGE: &[u64] = &[2, 5, 29, 37];

/// Days of a TLS certificate's life. Those of nodes are the shortest, since most machines and hands are near them.
pub fn tls_days(identity: &Identity) -> i64 {
    if identity.is_node() { 30 } else { 90 }
}

/// Why no certificate can be made from what was asked for.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum ProfileError {
    /// A name is neither a DNS name nor an IP address.
    #[error("\"{0}\" is neither a DNS name nor an IP address")]
    Name(String),
    /// Too many names.
    #[error("a certificate carries at most {MOST_NAMES} DNS names and addresses")]
    ManyNames,
    /// An ORI is malformed.
    #[error("\"{0}\" is not an ORI: nine of the characters A-Z and 0-9")]
    Ori(String),
    /// Too many ORIs.
    #[error("a certificate carries at most {MOST_ORIS} ORIs")]
    ManyOris,
    /// The certificate above ends too soon or begins later.
    #[error(
        "the issuing certificate is valid from {from} to {until}, and it is {now}: set this machine's clock, or make a new issuing certificate"
    )]
    IssuerOutsideItsLife {
        /// First second of the issuing certificate.
        from: Moment,
        /// Its last second.
        until: Moment,
        /// The time now.
        now: Moment,
    },
    /// No random bytes.
    #[error("the machine's random source failed")]
    Random,
}

/// First and last second of a certificate's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) from: Moment,
    pub(crate) until: Moment,
}

impl Life {
    /// A life of `days` from now on, begun a little earlier for slow clocks, and within the issuer's own.
    fn within(issuer: Life, now: Moment, days: i64) -> Result<Life, ProfileError> {
        if now < issuer.from || now >= issuer.until {
            return Err(ProfileError::IssuerOutsideItsLife {
                from: issuer.from,
                until: issuer.until,
                now,
            });
        }
        Ok(Life {
            from: now.plus(-CLOCK_SLACK).max(issuer.from),
            until: now.plus(days * DAY).min(issuer.until),
        })
    }

    /// The life of an issued certificate; none when the bytes are not a certificate.
    pub(crate) fn of(certificate: &CertificateDer<'_>) -> Option<Life> {
        let (_, parsed) = X509Certificate::from_der(certificate.as_ref()).ok()?;
        let validity = parsed.validity();
        Some(Life {
            from: Moment(validity.not_before.timestamp()),
            until: Moment(validity.not_after.timestamp()),
        })
    }

    pub(crate) fn of_root(now: Moment) -> Life {
        Life {
            from: now.plus(-CLOCK_SLACK),
            until: now.plus(ROOT_DAYS * DAY),
        }
    }

    pub(crate) fn of_issuing(root: Life, now: Moment) -> Result<Life, ProfileError> {
        Life::within(root, now, ISSUING_DAYS)
    }
}

/// The root: signs issuing certificates only.
pub(crate) fn root(life: Life) -> Result<CertificateParams, ProfileError> {
    authority("CCPOR root", life, 1)
}

/// The issuing certificate: signs leaves only.
pub(crate) fn issuing(life: Life) -> Result<CertificateParams, ProfileError> {
    authority("CCPOR issuing", life, 0)
}

fn authority(name: &str, life: Life, authorities_below: u8) -> Result<CertificateParams, ProfileError> {
    let mut tag = [0; 4];
    SystemRandom::new()
        .fill(&mut tag)
        .map_err(|_| ProfileError::Random)?;
    // A name of its own for each: with equal names a foreign authority would look like a forged signature.
    let mut params = blank(&format!("{name} {}", hex(&tag)), life)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(authorities_below));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

/// A TLS certificate. Nodes and hubs serve as well as connect; all others only connect.
pub(crate) fn tls(
    identity: &Identity,
    names: &[String],
    oris: &[String],
    issuer: Life,
    now: Moment,
) -> Result<CertificateParams, ProfileError> {
    let mut params = leaf(identity, Life::within(issuer, now, tls_days(identity))?)?;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    if identity.is_server() {
        params
            .extended_key_usages
            .push(ExtendedKeyUsagePurpose::ServerAuth);
    }
    for ori in checked_oris(oris)? {
        params.subject_alt_names.push(uri_name(&ori_uri(ori))?);
    }
    params.subject_alt_names.extend(checked_names(names)?);
    Ok(params)
}

/// A record-signing certificate.
pub(crate) fn record(
    identity: &Identity,
    issuer: Life,
    now: Moment,
) -> Result<CertificateParams, ProfileError> {
    let mut params = leaf(identity, Life::within(issuer, now, RECORD_DAYS)?)?;
    let mut usages = vec![0x30, 0, 0x06, 0];
    usages.extend_from_slice(RECORD_SIGNING);
    // Two DER headers of short form: SEQUENCE { OBJECT IDENTIFIER }; the OID has 20 bytes.
    let oid_length = u8::try_from(RECORD_SIGNING.len()).unwrap_or(0);
    if let [_, sequence, _, oid, ..] = usages.as_mut_slice() {
        (*sequence, *oid) = (oid_length + 2, oid_length);
    }
    params
        .custom_extensions
        .push(CustomExtension::from_oid_content(EXTENDED_KEY_USAGE, usages));
    Ok(params)
}

fn leaf(identity: &Identity, life: Life) -> Result<CertificateParams, ProfileError> {
    // The common name is for people who look at the certificate; no program reads it.
    let mut params = blank(&identity.path(), life)?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.subject_alt_names.push(uri_name(&identity.uri())?);
    Ok(params)
}

fn blank(common_name: &str, life: Life) -> Result<CertificateParams, ProfileError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.serial_number = Some(serial_number()?);
    params.use_authority_key_identifier_extension = true;
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let seconds = |moment: Moment| Duration::from_secs(u64::try_from(moment.0).unwrap_or(0));
    params.not_before = epoch + seconds(life.from);
    params.not_after = epoch + seconds(life.until);
    Ok(params)
}

/// 127 random bits, positive and of full length (RFC 5280, 4.1.2.2).
fn serial_number() -> Result<SerialNumber, ProfileError> {
    let mut bytes = [0; 16];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| ProfileError::Random)?;
    let [first, ..] = &mut bytes;
    *first = (*first & 0x7f) | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

fn uri_name(uri: &str) -> Result<SanType, ProfileError> {
    Ok(SanType::URI(
        uri.try_into().map_err(|_| ProfileError::Name(uri.to_owned()))?,
    ))
}

/// The DNS names and addresses, each checked; a browser compares the one it was given with these.
pub(crate) fn checked_names(names: &[String]) -> Result<Vec<SanType>, ProfileError> {
    if names.len() > MOST_NAMES {
        return Err(ProfileError::ManyNames);
    }
    names.iter().map(|name| server_name(name)).collect()
}

fn server_name(name: &str) -> Result<SanType, ProfileError> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    let wrong = || ProfileError::Name(name.chars().take(60).collect());
    DnsName::try_from(name).map_err(|_| wrong())?;
    Ok(SanType::DnsName(name.try_into().map_err(|_| wrong())?))
}

/// The ORIs, each checked.
pub(crate) fn checked_oris(oris: &[String]) -> Result<&[String], ProfileError> {
    if oris.len() > MOST_ORIS {
        return Err(ProfileError::ManyOris);
    }
    match oris.iter().find(|ori| !is_ori(ori)) {
        Some(wrong) => Err(ProfileError::Ori(wrong.chars().take(20).collect())),
        None => Ok(oris),
    }
}
