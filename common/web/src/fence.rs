//! The fence around the pages: who gets in, which forms are taken, and the headers of every answer. What somebody typed is
//! kept when the session is over, and given back to the same person in the same browser.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use ccpor_api::{Hidden, Shown};

use crate::cookie;
use crate::drafts::Draft;
use crate::fields::Fields;
use crate::kept::unguessable;
use crate::session;
use crate::site::Site;
use crate::visit::{Visit, safe_path};
use crate::words::Language;

/// The largest form.
const FORM_BYTES: usize = 256 * 1024;

/// Paths that need no session; each of them checks for itself what it is given.
const OPEN: [&str; 4] = ["/log-on", "/set-up", "/language", "/log-off"];

/// What is in force for every page: nothing inline, nothing from elsewhere, in no frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
    connect-src 'self'; object-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const HEADERS: [(&str, &str); 8] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    ("strict-transport-security", "max-age=31536000"),
    ("cache-control", "no-store"),
];

/// Stands before every page.
pub(crate) async fn stand(State(site): State<Site>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let mut response = if parts.uri.path().starts_with("/assets/") {
        next.run(Request::from_parts(parts, body)).await
    } else {
        passed(&site, parts, body, next).await
    };
    let headers = response.headers_mut();
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    }
    for (name, value) in HEADERS {
        let name = HeaderName::from_static(name);
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    response
}

async fn passed(site: &Site, parts: Parts, body: Body, next: Next) -> Response {
    let posted = parts.method == Method::POST;
    if !matches!(parts.method, Method::GET | Method::HEAD | Method::POST) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    if !is_from_here(&parts) {
        return (StatusCode::FORBIDDEN, "This address is not for other sites.\n").into_response();
    }
    // A form with a file is read where it is taken; that page checks its token itself.
    let file = posted && is_file(&parts);
    let (fields, body) = match fields(posted && !file, body).await {
        Ok(read) => read,
        Err(status) => return status.into_response(),
    };
    let (browser, known) = match cookie::read(&parts.headers, cookie::VISIT) {
        Some(browser) => (browser, true),
        None => (unguessable() + &unguessable(), false),
    };
    let token = cookie::read(&parts.headers, cookie::SESSION).map(Hidden::new);
    let shown = parts.extensions.get::<Shown>().cloned();
    let (certificate, source) =
        shown.map_or((None, String::new()), |shown| (shown.certificate, shown.source));
    let session = match &token {
        Some(token) => session::find(site.pages.people.as_ref(), certificate.as_ref(), &source, token).await,
        None => None,
    };
    let expected = site.form_token(token.as_ref().map_or(browser.as_str(), Hidden::reveal));
    let visit = Visit {
        language: language(&parts.headers),
        session,
        token,
        certificate,
        form_token: expected.to_hex().to_string(),
        browser: browser.clone(),
        path: parts.uri.path().to_owned(),
        fields,
    };
    let good = !posted || file || visit.carries(visit.fields.get("form_token"));
    let account = match &visit.session {
        Some(session) => session.account.clone(),
        // Whose form it was, as the form itself says: whoever gets it back must be that person, in this browser.
        None => visit.fields.get("by").to_owned(),
    };
    let open = OPEN.contains(&visit.path.as_str());
    let mut response = if good && (open || visit.session.is_some()) {
        let typed = (posted && !open).then(|| (visit.path.clone(), visit.fields.clone()));
        let mut request = Request::from_parts(parts, body);
        request.extensions_mut().insert(visit);
        let response = next.run(request).await;
        if let Some((path, fields)) = typed {
            remember(site, account, path, fields, response.status()).await;
        }
        response
    } else {
        turned_away(site, &visit, account, open).await
    };
    if !known {
        cookie::set(response.headers_mut(), cookie::VISIT, &browser);
    }
    response
}

