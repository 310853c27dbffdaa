//! Accounts from a file: every line is judged and shown before anything is made; then, with a fresh code, the same file makes the
//! accounts, and their letters are shown once. The file waits in memory under a name that says nothing.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use ccpor_api::{AccountLine, Code, Hidden, Problem, Refusal};
use tokio::sync::Mutex;

use crate::ask;
use crate::called::called;
use crate::frame::{Frame, Here, Shown, show};
use crate::refused::{said, trouble, why};
use crate::roster::{role_of, roles};
use crate::sent;
use crate::site::{FileHeld, Inner, Site};
use crate::visit::Visit;
use crate::words::{Words, fill};

/// The heading of a file and a line below it, as people write them.
const EXAMPLE: [&str; 2] = ["name,full_name,role,of", "mgarcia,Maria Garcia,court,"];

#[derive(Template)]
#[template(path = "import.html")]
struct ChoosePage<'a> {
    f: Frame<'a>,
    example: [&'static str; 2],
    roles: Vec<(&'static str, String, bool)>,
    problem: Option<String>,
}

/// `GET /users/import`.
pub(crate) async fn page(State(site): State<Site>, Extension(visit): Extension<Visit>) -> Shown {
    may(&visit).map_err(|problem| trouble(&site, &visit, &problem))?;
    choose(&site, &visit, StatusCode::OK, None)
}

fn choose(site: &Inner, visit: &Visit, status: StatusCode, problem: Option<String>) -> Shown {
    let w = visit.words();
    let mut response = show(&ChoosePage {
        f: Frame::new(site, visit, w.import_title, Here::Accounts),
        example: EXAMPLE,
        roles: roles("", w),
        problem,
    })?;
    *response.status_mut() = status;
    Ok(response)
}

/// Who keeps no accounts is told before a file is taken in; the registry judges it again, on record.
fn may(visit: &Visit) -> Result<(), Problem> {
    match &visit.session {
        Some(session) if session.desk.accounts => Ok(()),
        _ => Err(Problem::new(
            Code::NotAllowed,
            "accounts are kept by administrators",
        )),
    }
}

/// `POST /users/import`: takes a file in, and makes nothing.
pub(crate) async fn take(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    request: Request,
) -> Shown {
    may(&visit).map_err(|problem| trouble(&site, &visit, &problem))?;
    let w = visit.words();
    let refused = |words: String| choose(&site, &visit, StatusCode::UNPROCESSABLE_ENTITY, Some(words));
    let (parts, body) = request.into_parts();
    let sent = match sent::read(&parts.headers, body, &sent::ACCOUNTS).await {
        Ok(sent) => sent,
        Err(problem) if problem.code == Code::TooLarge => return refused(why(Refusal::FileLarge, w)),
        Err(_no_file) => return refused(w.import_no_file.to_owned()),
    };
    // The fence cannot look into a form with a file: its token is checked here, before anything is done.
    if !visit.carries(&sent.form_token) {
        return refused(w.send_again.to_owned());
    }
    let csv = sent.files.into_iter().next().map(|(_, bytes)| bytes);
    let id = site.files.keep(FileHeld {
        account: visit.account().to_owned(),
        csv: Arc::new(Mutex::new(csv)),
    });
    Ok(Redirect::to(&format!("/users/import/{id}")).into_response())
}

#[derive(Template)]
#[template(path = "import_judged.html")]
struct JudgedPage<'a> {
    f: Frame<'a>,
    id: &'a str,
    counts: String,
    refused: Vec<Refused>,
    good: Vec<Good>,
    problem: Option<String>,
}

struct Refused {
    line: u64,
    name: String,
    why: String,
}

struct Good {
    line: u64,
    name: String,
    full_name: String,
    role: String,
    of: String,
}

/// `GET /users/import/{id}`: the file, line by line, against the accounts as they are now.
pub(crate) async fn judged(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
) -> Shown {
    shown(&site, &visit, &id, None).await
}

