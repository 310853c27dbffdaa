//! Up to when, as it moves: one line of freshness and counters that the page shows at once and that a script keeps current from a
//! stream of events. Looking at it does not keep a session open.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use futures_util::stream::unfold;

use crate::as_of::AsOf;
use crate::ask;
use crate::count::thousands;
use crate::site::{Inner, Site};
use crate::visit::Visit;
use crate::words::fill;

/// From one event to the next.
const EVERY: Duration = Duration::from_secs(3);

/// The line as it is now.
pub(crate) struct Live {
    /// `complete` or `incomplete`: only a change of it is announced.
    pub(crate) state: &'static str,
    pub(crate) line: String,
    /// What is announced when the state changes.
    pub(crate) words: &'static str,
}

/// The line for this person; none when the registry does not say.
pub(crate) async fn now(site: &Inner, visit: &Visit) -> Option<Live> {
    let caller = visit.caller().ok()?;
    let courts = ask::read(site, site.pages.backend.list_courts(&caller))
        .await
        .ok()?;
    let w = visit.words();
    let as_of = AsOf::of(courts.freshness.as_ref(), w).ok()?;
    let current = courts.courts.iter().filter(|court| court.current).count();
    let orders = courts.courts.iter().map(|court| court.orders).sum();
    let words = if as_of.complete {
        w.statewide_complete
    } else {
        w.not_complete
    };
    let counted = fill(
        w.live_counts,
        &[
            ("current", &current.to_string()),
            ("all", &courts.courts.len().to_string()),
            ("orders", &thousands(orders)),
        ],
    );
    Some(Live {
        state: if as_of.complete { "complete" } else { "incomplete" },
        line: format!("{} · {words} · {counted}", as_of.line),
        words,
    })
}

/// `GET /live`: an event with the line every few seconds, for as long as the session lasts and this machine goes on.
pub(crate) async fn stream(State(site): State<Site>, Extension(visit): Extension<Visit>) -> Response {
    Sse::new(events(site, visit))
        .keep_alive(KeepAlive::default())
        .into_response()
}

fn events(site: Site, visit: Visit) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    unfold(Some((site, visit)), |open| async move {
        let (site, visit) = open?;
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = site.pages.stop.cancelled() => return None,
        }
        let (certificate, token) = (visit.certificate.as_ref(), visit.token.as_ref());
        // Asked for in a way that does not use the session.
        if site.pages.people.session(certificate, token).await.is_err() {
            return Some((Ok(Event::default().event("over").data("over")), None));
        }
        let event = match now(&site, &visit).await {
            Some(live) => {
                let text = format!("{}\n{}\n{}", live.state, live.line, live.words);
                // A carriage return has no place in an event.
                Event::default().event("as-of").data(text.replace('\r', ""))
            }
            None => Event::default().comment("nothing new"),
        };
        Some((Ok(event), Some((site, visit))))
    })
}
