//! The state of an order in text, icon and colour, each of which alone is enough.

use ccpor_api::message::{End, Standing};

use crate::words::{Words, fill};

/// One mark on an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Badge {
    /// The colours, by a class of the style sheet.
    pub(crate) class: &'static str,
    /// The icon's name.
    pub(crate) icon: &'static str,
    /// The words.
    pub(crate) words: String,
}

fn badge(class: &'static str, icon: &'static str, words: impl Into<String>) -> Badge {
    Badge {
        class,
        icon,
        words: words.into(),
    }
}

/// Whether an order is in force.
pub(crate) fn in_force(standing: Option<&Standing>) -> bool {
    standing.is_some_and(|standing| standing.status == "active")
}

/// The marks of an order: its state, notice, and seal.
pub(crate) fn badges(standing: Option<&Standing>, sealed: bool, w: &Words) -> Vec<Badge> {
    let mut marks = Vec::new();
    if let Some(standing) = standing {
        marks.push(status(&standing.status, w));
        if matches!(standing.status.as_str(), "active" | "not_yet_effective") {
            marks.push(match &standing.served_how {
                Some(notice) if standing.served => badge(
                    "served",
                    "check_circle",
                    fill(w.badge_served_on, &[("date", &notice.date)]),
                ),
                _ if standing.served => badge("served", "check_circle", w.badge_served),
                _ => badge("unserved", "notifications_off", w.badge_not_served),
            });
        }
        if standing.custody_remains {
            marks.push(badge("note", "people", w.badge_custody));
        }
    } else {
        marks.push(badge("unserved", "warning", w.badge_not_readable));
    }
    if sealed {
        marks.push(badge("note", "lock", w.badge_sealed));
    }
    marks
}

fn status(status: &str, w: &Words) -> Badge {
    match status {
        "active" => badge("active", "verified_user", w.status_active),
        "not_yet_effective" => badge("note", "event", w.status_not_yet_effective),
        "expired" => badge("over", "schedule", w.status_expired),
        "terminated" => badge("over", "do_not_disturb", w.status_terminated),
        "cancelled" => badge("over", "cancel", w.status_cancelled),
        "superseded" => badge("over", "update", w.status_superseded),
        // A word that this version does not know is shown as it came, never left out.
        other => badge("note", "info", other.replace('_', " ")),
    }
}

/// What is forbidden, in a few words.
pub(crate) fn terms(standing: Option<&Standing>, w: &Words) -> Vec<String> {
    let Some(standing) = standing else {
        return Vec::new();
    };
    let mut terms = Vec::new();
    if standing.no_contact {
        terms.push(w.term_no_contact.to_owned());
    }
    if let Some(yards) = standing.stay_away_yards {
        terms.push(fill(w.term_stay_away, &[("yards", &yards.to_string())]));
    }
    if standing.firearms {
        terms.push(w.term_no_firearms.to_owned());
    }
    terms
}

/// When an order ends of itself.
pub(crate) fn ends(end: Option<&End>, w: &Words) -> String {
    match end {
        Some(end) if end.kind == "at" => {
            let at = format!("{} {}", end.date, end.time);
            fill(w.ends_at, &[("date", at.trim())])
        }
        Some(end) if end.kind == "never" => w.ends_never.to_owned(),
        _ => w.ends_not_stated.to_owned(),
    }
}
