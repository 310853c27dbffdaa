//! The fold, against a model that only counts, and the same from every order of arrival.

use std::collections::{BTreeMap, BTreeSet};

use ccpor_domain::*;
use proptest::prelude::*;

use crate::{arbitrary, sample};

fn start() -> OrderState {
    OrderState::start(sample::filed())
}

#[test]
fn a_life_of_an_order() {
    let events: Vec<Event> = vec![
        Event::Filed(sample::filed()),
        sample::attached(2),
        sample::served(3, "2026-10-03T05:20:00Z", sample::service()),
        sample::amended(
            4,
            Order {
                expires: Expiry::Never,
                ..sample::order()
            },
        ),
        sample::ended(5, "2027-02-01T18:00:00Z", EndingKind::Terminated, None),
        sample::served(
            6,
            "2027-02-02T18:00:00Z",
            Service {
                mode: ServiceMode::Mail,
                ..Service::default()
            },
        ),
    ];
    let state = OrderState::fold(&events).unwrap();
    assert_eq!((state.version, state.order.expires), (2, Expiry::Never));
    assert_eq!(state.source_id.as_deref(), Some("cms-77"));
    assert_eq!((state.images.len(), state.service.len()), (1, 2));
    assert_eq!(state.ending.as_ref().unwrap().ending.kind, EndingKind::Terminated);
    let history: Vec<(StepKind, u32)> = state.steps.iter().map(|step| (step.what, step.version)).collect();
    use StepKind::*;
    assert_eq!(
        history,
        [
            (Filed, 1),
            (ImageAttached, 1),
            (Served, 1),
            (Amended, 2),
            (Ended, 2),
            (Served, 2)
        ]
    );
}

#[test]
fn what_an_order_refuses() {
    let id = sample::order_id();
    let mut state = start();
    let other = OrderId([3; 16]);
    assert_eq!(
        state.apply(&Event::Filed(sample::filed())),
        Err(StepRefused::Repeated(RequestId([1; 16])))
    );
    let again = Event::Filed(Filed {
        act: sample::act(2, "2026-10-01T22:00:00Z"),
        ..sample::filed()
    });
    assert_eq!(state.apply(&again), Err(StepRefused::AlreadyFiled(id)));
    let elsewhere = arbitrary::about(sample::attached(2), other, RequestId([2; 16]));
    assert_eq!(
        state.apply(&elsewhere),
        Err(StepRefused::OtherOrder {
            state: id,
            event: other
        })
    );
    let own_place = sample::ended(2, "2026-10-02T00:00:00Z", EndingKind::Superseded { by: id }, None);
    assert_eq!(state.apply(&own_place), Err(StepRefused::SupersededByItself(id)));
    assert_eq!(
        state.apply_linked(&sample::attached(2)),
        Err(StepRefused::NotIssuingCourt(id))
    );
    assert_eq!(state, start());
    state
        .apply(&sample::ended(
            2,
            "2026-10-02T00:00:00Z",
            EndingKind::CancelledEntryError,
            None,
        ))
        .unwrap();
    assert_eq!(
        state.apply(&sample::amended(3, sample::order())),
        Err(StepRefused::HasEnded(id))
    );
    let twice = sample::ended(3, "2026-10-02T00:00:00Z", EndingKind::Terminated, None);
    assert_eq!(state.apply(&twice), Err(StepRefused::HasEnded(id)));
    state.apply(&sample::attached(3)).unwrap();
    assert_eq!(OrderState::fold([&twice]), Err(StepRefused::NotFiled(id)));
    assert_eq!(
        OrderState::fold([]),
        Err(StepRefused::NotFiled(OrderId::default()))
    );
}

#[test]
fn a_history_has_an_end() {
    let mut state = start();
    let event = |n: usize| {
        let request = RequestId(u128::try_from(n + 1000).unwrap().to_be_bytes());
        arbitrary::about(sample::attached(0), sample::order_id(), request)
    };
    for n in 1..MAX_STEPS {
        state.apply(&event(n)).unwrap();
    }
    assert_eq!(
        state.apply(&event(MAX_STEPS)),
        Err(StepRefused::TooManySteps(sample::order_id()))
    );
    assert_eq!((state.steps.len(), state.images.len()), (MAX_STEPS, 1));
}

