//! The rules of the revocation list as an X.509 certificate revocation list, for programs of third parties that know nothing of
//! ours. Nothing in the registry reads it.

use std::time::Duration;

use rcgen::{
    CertificateRevocationListParams, Issuer, KeyIdMethod, RevocationReason, RevokedCertParams, SerialNumber,
};

use super::issuing::{Authority, AuthorityError};
use super::issuing_key::IssuingKey;
use crate::clock::{DAY, Moment};
use crate::peer::fingerprint;

/// Days until a third party is to ask for the next one.
const NEXT_UPDATE_DAYS: i64 = 7;

impl Authority {
    /// A CRL in PEM that names every certificate of the active issuing authority that has not ended and that the revocation list
    /// refuses. Its number is the list's.
    pub fn export_crl(&self) -> Result<String, AuthorityError> {
        let (rules, now) = (self.rules()?, self.clock().now());
        let issuing = IssuingKey::active(self.dir())?;
        let epoch = rcgen::date_time_ymd(1970, 1, 1);
        let civil = |moment: Moment| epoch + Duration::from_secs(u64::try_from(moment.0).unwrap_or(0));
        let issuer_name = fingerprint(&issuing.certificate);
        let mut revoked_certs = Vec::new();
        for issued in self.list()? {
            let ours = issued.issuer.is_empty() || issued.issuer == issuer_name;
            let Some(rule) = rules
                .rule(&issued.identity)
                .filter(|_| ours && issued.not_after >= now)
            else {
                continue;
            };
            let revoked = rule.revoked_at.filter(|at| issued.issued <= *at);
            let (reason_code, at) = match revoked {
                Some(at) => (RevocationReason::Unspecified, at),
                None if rule.suspended => (RevocationReason::CertificateHold, rule.changed),
                None => continue,
            };
            revoked_certs.push(RevokedCertParams {
                serial_number: serial(&issued.serial),
                revocation_time: civil(at),
                reason_code: Some(reason_code),
                invalidity_date: None,
            });
        }
        let params = CertificateRevocationListParams {
            this_update: civil(now),
            next_update: civil(now.plus(NEXT_UPDATE_DAYS * DAY)),
            crl_number: SerialNumber::from(rules.counter),
            issuing_distribution_point: None,
            revoked_certs,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let issuer = Issuer::from_ca_cert_der(&issuing.certificate, &issuing.key)?;
        Ok(params.signed_by(&issuer)?.pem()?)
    }
}

/// A serial number from the log's hexadecimal.
fn serial(hex: &str) -> SerialNumber {
    let digits: Vec<u8> = hex
        .chars()
        .filter_map(|digit| u8::try_from(digit.to_digit(16)?).ok())
        .collect();
    let byte = |pair: &[u8]| pair.iter().fold(0, |byte, digit| (byte << 4) | digit);
    SerialNumber::from_slice(&digits.chunks(2).map(byte).collect::<Vec<u8>>())
}
