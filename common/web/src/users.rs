//! An account of a person, for who keeps them: the account with its sessions, a new one, and the letter with its set-up code.
//! An address names no person: it holds a number that this machine makes of the account.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use ccpor_api::{
    AccountAct, AccountChange, AccountFacts, AccountStanding, Code, Hidden, Problem, SessionFacts,
};
use serde::Deserialize;

use crate::ask;
use crate::fields::Fields;
use crate::frame::{Frame, Here, Shown, show};
use crate::moment;
use crate::refused::{said, trouble};
use crate::roster::{Row, all, id_of, roles, row};
use crate::site::{Inner, Site};
use crate::visit::Visit;

/// What was done before this page.
#[derive(Default, Deserialize)]
pub(crate) struct Done {
    #[serde(default)]
    pub(crate) done: String,
}

#[derive(Template)]
#[template(path = "user.html")]
struct AccountPage<'a> {
    f: Frame<'a>,
    id: &'a str,
    row: Row,
    because: String,
    created: String,
    read: i64,
    sessions: Vec<(String, String, String)>,
    /// What can be done: word and title.
    acts: Vec<(&'static str, &'static str)>,
    roles: Vec<(&'static str, String, bool)>,
    v: Fields,
    problem: Option<String>,
    /// What was just done.
    done: bool,
}

/// `GET /users/{id}`.
pub(crate) async fn page(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
    Query(done): Query<Done>,
) -> Shown {
    form(&site, &visit, &id, Fields::default(), None, !done.done.is_empty()).await
}

async fn found(site: &Inner, visit: &Visit, id: &str) -> Result<AccountFacts, Problem> {
    let accounts = all(site, visit).await?;
    accounts
        .into_iter()
        .find(|account| id_of(site, &account.name) == id)
        .ok_or_else(|| Problem::new(Code::NoSuchOperation, "there is no such account: see the list"))
}

