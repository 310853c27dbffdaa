//! What stands around every page: title, navigation, language, who is logged on; and the page that says what went wrong.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use ccpor_api::Problem;

use crate::asset::VERSION;
use crate::session::Session;
use crate::site::Inner;
use crate::trouble::told;
use crate::visit::Visit;
use crate::words::{Language, Words, fill};

/// With so many recovery codes left somebody is told to take new ones.
const FEW_CODES: u32 = 2;

/// Which entry of the navigation a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Here {
    Today,
    Scans,
    Search,
    Between,
    Entry,
    Machine,
    Accounts,
    Audit,
    Reports,
    Own,
    Elsewhere,
}

/// What stands around a page.
pub(crate) struct Frame<'a> {
    pub(crate) w: &'static Words,
    pub(crate) lang: &'static str,
    pub(crate) assets: &'static str,
    pub(crate) title: String,
    pub(crate) place: &'a str,
    pub(crate) token: &'a str,
    pub(crate) path: &'a str,
    pub(crate) session: Option<&'a Session>,
    pub(crate) here: Here,
}

impl<'a> Frame<'a> {
    pub(crate) fn new(site: &'a Inner, visit: &'a Visit, title: impl Into<String>, here: Here) -> Self {
        Self {
            w: visit.words(),
            lang: visit.language.code(),
            assets: VERSION,
            title: title.into(),
            place: &site.pages.place,
            token: &visit.form_token,
            path: &visit.path,
            session: visit.session.as_ref(),
            here,
        }
    }

    /// The account of the person, for forms.
    pub(crate) fn account(&self) -> &str {
        self.session.map_or("", |session| session.account.as_str())
    }

    /// Seconds until the session is over when nothing is done; 0 without one.
    pub(crate) fn idle(&self) -> u64 {
        self.session.map_or(0, |session| session.over_in)
    }

    /// A warning when few recovery codes are left: there is one only for who is logged on.
    pub(crate) fn few_codes(&self) -> Option<String> {
        let left = self.session?.codes_left.filter(|left| *left <= FEW_CODES)?;
        Some(fill(self.w.codes_few, &[("n", &left.to_string())]))
    }

    pub(crate) fn is(&self, here: Here) -> bool {
        self.here == here
    }
}

/// Why a page is not shown: another page.
pub(crate) struct Trouble(Box<Response>);

/// A page, or the one that says why not.
pub(crate) type Shown = Result<Response, Trouble>;

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        *self.0
    }
}

/// A page as an answer.
pub(crate) fn show(page: &impl Template) -> Shown {
    page.render()
        .map(|text| Html(text).into_response())
        .map_err(|error| {
            tracing::error!(%error, "a page could not be written");
            Trouble(Box::new(StatusCode::INTERNAL_SERVER_ERROR.into_response()))
        })
}

#[derive(Template)]
#[template(path = "trouble.html")]
struct TroublePage<'a> {
    f: Frame<'a>,
    said: &'a str,
    action: &'a str,
    /// In English, as the registry told it, beside words of another language.
    exactly: &'a str,
    /// What to do, where the registry told something better than its kind does; in English too.
    advice: &'a str,
}

/// What a problem of the registry looks like to a person.
pub(crate) fn trouble(site: &Inner, visit: &Visit, problem: &Problem) -> Trouble {
    let told = told(problem.code, visit.words());
    let detail = problem.detail.trim_end_matches('.');
    let better = problem.action.as_deref();
    let (said, action, exactly, advice) = match visit.language {
        Language::English => (detail, better.unwrap_or(told.action), "", ""),
        Language::Spanish => (
            told.action.trim_end_matches('.'),
            "",
            detail,
            better.unwrap_or_default(),
        ),
    };
    let page = TroublePage {
        f: Frame::new(site, visit, told.title, Here::Elsewhere),
        said,
        action,
        exactly,
        advice,
    };
    let status = StatusCode::from_u16(problem.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    with_status(status, &page)
}

/// The same for what the language of the page has words for.
pub(crate) fn trouble_in_words(site: &Inner, visit: &Visit, status: StatusCode, words: &str) -> Trouble {
    let page = TroublePage {
        f: Frame::new(site, visit, visit.words().problem_title, Here::Elsewhere),
        said: words.trim_end_matches('.'),
        action: "",
        exactly: "",
        advice: "",
    };
    with_status(status, &page)
}

fn with_status(status: StatusCode, page: &TroublePage<'_>) -> Trouble {
    match show(page) {
        Ok(mut response) => {
            *response.status_mut() = status;
            Trouble(Box::new(response))
        }
        Err(trouble) => trouble,
    }
}
