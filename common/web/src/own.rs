//! Everybody's own account: another password, new recovery codes, and the sessions that are open.

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use ccpor_api::{Hidden, PasswordChange};

use crate::ask;
use crate::frame::{Frame, Here, Shown, show};
use crate::refused::{said, trouble};
use crate::site::{Inner, Site};
use crate::users::{Done, times};
use crate::visit::Visit;
use crate::words::fill;

#[derive(Template)]
#[template(path = "own.html")]
struct OwnPage<'a> {
    f: Frame<'a>,
    role: &'static str,
    place: String,
    /// How many recovery codes are left.
    codes_left: Option<String>,
    sessions: Vec<Open>,
    problem: Option<String>,
    done: bool,
}

struct Open {
    id: String,
    /// Opened, used, and the terminal.
    times: (String, String, String),
    /// The one that this page is in.
    here: bool,
}

/// `GET /account`.
pub(crate) async fn page(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Query(done): Query<Done>,
) -> Shown {
    form(&site, &visit, None, !done.done.is_empty()).await
}

async fn form(site: &Inner, visit: &Visit, problem: Option<String>, done: bool) -> Shown {
    let told = |problem| trouble(site, visit, &problem);
    let w = visit.words();
    let caller = visit.caller().map_err(told)?;
    let this = caller
        .person
        .as_ref()
        .map_or("", |person| person.session.as_str());
    let open = ask::read(site, site.pages.accounts.sessions(&caller, visit.account())).await;
    let sessions = open.map_err(told)?.into_iter().map(|session| Open {
        times: times(&session),
        here: session.session == this,
        id: session.session,
    });
    let refused = problem.is_some();
    let mut response = show(&OwnPage {
        sessions: sessions.collect(),
        role: visit.session.as_ref().map_or("", |session| session.role(w)),
        place: visit
            .session
            .as_ref()
            .map(|session| session.place())
            .unwrap_or_default(),
        codes_left: visit
            .session
            .as_ref()
            .and_then(|session| session.codes_left)
            .map(|left| fill(w.codes_left, &[("n", &left.to_string())])),
        f: Frame::new(site, visit, w.own_account, Here::Own),
        problem,
        done,
    })?;
    if refused {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

/// `POST /account/password`.
pub(crate) async fn change_password(State(site): State<Site>, Extension(visit): Extension<Visit>) -> Shown {
    let told = |problem| trouble(&site, &visit, &problem);
    let fields = &visit.fields;
    if fields.exact("new_password") != fields.exact("again") {
        let unlike = visit.words().refused_not_the_same.to_owned();
        return form(&site, &visit, Some(unlike), false).await;
    }
    let hidden = |name: &str| Hidden::new(fields.exact(name).to_owned());
    let change = PasswordChange {
        old: hidden("password"),
        new: hidden("new_password"),
        code: hidden("code"),
    };
    let caller = visit.caller().map_err(told)?;
    let accounts = site.pages.accounts.clone();
    let done = ask::write(&site, |_| async move {
        accounts.change_password(&caller, change).await
    });
    match done.await {
        // The sessions of the old password are over, this one too.
        Ok(()) => Ok(Redirect::to("/log-on").into_response()),
        Err(problem) if matches!(problem.code.status(), 401 | 409 | 422 | 429) => {
            form(&site, &visit, Some(said(&problem, visit.words())), false).await
        }
        Err(problem) => Err(told(problem)),
    }
}

#[derive(Template)]
#[template(path = "recovery.html")]
struct RecoveryPage<'a> {
    f: Frame<'a>,
    codes: Vec<&'a str>,
}

/// `POST /account/recovery`: new recovery codes, shown once.
pub(crate) async fn renew_recovery_codes(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
) -> Shown {
    let told = |problem| trouble(&site, &visit, &problem);
    let caller = visit.caller().map_err(told)?;
    let code = Hidden::new(visit.fields.get("recovery_code").to_owned());
    let accounts = site.pages.accounts.clone();
    let done = ask::write(&site, |_| async move {
        accounts.renew_recovery_codes(&caller, code).await
    });
    match done.await {
        Ok(codes) => show(&RecoveryPage {
            f: Frame::new(&site, &visit, visit.words().recovery_title, Here::Own),
            codes: codes.iter().map(Hidden::reveal).collect(),
        }),
        Err(problem) if matches!(problem.code.status(), 401 | 409 | 422 | 429) => {
            form(&site, &visit, Some(said(&problem, visit.words())), false).await
        }
        Err(problem) => Err(told(problem)),
    }
}

/// `POST /account/sessions`.
pub(crate) async fn end_session(State(site): State<Site>, Extension(visit): Extension<Visit>) -> Shown {
    let told = |problem| trouble(&site, &visit, &problem);
    let caller = visit.caller().map_err(told)?;
    let session = visit.fields.get("session");
    let ended = site
        .pages
        .accounts
        .end_sessions(&caller, visit.account(), Some(session));
    ask::read(&site, ended).await.map_err(told)?;
    Ok(Redirect::to("/account?done=1").into_response())
}