async fn shown(site: &Inner, visit: &Visit, id: &str, problem: Option<String>) -> Shown {
    let told = |problem| trouble(site, visit, &problem);
    let w = visit.words();
    let Some(file) = held(site, visit, id) else {
        return gone(site, visit);
    };
    let Some(csv) = file.csv.lock().await.clone() else {
        return made_already(site, visit);
    };
    let caller = visit.caller().map_err(told)?;
    let accounts = &site.pages.accounts;
    let lines = match ask::read(site, accounts.import_accounts(&caller, csv.to_vec(), None)).await {
        Ok(lines) => lines,
        Err(problem) if problem.code == Code::InvalidFields => {
            let words = said(&problem, w);
            return choose(site, visit, StatusCode::UNPROCESSABLE_ENTITY, Some(words));
        }
        Err(problem) => return Err(told(problem)),
    };
    let status = if problem.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let (refused, good) = sorted(lines, w);
    let numbers = [
        ("good", &*good.len().to_string()),
        ("refused", &*refused.len().to_string()),
    ];
    let mut response = show(&JudgedPage {
        f: Frame::new(site, visit, w.import_judged_title, Here::Accounts),
        id,
        counts: fill(w.import_counts, &numbers),
        refused,
        good,
        problem,
    })?;
    *response.status_mut() = status;
    Ok(response)
}

fn sorted(lines: Vec<AccountLine>, w: &Words) -> (Vec<Refused>, Vec<Good>) {
    let (mut refused, mut good) = (Vec::new(), Vec::new());
    for line in lines {
        match line.refused {
            Some(refusal) => refused.push(Refused {
                line: line.number,
                name: line.name,
                why: why(refusal, w),
            }),
            None => good.push(Good {
                line: line.number,
                name: line.name,
                full_name: line.full_name,
                role: role_of(&line.role, w),
                of: called(&line.of),
            }),
        }
    }
    (refused, good)
}

/// The file of this person that `id` names.
fn held(site: &Inner, visit: &Visit, id: &str) -> Option<FileHeld> {
    site.files.get(id).filter(|file| file.account == visit.account())
}

/// A file that waited too long, or somebody else's.
fn gone(site: &Inner, visit: &Visit) -> Shown {
    let words = visit.words().import_gone.to_owned();
    choose(site, visit, StatusCode::GONE, Some(words))
}

fn made_already(site: &Inner, visit: &Visit) -> Shown {
    let words = visit.words().import_made_already.to_owned();
    choose(site, visit, StatusCode::CONFLICT, Some(words))
}

/// `POST /users/import/{id}`: makes the accounts, once, however often it is sent.
pub(crate) async fn make(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
) -> Shown {
    let told = |problem| trouble(&site, &visit, &problem);
    let w = visit.words();
    let Some(FileHeld { csv, .. }) = held(&site, &visit, &id) else {
        return gone(&site, &visit);
    };
    let code = Hidden::new(visit.fields.get("code").to_owned());
    let caller = visit.caller().map_err(told)?;
    let accounts = site.pages.accounts.clone();
    let made = ask::write(&site, |_| async move {
        // Whoever sends it a second time meanwhile waits here, and finds it made.
        let mut csv = csv.lock_owned().await;
        let Some(bytes) = csv.as_ref() else {
            return Ok(None);
        };
        let lines = accounts
            .import_accounts(&caller, bytes.to_vec(), Some(code))
            .await?;
        if lines.iter().any(|line| line.code.is_some()) {
            *csv = None;
        }
        Ok(Some(lines))
    });
    match made.await {
        Ok(Some(lines)) if lines.iter().any(|line| line.code.is_some()) => letters(&site, &visit, lines),
        Ok(Some(_)) => shown(&site, &visit, &id, Some(w.import_nothing.to_owned())).await,
        Ok(None) => made_already(&site, &visit),
        Err(problem) if problem.code == Code::InvalidFields => {
            shown(&site, &visit, &id, Some(said(&problem, w))).await
        }
        Err(problem) => Err(told(problem)),
    }
}

#[derive(Template)]
#[template(path = "letters.html")]
struct LettersPage<'a> {
    f: Frame<'a>,
    counts: String,
    refused: Vec<Refused>,
    letters: Vec<Letter>,
}

struct Letter {
    account: String,
    full_name: String,
    code: Hidden,
}

/// The letters for the people, each on a sheet of its own, shown once.
fn letters(site: &Inner, visit: &Visit, lines: Vec<AccountLine>) -> Shown {
    let w = visit.words();
    let (with_code, without): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line.code.is_some());
    let letter = |line: AccountLine| Letter {
        account: line.name,
        full_name: line.full_name,
        code: line.code.unwrap_or_default(),
    };
    let letters: Vec<Letter> = with_code.into_iter().map(letter).collect();
    let (refused, _) = sorted(without, w);
    let numbers = [
        ("made", &*letters.len().to_string()),
        ("refused", &*refused.len().to_string()),
    ];
    show(&LettersPage {
        f: Frame::new(site, visit, w.letters_title, Here::Accounts),
        counts: fill(w.letters_counts, &numbers),
        refused,
        letters,
    })
}
