//! The certificates' public face, tried with real files, real TLS handshakes and a real enrolment service on loopback.

#[cfg(test)]
mod authority;
#[cfg(test)]
mod certificate_life;
#[cfg(test)]
mod enrolment;
#[cfg(test)]
mod folder;
#[cfg(test)]
mod handshake;
#[cfg(test)]
mod known_refusals;
#[cfg(test)]
mod record_key;
#[cfg(test)]
mod revocation;
#[cfg(test)]
mod topology;
#[cfg(test)]
mod forge;
