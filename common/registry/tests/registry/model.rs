//! Random acts against a simple model, with reopening and loss of the index in between.

use std::collections::BTreeMap;

use ccpor_domain::{Ending, EndingKind, OrderId, Service, ServiceMode};
use proptest::prelude::*;

use crate::court::{file, open_court, order, request};

#[derive(Clone, Debug)]
enum Step {
    File(u8),
    Amend(u8),
    Serve(u8),
    End(u8),
    Reopen,
    LoseIndex,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0_u8..8).prop_map(Step::File),
        3 => (0_u8..8).prop_map(Step::Amend),
        3 => (0_u8..8).prop_map(Step::Serve),
        2 => (0_u8..8).prop_map(Step::End),
        1 => Just(Step::Reopen),
        1 => Just(Step::LoseIndex),
    ]
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Known {
    version: u32,
    services: usize,
    ended: bool,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_registry_does_what_the_model_does(steps in prop::collection::vec(step(), 1..40)) {
        let directory = tempfile::tempdir().unwrap();
        let (mut court, _) = open_court(directory.path(), "alameda", 1);
        let mut model: BTreeMap<OrderId, Known> = BTreeMap::new();
        let id = |number: u8| OrderId::derive("court/alameda", &format!("order-{number}"));
        for (turn, step) in steps.into_iter().enumerate() {
            let act = request(&format!("act-{turn:04}"));
            match step {
                Step::File(number) => {
                    let done = file(&court, &format!("order-{number}"), order("DOE", "JOHN", &format!("C-{number}")));
                    prop_assert_eq!(done.unwrap().order, id(number));
                    model.entry(id(number)).or_insert(Known { version: 1, ..Known::default() });
                }
                Step::Amend(number) => {
                    let changed = order("ROE", &format!("N{turn}"), &format!("C-{number}"));
                    let done = court.amend(act, id(number), None, changed);
                    match model.get_mut(&id(number)) {
                        Some(known) if done.is_ok() => known.version += 1,
                        Some(known) => prop_assert!(known.ended),
                        None => prop_assert!(done.is_err()),
                    }
                }
                Step::Serve(number) => {
                    let service = Service { mode: ServiceMode::Verbal, note: format!("{turn}"), ..Service::default() };
                    let done = court.serve(act, id(number), service);
                    match model.get_mut(&id(number)) {
                        Some(known) if done.is_ok() => known.services += 1,
                        Some(known) => prop_assert!(known.ended),
                        None => prop_assert!(done.is_err()),
                    }
                }
                Step::End(number) => {
                    let ending = Ending { kind: EndingKind::Terminated, date: None, time: None };
                    let done = court.end(act, id(number), ending);
                    match model.get_mut(&id(number)) {
                        Some(known) => prop_assert_eq!(done.is_ok(), !std::mem::replace(&mut known.ended, true)),
                        None => prop_assert!(done.is_err()),
                    }
                }
                Step::Reopen | Step::LoseIndex => {
                    court.close();
                    drop(court);
                    if matches!(step, Step::LoseIndex) {
                        std::fs::remove_dir_all(directory.path().join("index")).unwrap();
                    }
                    court = open_court(directory.path(), "alameda", 1).0;
                }
            }
        }
        prop_assert_eq!(court.counts().orders, model.len() as u64);
        for (id, known) in &model {
            let (story, _) = court.show(*id, None).into_parts();
            let state = story.unwrap().state;
            let told = Known {
                version: state.version,
                services: state.service.len(),
                ended: state.ending.is_some(),
            };
            prop_assert_eq!(&told, known);
        }
        court.close();
    }
}
