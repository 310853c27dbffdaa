//! Orders survive the way into messages, over either wire, and back.

use ccpor_api::{convert, message, render};
use ccpor_domain::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use prost::Message as _;

fn words() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[A-Za-zñ' .\"\\\\-]{1,12}", any::<String>()]
}

fn one_of<T: Copy + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> {
    proptest::sample::select(all)
}

fn date() -> impl Strategy<Value = Date> {
    (1i16..=9999, 1u8..=12, 1u8..=28).prop_map(|(year, month, day)| Date::new(year, month, day).unwrap())
}

fn time() -> impl Strategy<Value = TimeOfDay> {
    (0u8..24, 0u8..60).prop_map(|(hour, minute)| TimeOfDay::new(hour, minute).unwrap())
}

prop_compose! {
    fn name()(first in words(), middle in words(), last in words(), suffix in words()) -> Name {
        Name { first, middle, last, suffix }
    }
}

prop_compose! {
    fn identifier()(kind in one_of(IdentifierKind::ALL), value in words(), issuer in words()) -> Identifier {
        Identifier { kind, value, issuer }
    }
}

prop_compose! {
    fn vehicle()(texts in vec(words(), 6), year in option::of(any::<u16>())) -> Vehicle {
        let [plate, state, vin, make, model, color] = texts.try_into().unwrap();
        Vehicle { plate, state, vin, make, model, year, color }
    }
}

prop_compose! {
    fn person()(
        name in name(),
        aliases in vec(name(), 0..3),
        dob in option::of(date()),
        sex in one_of(Sex::ALL),
        numbers in option::of((any::<u8>(), any::<u16>(), any::<u16>())),
        (race, cautions) in (vec(words(), 0..3), vec(words(), 0..3)),
        texts in vec(words(), 5),
        identifiers in vec(identifier(), 0..3),
        vehicles in vec(vehicle(), 0..2),
    ) -> Person {
        let [eye, hair, skin, marks, language] = texts.try_into().unwrap();
        Person {
            name, aliases, dob, sex, race, eye, hair, skin, marks, identifiers, vehicles, cautions, language,
            age_estimate: numbers.map(|numbers| numbers.0),
            height_inches: numbers.map(|numbers| numbers.1),
            weight_pounds: numbers.map(|numbers| numbers.2),
        }
    }
}

prop_compose! {
    fn protected()(
        person in person(),
        role in one_of(ProtectedRole::ALL),
        relationship in one_of(Relationship::ALL),
        minor_confidential in any::<bool>(),
        safe_at_home in any::<bool>(),
    ) -> Protected {
        Protected { person, role, relationship, minor_confidential, safe_at_home }
    }
}

prop_compose! {
    fn term()(
        kind in one_of(TermKind::ALL),
        pco in vec(any::<u8>(), 0..4),
        distance_yards in option::of(any::<u16>()),
        places in vec(one_of(Place::ALL), 0..4),
        text in words(),
    ) -> Term {
        Term { kind, pco, distance_yards, places, text }
    }
}

fn expiry() -> impl Strategy<Value = Expiry> {
    prop_oneof![
        Just(Expiry::NotStated),
        Just(Expiry::Never),
        (date(), option::of(time())).prop_map(|(date, time)| Expiry::OnDate { date, time }),
    ]
}

prop_compose! {
    fn hearing()(date in option::of(date()), time in option::of(time()), texts in vec(words(), 4)) -> Hearing {
        let [department, room, judge, attended] = texts.try_into().unwrap();
        Hearing { date, time, department, room, judge, attended }
    }
}

prop_compose! {
    fn foreign()(
        jurisdiction in words(),
        order_number in words(),
        valid_on_face in option::of(any::<bool>()),
        registered in option::of(date()),
    ) -> ForeignOrder {
        ForeignOrder { jurisdiction, order_number, valid_on_face, registered }
    }
}

fn order_id() -> impl Strategy<Value = OrderId> {
    any::<[u8; 16]>().prop_map(OrderId)
}

