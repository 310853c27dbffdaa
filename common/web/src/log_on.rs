//! Logging on and off: the notice of use, name, password and code; the set-up of a new account; and the lock after a pause,
//! which keeps what stands in the form.

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ccpor_api::{Code, Hidden, LogOnRequest, SetUpAnswer, SetUpRequest};
use qrcode::QrCode;
use qrcode::render::svg;
use serde::Deserialize;

use crate::ask;
use crate::cookie;
use crate::drafts::Draft;
use crate::fence::encoded;
use crate::frame::{Frame, Here, Shown, show};
use crate::refused::said;
use crate::site::{Inner, Site};
use crate::visit::{Visit, safe_path};
use crate::words::Language;

/// Where to go on to.
#[derive(Default, Deserialize)]
pub(crate) struct Onward {
    #[serde(default)]
    next: String,
}

#[derive(Template)]
#[template(path = "log_on.html")]
struct LogOnPage<'a> {
    f: Frame<'a>,
    /// The operator's notice on the use of the system.
    banner: String,
    refused: Option<String>,
    next: &'a str,
    name: &'a str,
    /// Whether something that was typed is waiting.
    kept: bool,
}

/// `GET /log-on`.
pub(crate) async fn page(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Query(onward): Query<Onward>,
) -> Shown {
    let next = safe_path(&onward.next);
    if visit.session.is_some() {
        return Ok(Redirect::to(next).into_response());
    }
    form(&site, &visit, next, None).await
}

async fn form(site: &Inner, visit: &Visit, next: &str, refused: Option<String>) -> Shown {
    let notice = ask::read(site, site.pages.people.session(visit.certificate.as_ref(), None)).await;
    let status = if refused.is_some() {
        StatusCode::FORBIDDEN
    } else {
        StatusCode::OK
    };
    let page = LogOnPage {
        f: Frame::new(site, visit, visit.words().log_on_title, Here::Elsewhere),
        banner: notice.map(|notice| notice.banner).unwrap_or_default(),
        refused,
        next,
        name: visit.fields.get("name"),
        kept: next.contains("draft="),
    };
    let mut response = show(&page)?;
    *response.status_mut() = status;
    Ok(response)
}

/// `POST /log-on`: name, password and code together, so that nobody learns which of them is wrong.
pub(crate) async fn log_on(State(site): State<Site>, Extension(visit): Extension<Visit>) -> Shown {
    let fields = &visit.fields;
    let next = safe_path(fields.get("next"));
    let request = LogOnRequest {
        name: fields.get("name").to_owned(),
        password: Hidden::new(fields.exact("password").to_owned()),
        code: Hidden::new(fields.get("code").to_owned()),
    };
    let opened = ask::read(
        &site,
        site.pages.people.log_on(visit.certificate.as_ref(), request),
    )
    .await;
    let token = match opened {
        Ok(opened) => opened.token,
        Err(problem) => return form(&site, &visit, next, Some(said(&problem, visit.words()))).await,
    };
    let mut response = Redirect::to(next).into_response();
    if let Some(token) = token {
        cookie::set(response.headers_mut(), cookie::SESSION, token.reveal());
    }
    Ok(response)
}

#[derive(Template)]
#[template(path = "set_up.html")]
struct SetUpPage<'a> {
    f: Frame<'a>,
    refused: Option<String>,
    name: &'a str,
}

/// `GET /set-up`.
pub(crate) async fn set_up_page(State(site): State<Site>, Extension(visit): Extension<Visit>) -> Shown {
    set_up_form(&site, &visit, None)
}

fn set_up_form(site: &Inner, visit: &Visit, refused: Option<String>) -> Shown {
    let status = if refused.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let mut response = show(&SetUpPage {
        f: Frame::new(site, visit, visit.words().set_up_title, Here::Elsewhere),
        refused,
        name: visit.fields.get("name"),
    })?;
    *response.status_mut() = status;
    Ok(response)
}

#[derive(Template)]
#[template(path = "authenticator.html")]
struct AuthenticatorPage<'a> {
    f: Frame<'a>,
    /// The key in groups of four, as people type it.
    key: String,
    /// The same as a drawing for a camera; made here and free of what was typed but for the account's name in its squares.
    drawing: String,
    codes: Vec<&'a str>,
}

/// `POST /set-up`: a password for a new account; shows the key of the second factor and the recovery codes, once.
pub(crate) async fn set_up(State(site): State<Site>, Extension(visit): Extension<Visit>) -> Shown {
    let fields = &visit.fields;
    if fields.exact("new_password") != fields.exact("again") {
        return set_up_form(&site, &visit, Some(visit.words().refused_not_the_same.to_owned()));
    }
    let request = SetUpRequest {
        name: fields.get("name").to_owned(),
        set_up_code: Hidden::new(fields.get("set_up_code").to_owned()),
        password: Hidden::new(fields.exact("new_password").to_owned()),
    };
    match ask::read(&site, site.pages.people.set_up(request)).await {
        Ok(done) => authenticator(&site, &visit, &done),
        Err(problem) if problem.code == Code::LogOnRefused => {
            set_up_form(&site, &visit, Some(visit.words().refusal_set_up.to_owned()))
        }
        Err(problem) => set_up_form(&site, &visit, Some(said(&problem, visit.words()))),
    }
}