async fn form(
    site: &Inner,
    visit: &Visit,
    id: &str,
    fields: Fields,
    problem: Option<String>,
    done: bool,
) -> Shown {
    let told = |problem| trouble(site, visit, &problem);
    let w = visit.words();
    let caller = visit.caller().map_err(told)?;
    let account = found(site, visit, id).await.map_err(told)?;
    let open = ask::read(site, site.pages.accounts.sessions(&caller, &account.name)).await;
    let sessions = open.map_err(told)?.iter().map(times).collect();
    let mut acts = match account.standing {
        AccountStanding::Locked => vec![("release", w.act_release)],
        AccountStanding::Disabled => vec![("enable", w.act_enable)],
        AccountStanding::Active | AccountStanding::WaitsForSetUp | AccountStanding::SetUpLapsed => Vec::new(),
    };
    acts.push(("reset", w.act_reset));
    acts.push(("role", w.act_role));
    if account.standing != AccountStanding::Disabled {
        acts.push(("disable", w.act_disable));
    }
    let refused = problem.is_some();
    let chosen = match fields.get("role") {
        "" => account.role.clone(),
        role => role.to_owned(),
    };
    let mut response = show(&AccountPage {
        f: Frame::new(site, visit, account.name.clone(), Here::Accounts),
        id,
        row: row(site, &account, w),
        because: account.because.clone(),
        created: moment::whole(&account.created),
        read: account.changed,
        sessions,
        acts,
        roles: roles(&chosen, w),
        v: fields,
        problem,
        done,
    })?;
    if refused {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

/// When a session was opened and used, and at which terminal.
pub(crate) fn times(session: &SessionFacts) -> (String, String, String) {
    (
        moment::whole(&session.opened_at),
        moment::whole(&session.used_at),
        session.terminal.clone(),
    )
}

/// `POST /users/{id}`.
pub(crate) async fn change(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
) -> Shown {
    let told = |problem| trouble(&site, &visit, &problem);
    let fields = visit.fields.clone();
    let account = found(&site, &visit, &id).await.map_err(told)?.name;
    let text = |name: &str| fields.get(name).to_owned();
    let act = match fields.get("act") {
        "release" => Some(AccountAct::Release),
        "enable" => Some(AccountAct::Enable),
        "reset" => Some(AccountAct::Reset),
        "disable" => Some(AccountAct::Disable {
            reason: text("reason"),
        }),
        "role" => Some(AccountAct::Role {
            role: text("role"),
            of: text("of"),
        }),
        _ => None,
    };
    let Some(act) = act else {
        let missing = visit.words().act_missing.to_owned();
        return form(&site, &visit, &id, fields, Some(missing), false).await;
    };
    let change = AccountChange {
        account: account.clone(),
        read: fields.get("read").parse().ok(),
        act,
        code: Hidden::new(text("code")),
    };
    match made(&site, &visit, change).await {
        Ok(Some(code)) => letter(&site, &visit, &account, &code),
        Ok(None) => Ok(Redirect::to(&format!("/users/{id}?done=1")).into_response()),
        Err(problem) if matches!(problem.code.status(), 409 | 422) => {
            form(
                &site,
                &visit,
                &id,
                fields,
                Some(said(&problem, visit.words())),
                false,
            )
            .await
        }
        Err(problem) => Err(told(problem)),
    }
}

/// Changes an account, though the browser leave meanwhile.
async fn made(site: &Inner, visit: &Visit, change: AccountChange) -> Result<Option<Hidden>, Problem> {
    let caller = visit.caller()?;
    let accounts = site.pages.accounts.clone();
    ask::write(
        site,
        |_| async move { accounts.change_account(&caller, change).await },
    )
    .await
}

/// `POST /users/{id}/sessions`.
pub(crate) async fn end_sessions(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
) -> Shown {
    let told = |problem| trouble(&site, &visit, &problem);
    let account = found(&site, &visit, &id).await.map_err(told)?.name;
    let caller = visit.caller().map_err(told)?;
    ask::read(&site, site.pages.accounts.end_sessions(&caller, &account, None))
        .await
        .map_err(told)?;
    Ok(Redirect::to(&format!("/users/{id}?done=1")).into_response())
}

#[derive(Template)]
#[template(path = "user_new.html")]
struct NewPage<'a> {
    f: Frame<'a>,
    roles: Vec<(&'static str, String, bool)>,
    v: Fields,
    problem: Option<String>,
}

/// `GET /users/new`.
pub(crate) async fn new(State(site): State<Site>, Extension(visit): Extension<Visit>) -> Shown {
    let told = |problem| trouble(&site, &visit, &problem);
    // Who may not keep accounts is told before filling in a form.
    all(&site, &visit).await.map_err(told)?;
    new_form(&site, &visit, Fields::default(), None)
}

fn new_form(site: &Inner, visit: &Visit, fields: Fields, problem: Option<String>) -> Shown {
    let refused = problem.is_some();
    let w = visit.words();
    let mut response = show(&NewPage {
        f: Frame::new(site, visit, w.account_new, Here::Accounts),
        roles: roles(fields.get("role"), w),
        v: fields,
        problem,
    })?;
    if refused {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

/// `POST /users/new`.
pub(crate) async fn add(State(site): State<Site>, Extension(visit): Extension<Visit>) -> Shown {
    let fields = visit.fields.clone();
    let text = |name: &str| fields.get(name).to_owned();
    let account = text("account").to_lowercase();
    let change = AccountChange {
        account: account.clone(),
        read: None,
        act: AccountAct::Add {
            full_name: text("full_name"),
            role: text("role"),
            of: text("of"),
        },
        code: Hidden::new(text("code")),
    };
    match made(&site, &visit, change).await {
        Ok(code) => letter(&site, &visit, &account, &code.unwrap_or_default()),
        Err(problem) if matches!(problem.code.status(), 409 | 422) => {
            new_form(&site, &visit, fields, Some(said(&problem, visit.words())))
        }
        Err(problem) => Err(trouble(&site, &visit, &problem)),
    }
}

#[derive(Template)]
#[template(path = "letter.html")]
struct LetterPage<'a> {
    f: Frame<'a>,
    account: &'a str,
    code: &'a str,
}

/// The letter for the person, shown once.
fn letter(site: &Inner, visit: &Visit, account: &str, code: &Hidden) -> Shown {
    show(&LetterPage {
        f: Frame::new(site, visit, visit.words().letter_title, Here::Accounts),
        account,
        code: code.reveal(),
    })
}