prop_compose! {
    fn order()(
        (family, stage) in (one_of(Family::ALL), one_of(Stage::ALL)),
        texts in vec(words(), 13),
        tribal in any::<bool>(),
        dates in vec(option::of(date()), 2),
        times in vec(option::of(time()), 2),
        hearing in option::of(hearing()),
        expires in expiry(),
        (restrained, protected) in (person(), vec(protected(), 0..3)),
        present_at_hearing in option::of(any::<bool>()),
        establishment in option::of("[a-z]{1,9}"),
        terms in vec(term(), 0..4),
        (previous, lineage) in (option::of(order_id()), option::of(order_id())),
        (foreign, brady) in (option::of(foreign()), option::of((one_of(BradyIndicator::ALL), words()))),
    ) -> Order {
        let [form, statute, case_number, agency_case_number, fcn, other_text, slug, name, address, phone, department,
            judge, ori] = texts.try_into().unwrap();
        Order {
            family, stage, form, statute, case_number, agency_case_number, fcn, hearing, expires, restrained,
            present_at_hearing, protected, establishment, terms, other_text, previous, lineage, foreign,
            court: Court { slug, tribal, name, address, phone, department, judge, ori },
            issued: dates[0],
            issued_time: times[0],
            effective: dates[1],
            effective_time: times[1],
            brady: brady.map(|(indicator, reason)| Brady { indicator, reason }),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn an_order_survives_both_wires(order in order()) {
        let message = render::order(&order);
        let binary = message::Order::decode(message.encode_to_vec().as_slice()).unwrap();
        let json: message::Order = serde_json::from_str(&serde_json::to_string(&message).unwrap()).unwrap();
        prop_assert_eq!(&binary, &message);
        prop_assert_eq!(&json, &message);
        prop_assert_eq!(convert::order_from("order", &binary).unwrap(), order);
    }

    #[test]
    fn service_endings_and_images_survive(
        mode in one_of(ServiceMode::ALL), date in option::of(date()), time in option::of(time()),
        texts in vec(words(), 6), by in order_id(), which in 0usize..3, digest in any::<[u8; 32]>(), length in any::<u64>(),
        media in one_of(Media::ALL), pages in any::<u32>(),
    ) {
        let [served_by, badge, agency, agency_ori, place, note] = texts.try_into().unwrap();
        let title = note.clone();
        let service = Service { mode, date, time, served_by, badge, agency, agency_ori, place, note };
        prop_assert_eq!(convert::service_from("service", &render::service(&service)).unwrap(), service);
        let kind = [EndingKind::Terminated, EndingKind::CancelledEntryError, EndingKind::Superseded { by }][which];
        let ending = Ending { kind, date, time };
        prop_assert_eq!(convert::ending_from("ending", &render::ending(&ending)).unwrap(), ending);
        let image = ImageRef { blake3: ImageDigest(digest), sha256: ImageDigest(digest), length, media, pages, title };
        prop_assert_eq!(convert::image_from("image", &render::image(&image)).unwrap(), image);
    }

    #[test]
    fn no_message_breaks_the_reading_and_no_refusal_repeats_what_a_person_is_called(
        code in words(), dob in "[a-z]{4,9}~", number in any::<u32>(),
    ) {
        let person = message::Person {
            dob: dob.clone(), sex: dob.clone(), age_estimate: Some(number), ..Default::default()
        };
        let order = message::Order {
            family: code.clone(), stage: code.clone(), issued: code.clone(), previous: code.clone(),
            expires: Some(message::Expiry { kind: code.clone(), date: code.clone(), time: code.clone() }),
            restrained: Some(person.clone()),
            protected: vec![message::Protected { person: Some(person), role: dob.clone(), ..Default::default() }],
            terms: vec![message::Term { kind: code.clone(), places: vec![code.clone()], pco: vec![number], ..Default::default() }],
            ..Default::default()
        };
        let refused = convert::order_from("order", &order).unwrap_err();
        prop_assert!(refused.fields.iter().any(|field| field.path == "order.restrained.dob"));
        prop_assert!(refused.fields.iter().any(|field| field.path == "order.protected[0].role"));
        // The tilde stands in no word that a refusal says by itself.
        prop_assert!(refused.fields.iter().all(|field| !field.reason.contains(&dob)), "{:?}", refused.fields);
    }
}