/// What was typed is kept as long as its form comes back, and forgotten when it was done.
async fn remember(site: &Site, account: String, path: String, fields: Fields, status: StatusCode) {
    // A form that can be gone on with says which opening of it this is.
    if fields.get("key").is_empty() || matches!(path.as_str(), "/draft" | "/lock") {
        return;
    }
    if status.is_redirection() {
        site.drafts.forget(&account, fields.get("key")).await;
    } else if fields.typed() {
        let draft = Draft {
            account,
            visit: None,
            path,
            fields,
        };
        site.drafts.keep(draft).await;
    }
}

/// To the log-on, or back to the form that is out of date; with what was typed kept, but never from a log-on.
async fn turned_away(site: &Site, visit: &Visit, account: String, open: bool) -> Response {
    // A lock that came too late was sent from the page that its form names.
    let page = match visit.path.as_str() {
        "/lock" | "/draft" => safe_path(visit.fields.get("from"))
            .split('?')
            .next()
            .unwrap_or_default(),
        path => shown_at(path),
    };
    let mut back = page.to_owned();
    if open {
        back.clone_from(&visit.path);
        if !matches!(back.as_str(), "/log-on" | "/set-up") {
            back = "/log-on".to_owned();
        }
    } else if visit.fields.typed() {
        let draft = site
            .drafts
            .keep(Draft {
                account,
                visit: visit.session.is_none().then(|| visit.browser.clone()),
                path: page.to_owned(),
                fields: visit.fields.clone(),
            })
            .await;
        if !draft.is_empty() {
            back = format!("{page}?draft={draft}");
        }
    }
    let back = safe_path(&back);
    if open || visit.session.is_some() {
        return Redirect::to(back).into_response();
    }
    Redirect::to(&format!("/log-on?next={}", encoded(back))).into_response()
}

/// The page on which a form stands: some are sent to an address that shows none.
fn shown_at(path: &str) -> &str {
    match path.strip_suffix("/sessions").filter(|page| *page != "/users") {
        Some(page) => page,
        None if path.starts_with("/account/") => "/account",
        None => path,
    }
}

/// A path as the value of a parameter.
pub(crate) fn encoded(path: &str) -> String {
    path.replace('?', "%3F").replace('=', "%3D").replace('&', "%26")
}

/// Whether this is a form with a file: scans, and accounts.
fn is_file(parts: &Parts) -> bool {
    let kind = parts
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let path = parts.uri.path();
    (path.ends_with("/scan") || matches!(path, "/scans" | "/users/import"))
        && kind.is_some_and(|kind| kind.starts_with("multipart/form-data"))
}

/// The fields of a form, or the body that is none.
async fn fields(form: bool, body: Body) -> Result<(Fields, Body), StatusCode> {
    if !form {
        return Ok((Fields::default(), body));
    }
    let bytes = axum::body::to_bytes(body, FORM_BYTES)
        .await
        .map_err(|_too_large| StatusCode::PAYLOAD_TOO_LARGE)?;
    Ok((Fields::read(&bytes)?, Body::empty()))
}

fn language(headers: &HeaderMap) -> Language {
    cookie::read(headers, cookie::LANGUAGE)
        .and_then(|code| Language::of(&code))
        .unwrap_or_else(|| Language::preferred(headers))
}

/// Whether a request comes from these pages, or from nowhere: typed, or a link that somebody followed. A form must come
/// from these pages.
fn is_from_here(parts: &Parts) -> bool {
    let named = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let posted = parts.method == Method::POST;
    match named("sec-fetch-site") {
        Some("same-origin") => true,
        Some("none") => !posted,
        Some(_) => {
            !posted
                && named("sec-fetch-mode") == Some("navigate")
                && named("sec-fetch-dest") == Some("document")
        }
        // A browser that does not say so says at least where a form comes from.
        None if posted => {
            let host = named("host").or(parts.uri.authority().map(|authority| authority.as_str()));
            let origin = named("origin").and_then(|origin| origin.strip_prefix("https://"));
            origin.is_some() && origin == host
        }
        None => true,
    }
}