#[test]
fn of_too_many_linked_services_the_earliest_stay() {
    let linked = |n: u64| {
        let at = UtcMillis(1_790_000_000_000 + i64::try_from(n).unwrap());
        let act = Act {
            request: RequestId(u128::from(n).to_be_bytes()),
            at,
            ..Act::default()
        };
        Event::Served(Served {
            act,
            order_id: sample::order_id(),
            service: sample::service(),
        })
    };
    let all = u64::try_from(MAX_LINKED).unwrap() + 20;
    let (mut forward, mut backward) = (start(), start());
    for n in 0..all {
        forward.apply_linked(&linked(n)).unwrap();
        backward.apply_linked(&linked(all - 1 - n)).unwrap();
    }
    assert_eq!(forward.service.len(), MAX_LINKED);
    assert_eq!(forward, backward);
}

#[derive(Default)]
struct Model {
    requests: BTreeSet<RequestId>,
    version: u32,
    ended: bool,
    sealed: bool,
    services: usize,
    violations: usize,
    /// Whether the key of each is there.
    sheets: BTreeMap<SheetId, bool>,
}

impl Model {
    fn takes(&mut self, event: &Event) -> bool {
        let request = event.act().request;
        let fine = match event {
            Event::Filed(_) => false,
            Event::Amended(_) | Event::Ended(_) => !self.ended,
            Event::Served(_) | Event::ImageAttached(_) | Event::Violated(_) => true,
            Event::Sealing(sealing) => sealing.sealed != self.sealed,
            Event::Confided(confided) => match confided.what {
                Confidence::Added(_) => !self.sheets.contains_key(&confided.sheet),
                Confidence::Destroyed => self.sheets.get(&confided.sheet) == Some(&true),
            },
        };
        if !fine || self.requests.contains(&request) {
            return false;
        }
        self.requests.insert(request);
        self.version += u32::from(matches!(event, Event::Amended(_)));
        self.ended |= matches!(event, Event::Ended(_));
        if let Event::Sealing(sealing) = event {
            self.sealed = sealing.sealed;
        }
        if let Event::Confided(confided) = event {
            let readable = matches!(confided.what, Confidence::Added(_));
            self.sheets.insert(confided.sheet, readable);
        }
        self.services += usize::from(matches!(event, Event::Served(_)));
        self.violations += usize::from(matches!(event, Event::Violated(_)));
        true
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_fold_agrees_with_the_model(events in prop::collection::vec((arbitrary::event(), 0u8..12), 0..12)) {
        let mut state = start();
        let mut model = Model { version: 1, ..Model::default() };
        model.requests.insert(RequestId([1; 16]));
        for (event, request) in events {
            let event = arbitrary::about(event, sample::order_id(), RequestId([request; 16]));
            let before = state.clone();
            let taken = state.apply(&event);
            prop_assert_eq!(taken.is_ok(), model.takes(&event), "{:?}", taken);
            if taken.is_err() {
                prop_assert_eq!(&state, &before);
            }
        }
        prop_assert_eq!(state.version, model.version);
        prop_assert_eq!(state.ending.is_some(), model.ended);
        prop_assert_eq!(state.sealed.is_some(), model.sealed);
        prop_assert_eq!(state.service.len(), model.services);
        prop_assert_eq!(state.violations.len(), model.violations);
        prop_assert_eq!(state.sheets.len(), model.sheets.len());
        prop_assert_eq!(state.steps.len(), model.requests.len());
    }

    #[test]
    fn arrival_does_not_matter(
        own in prop::collection::vec((arbitrary::event(), 0u8..8), 0..6),
        linked in prop::collection::vec((arbitrary::act(), arbitrary::service(), 0i64..4), 0..6),
        order in Just((0..12usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let own: Vec<Event> = own
            .into_iter()
            .map(|(event, request)| arbitrary::about(event, sample::order_id(), RequestId([request; 16])))
            .collect();
        let linked: Vec<Event> = linked
            .into_iter()
            .map(|(act, service, at)| {
                // Few moments, so that ties are met.
                let act = Act { at: UtcMillis(at), ..act };
                Event::Served(Served { act, order_id: sample::order_id(), service })
            })
            .collect();
        let mut plain = start();
        for event in &own {
            let _ = plain.apply(event);
        }
        for event in &linked {
            let _ = plain.apply_linked(event);
        }

        let mut mixed = start();
        let mut next_own = own.iter();
        for place in order {
            // Own events keep their order; linked ones come anywhere between, some twice.
            if place < 6 {
                let _ = next_own.next().map(|event| mixed.apply(event));
            } else if let Some(event) = linked.get(place - 6) {
                let _ = mixed.apply_linked(event);
                prop_assert_eq!(
                    mixed.apply_linked(event),
                    Err(StepRefused::Repeated(event.act().request))
                );
            }
        }
        prop_assert_eq!(mixed, plain);
    }
}
