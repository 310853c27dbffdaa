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
    pub(crate) bars: [Bar; 2],
}

/// Something that goes forward, while it does.
pub(crate) struct Bar {
    /// Which, in the events.
    pub(crate) name: &'static str,
    pub(crate) done: u64,
    pub(crate) all: u64,
    pub(crate) words: String,
}

impl Bar {
    fn new(name: &'static str, done: u64, all: u64, words: &str) -> Self {
        let words = fill(words, &[("done", &thousands(done)), ("all", &thousands(all))]);
        Self {
            name,
            done,
            all,
            words,
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.done >= self.all
    }
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
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    // The own court's records, all of which a hub is to confirm.
    let own = courts.courts.iter().find(|court| court.unconfirmed > 0);
    let written = own
        .and_then(|court| court.head.as_ref())
        .map_or(0, |head| head.seq);
    let waiting = own.map_or(0, |court| court.unconfirmed);
    // What is left out by choice is not waited for.
    let wanted = courts.courts.iter().filter(|court| court.held != "left_out");
    let bars = [
        Bar::new("courts", count(current), count(wanted.count()), w.bar_courts),
        Bar::new("records", written.saturating_sub(waiting), written, w.bar_records),
    ];
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
        bars,
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
                let mut text = format!("{}\n{}\n{}", live.state, live.line, live.words);
                for bar in &live.bars {
                    let Bar {
                        name,
                        done,
                        all,
                        words,
                    } = bar;
                    text.push_str(&format!("\n{name} {done} {all} {words}"));
                }
                // A carriage return has no place in an event.
                Event::default().event("as-of").data(text.replace('\r', ""))
            }
            None => Event::default().comment("nothing new"),
        };
        Some((Ok(event), Some((site, visit))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_says_how_far_it_is_and_is_done_when_nothing_is_left() {
        let bar = |done, all| Bar::new("records", done, all, "{done} of {all}");
        assert_eq!(bar(1_200, 1_500).words, "1,200 of 1,500");
        assert!(!bar(1_200, 1_500).is_done());
        assert!(bar(1_500, 1_500).is_done() && bar(0, 0).is_done());
    }
}
