//! How these pages are used, on one page that can be printed and laid beside the radio: what a line of the search may be, what the
//! marks on an order say, how current an answer is, and the keyboard. It asks nobody.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use ccpor_api::message::Standing;

use crate::badge::{Badge, badges};
use crate::frame::{Frame, Here, Shown, show};
use crate::site::Site;
use crate::visit::Visit;
use crate::words::Words;

#[derive(Template)]
#[template(path = "help.html")]
struct HelpPage<'a> {
    f: Frame<'a>,
    /// What may be typed, and what it asks for; for whom looks up.
    lines: Vec<(&'static str, &'static str)>,
    /// Each mark, and what it means.
    marks: Vec<(Vec<Badge>, &'static str)>,
    /// Keys, and what they do.
    keys: [(&'static str, &'static str); 5],
}

/// `GET /help`.
pub(crate) async fn page(State(site): State<Site>, Extension(visit): Extension<Visit>) -> Shown {
    let w = visit.words();
    let searches = visit.session.as_ref().is_some_and(|session| session.desk.search);
    show(&HelpPage {
        f: Frame::new(&site, &visit, w.help_title, Here::Elsewhere),
        lines: if searches { lines(w) } else { Vec::new() },
        marks: if searches { marks(w) } else { Vec::new() },
        keys: [
            ("Tab", w.help_key_tab),
            ("Shift + Tab", w.help_key_back),
            ("Enter", w.help_key_enter),
            ("Space", w.help_key_space),
            ("Esc", w.help_key_escape),
        ],
    })
}

fn lines(w: &Words) -> Vec<(&'static str, &'static str)> {
    vec![
        ("garcia lopez, jose 3/12/85", w.help_line_name),
        ("NAM/GARCIA LOPEZ,JOSE.DOB/19850312.SEX/M", w.help_line_fields),
        ("garcia, jose AGE/40-45", w.help_line_age),
        ("OLN/D1234567", w.help_line_license),
        ("LIC/8ABC123", w.help_line_plate),
        ("CII/A12345678 \u{b7} FBI/123456AB7", w.help_line_ids),
        ("CAS/FL-26-001234 \u{b7} FCN/1234567890123", w.help_line_numbers),
    ]
}

/// The marks as they stand on orders, made where those are made.
fn marks(w: &Words) -> Vec<(Vec<Badge>, &'static str)> {
    let one = |status: &str, served| {
        let standing = Standing {
            status: status.to_owned(),
            served,
            ..Standing::default()
        };
        badges(Some(&standing), false, w)
    };
    vec![
        (one("active", true), w.help_mark_served),
        (one("active", false), w.help_mark_not_served),
        (one("expired", false), w.help_mark_over),
        (one("superseded", false), w.help_mark_replaced),
        (badges(None, false, w), w.help_mark_not_readable),
    ]
}
