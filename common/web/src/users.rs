//! The accounts of people, for who keeps them: the list, an account with its sessions, a new one, and the letter with its set-up code.
//! An address names no person: it holds a number that this machine makes of the account.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use ccpor_access::Role;
use ccpor_api::{
    AccountAct, AccountChange, AccountFacts, AccountStanding, Code, Hidden, Problem, SessionFacts,
};
use serde::Deserialize;

use crate::ask;
use crate::called::called;
use crate::fields::Fields;
use crate::frame::{Frame, Here, Shown, show};
use crate::moment;
use crate::refused::{said, trouble};
use crate::session::role_words;
use crate::sheet;
use crate::site::{Inner, Site};
use crate::visit::Visit;
use crate::words::Words;

/// Rows of the list on one page.
const ROWS: usize = 100;

/// Which accounts are listed.
#[derive(Default, Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    standing: String,
    #[serde(default)]
    from: usize,
}

/// What was done before this page.
#[derive(Default, Deserialize)]
pub(crate) struct Done {
    #[serde(default)]
    pub(crate) done: String,
}

#[derive(Template)]
#[template(path = "users.html")]
struct ListPage<'a> {
    f: Frame<'a>,
    /// Word, title, number and whether it is the one that is shown.
    choices: Vec<(&'static str, &'static str, usize, bool)>,
    rows: Vec<Row>,
    standing: &'static str,
    before: Option<usize>,
    after: Option<usize>,
}

struct Row {
    id: String,
    name: String,
    full_name: String,
    role: String,
    of: String,
    standing: &'static str,
    good: bool,
    last_log_on: String,
}

const STANDINGS: [(AccountStanding, &str); 5] = [
    (AccountStanding::Active, "active"),
    (AccountStanding::WaitsForSetUp, "waits"),
    (AccountStanding::SetUpLapsed, "lapsed"),
    (AccountStanding::Locked, "locked"),
    (AccountStanding::Disabled, "disabled"),
];

fn standing_words(standing: AccountStanding, w: &Words) -> &'static str {
    match standing {
        AccountStanding::Active => w.account_active,
        AccountStanding::WaitsForSetUp => w.account_waits,
        AccountStanding::SetUpLapsed => w.account_lapsed,
        AccountStanding::Locked => w.account_locked,
        AccountStanding::Disabled => w.account_disabled,
    }
}

/// The role in words, with the word by which commands know it.
pub(crate) fn role_of(word: &str, w: &Words) -> String {
    word.parse::<Role>().map_or_else(
        |_| word.to_owned(),
        |role| format!("{} ({word})", role_words(role, w)),
    )
}

/// The number of an account in addresses.
fn id_of(site: &Inner, account: &str) -> String {
    site.number_of(account).to_hex().chars().take(16).collect()
}

fn row(site: &Inner, account: &AccountFacts, w: &Words) -> Row {
    Row {
        id: id_of(site, &account.name),
        name: account.name.clone(),
        full_name: account.full_name.clone(),
        role: role_of(&account.role, w),
        of: called(&account.of),
        standing: standing_words(account.standing, w),
        good: account.standing == AccountStanding::Active,
        last_log_on: moment::whole(&account.last_log_on),
    }
}

async fn all(site: &Inner, visit: &Visit) -> Result<Vec<AccountFacts>, Problem> {
    let caller = visit.caller()?;
    ask::read(site, site.pages.accounts.accounts(&caller)).await
}

/// `GET /users`.
pub(crate) async fn list(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Query(wanted): Query<Wanted>,
) -> Shown {
    let w = visit.words();
    let accounts = all(&site, &visit)
        .await
        .map_err(|problem| trouble(&site, &visit, &problem))?;
    let chosen = STANDINGS.iter().find(|(_, word)| *word == wanted.standing);
    let count = |standing| {
        accounts
            .iter()
            .filter(|account| account.standing == standing)
            .count()
    };
    let choices = STANDINGS
        .iter()
        .map(|(standing, word)| {
            let here = chosen.is_some_and(|(_, other)| other == word);
            (*word, standing_words(*standing, w), count(*standing), here)
        })
        .collect();
    let listed: Vec<&AccountFacts> = accounts
        .iter()
        .filter(|account| chosen.is_none_or(|(standing, _)| account.standing == *standing))
        .collect();
    let from = wanted.from.min(listed.len());
    let shown = listed.iter().skip(from).take(ROWS);
    show(&ListPage {
        rows: shown.map(|account| row(&site, account, w)).collect(),
        choices,
        standing: chosen.map_or("", |(_, word)| word),
        before: (from > 0).then(|| from.saturating_sub(ROWS)),
        after: (listed.len() > from + ROWS).then(|| from + ROWS),
        f: Frame::new(&site, &visit, w.accounts_title, Here::Accounts),
    })
}

/// `GET /users/list.csv`.
pub(crate) async fn table(State(site): State<Site>, Extension(visit): Extension<Visit>) -> Shown {
    let told = |problem| trouble(&site, &visit, &problem);
    let accounts = all(&site, &visit).await.map_err(told)?;
    let heads = [
        "name",
        "full_name",
        "role",
        "of",
        "standing",
        "created",
        "last_log_on",
    ];
    let row = |account: &AccountFacts| {
        let mut standings = STANDINGS.iter();
        let standing = standings.find(|(standing, _)| *standing == account.standing);
        [
            account.name.clone(),
            account.full_name.clone(),
            account.role.clone(),
            account.of.clone(),
            standing.map_or("", |(_, word)| word).to_owned(),
            account.created.clone(),
            account.last_log_on.clone(),
        ]
    };
    sheet::file("accounts.csv", sheet::bytes(heads, accounts.iter().map(row))).map_err(told)
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

/// Every role: its word, what it is called, and whether it is chosen.
pub(crate) fn roles(chosen: &str, w: &Words) -> Vec<(&'static str, String, bool)> {
    let each = |role: &Role| (role.as_str(), role_of(role.as_str(), w), role.as_str() == chosen);
    Role::ALL.iter().map(each).collect()
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