fn authenticator(site: &Inner, visit: &Visit, done: &SetUpAnswer) -> Shown {
    let address = done.authenticator.reveal();
    let drawing = QrCode::new(address.as_bytes())
        .map(|code| code.render::<svg::Color<'_>>().min_dimensions(220, 220).build())
        .unwrap_or_default();
    show(&AuthenticatorPage {
        f: Frame::new(site, visit, visit.words().authenticator_title, Here::Elsewhere),
        key: key_of(address),
        // The XML declaration has no place inside a page.
        drawing: drawing
            .split_once("?>")
            .map_or(drawing.as_str(), |(_, svg)| svg)
            .to_owned(),
        codes: done.recovery_codes.iter().map(Hidden::reveal).collect(),
    })
}

/// The key in an address `otpauth://totp/…?secret=…`, in groups of four.
fn key_of(address: &str) -> String {
    let secret = address
        .split(['?', '&'])
        .find_map(|part| part.strip_prefix("secret="))
        .unwrap_or_default();
    let letters: Vec<char> = secret.chars().collect();
    letters
        .chunks(4)
        .map(String::from_iter)
        .collect::<Vec<_>>()
        .join(" ")
}

/// `POST /log-off`.
pub(crate) async fn log_off(State(site): State<Site>, Extension(visit): Extension<Visit>) -> Response {
    end(&site, &visit, "/log-on").await
}

/// `POST /lock`: the person leaves, or the script saw nothing happen for too long. What stood in the form is kept.
pub(crate) async fn lock(State(site): State<Site>, Extension(visit): Extension<Visit>) -> Response {
    let from = safe_path(visit.fields.get("from")).to_owned();
    let typed = visit.fields.clone().with("from", "");
    let next = if typed.typed() {
        let path = from.split('?').next().unwrap_or_default().to_owned();
        let id = site
            .drafts
            .keep(Draft {
                account: visit.account().to_owned(),
                visit: None,
                path: path.clone(),
                fields: typed,
            })
            .await;
        if id.is_empty() {
            from
        } else {
            format!("{path}?draft={id}")
        }
    } else {
        from
    };
    end(&site, &visit, &format!("/log-on?next={}", encoded(&next))).await
}

/// Ends the session. What cannot be ended now ends by itself; the browser forgets it in any case.
async fn end(site: &Inner, visit: &Visit, target: &str) -> Response {
    if let Some(token) = &visit.token
        && let Err(problem) = ask::read(site, site.pages.people.log_off(token)).await
    {
        tracing::warn!(%problem, "a session could not be ended");
    }
    let mut response = Redirect::to(target).into_response();
    cookie::clear(response.headers_mut(), cookie::SESSION);
    response
}

/// `POST /draft`: what stands in a form so far, as the script of its page sends it; or it is thrown away.
pub(crate) async fn draft(State(site): State<Site>, Extension(visit): Extension<Visit>) -> Response {
    let from = safe_path(visit.fields.get("from"));
    let path = from.split('?').next().unwrap_or_default().to_owned();
    if visit.fields.is("step", "forget") {
        site.drafts.forget(visit.account(), visit.fields.get("key")).await;
        return Redirect::to(from).into_response();
    }
    let fields = visit.fields.without("from");
    if fields.typed() && !fields.get("key").is_empty() {
        let account = visit.account().to_owned();
        let draft = Draft {
            account,
            visit: None,
            path,
            fields,
        };
        site.drafts.keep(draft).await;
    }
    StatusCode::NO_CONTENT.into_response()
}

/// `GET /pulse`: the person is still there.
pub(crate) async fn pulse() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// `POST /language`.
pub(crate) async fn language(Extension(visit): Extension<Visit>) -> Response {
    let mut response = Redirect::to(safe_path(visit.fields.get("back"))).into_response();
    if let Some(language) = Language::of(visit.fields.get("language")) {
        cookie::set(response.headers_mut(), cookie::LANGUAGE, language.code());
    }
    response
}

/// `GET /`: the page on which this person begins.
pub(crate) async fn begin(Extension(visit): Extension<Visit>) -> Redirect {
    let desk = visit.session.map(|session| session.desk).unwrap_or_default();
    Redirect::to(if desk.search || !desk.machine {
        "/search"
    } else if desk.trails {
        "/audit"
    } else {
        "/machine"
    })
}

#[cfg(test)]
mod tests {
    use super::key_of;

    #[test]
    fn the_key_of_the_second_factor_is_shown_in_groups_of_four() {
        let address = "otpauth://totp/CCPOR%20court:x?secret=JBSWY3DPEHPK3PXP&issuer=CCPOR";
        assert_eq!(key_of(address), "JBSW Y3DP EHPK 3PXP");
        assert_eq!(key_of("nothing"), "");
    }
}
