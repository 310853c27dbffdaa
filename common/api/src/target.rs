//! Where a client calls, as whom, why, and for how long it waits.

use std::sync::Arc;
use std::time::Duration;

/// Where and as whom to call.
#[derive(Clone)]
pub struct Target {
    /// `host:port`, with or without `https://`.
    pub endpoint: String,
    /// Whom to trust and which certificate to show. Its ALPN must hold `h2`.
    pub tls: Arc<rustls::ClientConfig>,
    /// The agency (ORI) to call for, when the certificate names several.
    pub ori: Option<String>,
    /// Why is asked, in words: stated with every call.
    pub purpose: Option<String>,
    /// The caller's own number of the case or incident: stated with every call.
    pub case_number: Option<String>,
    /// Time to connect.
    pub connect: Duration,
    /// Time for one call; not for images and batches.
    pub call: Duration,
}

impl Target {
    /// A target with the usual times: 5 s to connect, 30 s for a call.
    #[must_use]
    pub fn new(endpoint: impl Into<String>, tls: Arc<rustls::ClientConfig>) -> Self {
        Self {
            endpoint: endpoint.into(),
            tls,
            ori: None,
            purpose: None,
            case_number: None,
            connect: Duration::from_secs(5),
            call: Duration::from_secs(30),
        }
    }
}
