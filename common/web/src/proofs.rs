//! What proves something of an order, as the pages show it: each service and attempt, and the scans of the signed papers.

use ccpor_api::message::{ImageRef, ServiceRecord, WaitingScan};

use crate::moment;
use crate::words::Words;

/// A service, or an attempt.
pub(crate) struct Served {
    pub(crate) mode: String,
    pub(crate) when: String,
    pub(crate) by: String,
    pub(crate) recorded: String,
}

/// A scan and its pages.
pub(crate) struct Scan {
    /// The address below which its pages and its file are.
    pub(crate) place: String,
    pub(crate) title: String,
    pub(crate) pages: Vec<u32>,
    pub(crate) pdf: bool,
}

/// A service in words.
pub(crate) fn service(record: &ServiceRecord, w: &Words) -> Served {
    let service = record.service.clone().unwrap_or_default();
    let by = [&service.served_by, &service.badge, &service.agency]
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    Served {
        mode: mode(&service.mode, w),
        when: format!("{} {}", service.date, service.time).trim().to_owned(),
        by,
        recorded: moment::whole(&record.at),
    }
}

fn mode(mode: &str, w: &Words) -> String {
    match mode {
        "personal" => w.mode_personal.to_owned(),
        "in_court" => w.mode_in_court.to_owned(),
        "verbal" => w.mode_verbal.to_owned(),
        "mail" => w.mode_mail.to_owned(),
        "failed_attempt" => w.mode_failed_attempt.to_owned(),
        "not_recorded" => w.mode_not_recorded.to_owned(),
        other => other.replace('_', " "),
    }
}

/// A scan that waits for its order; none when its bytes are not here.
pub(crate) fn waiting(scan: &WaitingScan) -> Option<Scan> {
    (scan.pages > 0).then(|| Scan {
        place: format!("/scans/{}/waiting", scan.blake3),
        title: if scan.name.is_empty() {
            scan.media.to_uppercase()
        } else {
            scan.name.clone()
        },
        pages: (1..=scan.pages.min(200)).collect(),
        pdf: scan.media == "pdf",
    })
}

/// A scan with its title and pages.
pub(crate) fn scan(image: &ImageRef) -> Scan {
    let title = if image.title.is_empty() {
        image.media.to_uppercase()
    } else {
        image.title.clone()
    };
    Scan {
        place: format!("/scans/{}", image.blake3),
        title,
        pages: (1..=image.pages.clamp(1, 200)).collect(),
        pdf: image.media == "pdf",
    }
}
