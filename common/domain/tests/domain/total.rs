//! Every public function gives an answer for every order: nothing panics, and what is always true of the answers holds.

use ccpor_domain::*;
use proptest::prelude::*;

use crate::arbitrary;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_order_can_be_judged(
        filed in arbitrary::filed(),
        events in prop::collection::vec(arbitrary::event(), 0..5),
        at in prop_oneof![arbitrary::moment(), any::<i64>().prop_map(UtcMillis)],
    ) {
        let id = filed.order_id;
        let mut state = OrderState::start(filed);
        for (request, event) in (0u8..).zip(events) {
            let event = arbitrary::about(event, id, RequestId([request; 16]));
            let _ = state.apply(&event);
            let _ = state.apply_linked(&event);
        }
        let order = &state.order;
        let found = standing(&state, at, &Calendars::default());
        prop_assert_eq!(found.served, found.served_how.is_some());
        let _ = (found.words(), order.title(), order.court.path(), order.court.display_name(), begins(order));
        let _ = ends(order, &Calendars::default()).moment();
        for warning in check(order) {
            prop_assert!(!warning.field.is_empty() && !warning.message.is_empty() && !warning.rule.is_empty());
        }
        if let Err(missing) = legal_core(order) {
            prop_assert!(!missing.fields.is_empty());
        }
        let block = radio_block(&state, &standing(&state, at, &Calendars::default()), 1, 2);
        let lines = 3 + usize::from(!order.restrained.cautions.is_empty());
        prop_assert_eq!(block.lines().count(), lines);
        prop_assert!(block.chars().all(|c| c == '\n' || !c.is_control()));
        let _ = (at.to_string(), at.pacific_clock(), at.in_pacific());
    }

    #[test]
    fn any_order_can_be_followed_served_and_enforced(
        filed in arbitrary::filed(),
        other in arbitrary::filed(),
        event in arbitrary::event(),
        service in arbitrary::service(),
        at in arbitrary::moment(),
        how in prop::sample::select(Follows::ALL),
    ) {
        let calendars = Calendars::default();
        let (state, other) = (OrderState::start(filed), OrderState::start(other));
        let mut next = other.order.clone();
        if follow(&state, how, &mut next).is_err() {
            prop_assert_eq!(&next, &other.order);
        }
        for warning in check_service(&state.order, &service) {
            prop_assert!(!warning.field.is_empty() && !warning.message.is_empty() && !warning.rule.is_empty());
        }
        if let Some(deadline) = Deadline::of(&event, calendars.of(&state.order.court)) {
            prop_assert!(deadline.due > deadline.acted || deadline.acted == Date::LAST);
            let _ = deadline.is_over(at);
        }
        let certain = [other.order_id];
        let given = enforcement(&state.order.restrained, &certain, &[&state, &other], at, &calendars);
        let for_persons = given.persons.iter().flat_map(|person| &person.terms);
        for held in for_persons.chain(&given.everywhere) {
            prop_assert!(!term_words(&held.term, Language::Spanish).is_empty());
        }
        let _ = brady_suggestion(&state.order).reasons();
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in prop_oneof![arbitrary::text(), "[-0-9: OILUZa-z/]{0,24}"]) {
        let _ = (text.parse::<Date>(), text.parse::<PartialDate>(), text.parse::<TimeOfDay>());
        let _ = (text.parse::<UtcMillis>(), text.parse::<OrderId>(), text.parse::<RegistryNumber>());
        let _ = (text.parse::<CourtRef>(), text.parse::<Family>(), text.parse::<ImageDigest>());
        let _ = (Form::find(&text), CourtRef::find(&text), Sex::find(&text), CodeTable::Eye.find(&text));
    }

    /// Time only moves an order forward: not yet in force, in force, over.
    #[test]
    fn an_order_never_comes_back_into_force(
        filed in arbitrary::filed(),
        first in arbitrary::moment(),
        second in arbitrary::moment(),
    ) {
        let rank = |status| match status {
            Status::NotYetEffective => 0,
            Status::Active => 1,
            _ => 2,
        };
        let state = OrderState::start(filed);
        let (earlier, later) = (first.min(second), first.max(second));
        // An order that ends before it begins is never in force; which word it gets does not matter.
        prop_assume!(ends(&state.order, &Calendars::default()).moment().zip(begins(&state.order)).is_none_or(|(end, begin)| begin <= end));
        prop_assert!(rank(standing(&state, earlier, &Calendars::default()).status) <= rank(standing(&state, later, &Calendars::default()).status));
        prop_assert!(standing(&state, earlier, &Calendars::default()).served <= standing(&state, later, &Calendars::default()).served);
    }
}
