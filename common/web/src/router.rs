//! The paths of the pages.

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::act::{self, Act};
use crate::scan::Of;
use crate::site::{Pages, Site, site};
use crate::task::Kind;
use crate::{
    answers, asset, audit, bench, entry, faults, fence, help, import, live, log_on, machine, open_sessions,
    order, own, print, queue, reports, roster, scan, search, service, today, upload, users,
};

/// Everything behind the fence.
pub fn router(pages: Pages) -> Router {
    let site = site(pages);
    Router::new()
        .route("/", get(log_on::begin))
        .route("/assets/{version}/{*name}", get(asset::get))
        .route("/log-on", get(log_on::page).post(log_on::log_on))
        .route("/set-up", get(log_on::set_up_page).post(log_on::set_up))
        .route("/log-off", post(log_on::log_off))
        .route("/lock", post(log_on::lock))
        .route("/draft", post(log_on::draft))
        .route("/live", get(live::stream))
        .route("/pulse", get(log_on::pulse))
        .route("/language", post(log_on::language))
        .route("/search", get(search::page).post(search::ask))
        .route("/between", get(search::between_page).post(search::ask_between))
        .route("/answers/{id}", get(answers::page))
        .route("/answers/{id}/bench", get(bench::page))
        .route("/orders/{number}", get(order::page))
        .route("/orders/{number}/card", get(print::card))
        .route("/orders/{number}/copy", get(print::copy))
        .route(
            "/orders/{number}/service",
            get(service::page).post(service::record),
        )
        .route("/orders/{number}/scan", get(upload::page).post(upload::post))
        .merge(on_orders())
        .merge(scans())
        .route("/entry", get(entry::page).post(entry::post))
        .route("/today", get(today::page))
        .route("/help", get(help::page))
        .route("/account", get(own::page))
        .route("/account/password", post(own::change_password))
        .route("/account/recovery", post(own::renew_recovery_codes))
        .route("/account/sessions", post(own::end_session))
        .route("/users", get(roster::list).post(roster::find))
        .route("/users/list.csv", get(roster::table))
        .route("/users/new", get(users::new).post(users::add))
        .route(
            "/users/sessions",
            get(open_sessions::page).post(open_sessions::end),
        )
        .route("/users/import", get(import::page).post(import::take))
        .route("/users/import/{id}", get(import::judged).post(import::make))
        .route("/users/{id}", get(users::page).post(users::change))
        .route("/users/{id}/sessions", post(users::end_sessions))
        .route("/reports", get(reports::page))
        .route("/reports/statistics.csv", get(reports::statistics))
        .route("/reports/errors.csv", get(faults::table))
        .route("/audit", get(audit::page).post(audit::ask))
        .route("/audit/{id}", get(audit::found))
        .route("/audit/{id}/trail.csv", get(audit::table))
        .route("/machine", get(machine::page))
        .route("/machine/courts.csv", get(machine::table))
        .route("/machine/course.csv", get(machine::course))
        .layer(from_fn_with_state(site.clone(), fence::stand))
        .with_state(site)
}

/// The scans of orders, and those that wait for theirs.
fn scans() -> Router<Site> {
    let mut routes = Router::new()
        .route("/scans", get(queue::list).post(queue::add))
        .route("/scans/{blake3}", get(queue::page).post(queue::act));
    for (of, below) in [(Of::Order, ""), (Of::Queue, "/waiting")] {
        routes = routes
            .route(
                &format!("/scans/{{blake3}}{below}/file"),
                get(move |state, visit, name| scan::file(of, state, visit, name)),
            )
            .route(
                &format!("/scans/{{blake3}}{below}/{{page}}"),
                get(move |state, visit, name| scan::page(of, state, visit, name)),
            );
    }
    routes
}

/// What a clerk does with an order that is there.
fn on_orders() -> Router<Site> {
    let mut routes = Router::new();
    for kind in [Kind::Amend, Kind::Continue, Kind::Renew, Kind::Replace] {
        routes = routes.route(
            &format!("/orders/{{number}}/{}", kind.path()),
            get(move |state, visit, number, opened| entry::page_on(kind, state, visit, number, opened))
                .post(move |state, visit, number| entry::post_on(kind, state, visit, number)),
        );
    }
    for act in [Act::End, Act::Cancel, Act::Seal, Act::Unseal] {
        routes = routes.route(
            &format!("/orders/{{number}}/{}", act.path()),
            get(move |state, visit, number, opened| act::page(act, state, visit, number, opened))
                .post(move |state, visit, number| act::post(act, state, visit, number)),
        );
    }
    routes
}
