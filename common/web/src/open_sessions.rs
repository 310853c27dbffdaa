//! All open sessions of this machine, for who keeps the accounts: whose each is, and its end from there.

use std::collections::BTreeMap;

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect};
use ccpor_api::{AccountFacts, Problem, SessionFacts};
use serde::Deserialize;

use crate::ask;
use crate::frame::{Frame, Here, Shown, show};
use crate::moment;
use crate::refused::trouble;
use crate::roster::{ROWS, all, id_of, role_of};
use crate::site::{Inner, Site};
use crate::visit::Visit;
use crate::words::Words;

/// What is shown, and what was done before.
#[derive(Default, Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    from: usize,
    /// `ended`, or `over` when it was over before.
    #[serde(default)]
    done: String,
}

#[derive(Template)]
#[template(path = "sessions.html")]
struct SessionsPage<'a> {
    f: Frame<'a>,
    done: Option<&'static str>,
    count: usize,
    rows: Vec<Row>,
    before: Option<usize>,
    after: Option<usize>,
}

struct Row {
    session: String,
    id: String,
    account: String,
    full_name: String,
    role: String,
    opened: String,
    used: String,
    over: String,
    terminal: String,
    /// The one that this page is in.
    here: bool,
}

/// `GET /users/sessions`.
pub(crate) async fn page(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Query(wanted): Query<Wanted>,
) -> Shown {
    let told = |problem| trouble(&site, &visit, &problem);
    let w = visit.words();
    let open = open(&site, &visit).await.map_err(told)?;
    let accounts = all(&site, &visit).await.map_err(told)?;
    let accounts: BTreeMap<&str, &AccountFacts> = accounts
        .iter()
        .map(|account| (account.name.as_str(), account))
        .collect();
    let from = wanted.from.min(open.len());
    let shown = open.iter().skip(from).take(ROWS);
    show(&SessionsPage {
        f: Frame::new(&site, &visit, w.sessions_all, Here::Accounts),
        done: match wanted.done.as_str() {
            "ended" => Some(w.account_done),
            "over" => Some(w.session_was_over),
            _ => None,
        },
        count: open.len(),
        rows: shown
            .map(|session| {
                let account = accounts.get(session.account.as_str()).copied();
                row(&site, &visit, session, account, w)
            })
            .collect(),
        before: (from > 0).then(|| from.saturating_sub(ROWS)),
        after: (open.len() > from + ROWS).then(|| from + ROWS),
    })
}

async fn open(site: &Inner, visit: &Visit) -> Result<Vec<SessionFacts>, Problem> {
    let caller = visit.caller()?;
    ask::read(site, site.pages.accounts.open_sessions(&caller)).await
}

fn row(
    site: &Inner,
    visit: &Visit,
    session: &SessionFacts,
    account: Option<&AccountFacts>,
    w: &Words,
) -> Row {
    let this = visit
        .session
        .as_ref()
        .and_then(|session| session.caller.person.as_ref());
    Row {
        here: this.is_some_and(|person| person.session == session.session),
        session: session.session.clone(),
        id: id_of(site, &session.account),
        account: session.account.clone(),
        full_name: account
            .map(|account| account.full_name.clone())
            .unwrap_or_default(),
        role: account
            .map(|account| role_of(&account.role, w))
            .unwrap_or_default(),
        opened: moment::whole(&session.opened_at),
        used: moment::whole(&session.used_at),
        over: moment::whole(&session.over_at),
        terminal: session.terminal.clone(),
    }
}

/// `POST /users/sessions`: ends one of them.
pub(crate) async fn end(State(site): State<Site>, Extension(visit): Extension<Visit>) -> Shown {
    let told = |problem| trouble(&site, &visit, &problem);
    let id = visit.fields.get("session");
    let open = open(&site, &visit).await.map_err(told)?;
    let mut ended = 0;
    if let Some(session) = open.iter().find(|session| session.session == id) {
        let caller = visit.caller().map_err(told)?;
        let accounts = &site.pages.accounts;
        let work = accounts.end_sessions(&caller, &session.account, Some(id));
        ended = ask::read(&site, work).await.map_err(told)?;
    }
    let done = if ended > 0 { "ended" } else { "over" };
    Ok(Redirect::to(&format!("/users/sessions?done={done}")).into_response())
}
