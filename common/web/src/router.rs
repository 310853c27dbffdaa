//! The paths of the pages.

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::site::{Pages, site};
use crate::{answers, asset, entry, fence, log_on, machine, order, scan, search, service, upload};

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
        .route("/pulse", get(log_on::pulse))
        .route("/language", post(log_on::language))
        .route("/search", get(search::page).post(search::ask))
        .route("/between", get(search::between_page).post(search::ask_between))
        .route("/answers/{id}", get(answers::page))
        .route("/orders/{number}", get(order::page))
        .route(
            "/orders/{number}/service",
            get(service::page).post(service::record),
        )
        .route("/orders/{number}/scan", get(upload::page).post(upload::post))
        .route("/scans/{blake3}/file", get(scan::file))
        .route("/scans/{blake3}/{page}", get(scan::page))
        .route("/entry", get(entry::page).post(entry::post))
        .route("/machine", get(machine::page))
        .layer(from_fn_with_state(site.clone(), fence::stand))
        .with_state(site)
}
