//! Court days, the end of emergency orders, and the one business day of Fam. Code 6380.

use std::collections::BTreeMap;

use ccpor_domain::*;
use proptest::prelude::*;

use crate::sample::{act, date, moment, time};

fn closed(days: &[&str]) -> CourtCalendar {
    CourtCalendar::new(days.iter().map(|day| date(day)).collect(), None)
}

#[test]
fn the_holidays_of_three_years() {
    let kept: Vec<String> = (0..3 * 365)
        .map(|days| date("2025-01-01").plus_days(days))
        .filter_map(|day| holiday_on(day).map(|holiday| format!("{day} {}", holiday.name)))
        .collect();
    let expected = "\
2025-01-01 New Year's Day
2025-01-20 Martin Luther King Jr. Day
2025-02-12 Lincoln Day
2025-02-17 Presidents' Day
2025-03-31 Cesar Chavez Day
2025-05-26 Memorial Day
2025-06-19 Juneteenth
2025-07-04 Independence Day
2025-09-01 Labor Day
2025-09-26 Native American Day
2025-11-11 Veterans Day
2025-11-27 Thanksgiving Day
2025-11-28 Day after Thanksgiving
2025-12-25 Christmas Day
2026-01-01 New Year's Day
2026-01-19 Martin Luther King Jr. Day
2026-02-12 Lincoln Day
2026-02-16 Presidents' Day
2026-03-31 Cesar Chavez Day
2026-05-25 Memorial Day
2026-06-19 Juneteenth
2026-07-03 Independence Day
2026-07-04 Independence Day
2026-09-07 Labor Day
2026-09-25 Native American Day
2026-11-11 Veterans Day
2026-11-26 Thanksgiving Day
2026-11-27 Day after Thanksgiving
2026-12-25 Christmas Day
2027-01-01 New Year's Day
2027-01-18 Martin Luther King Jr. Day
2027-02-12 Lincoln Day
2027-02-15 Presidents' Day
2027-03-31 Cesar Chavez Day
2027-05-31 Memorial Day
2027-06-18 Juneteenth
2027-06-19 Juneteenth
2027-07-04 Independence Day
2027-07-05 Independence Day
2027-09-06 Labor Day
2027-09-24 Native American Day
2027-11-11 Veterans Day
2027-11-25 Thanksgiving Day
2027-11-26 Day after Thanksgiving
2027-12-24 Christmas Day
2027-12-25 Christmas Day
2027-12-31 New Year's Day";
    assert_eq!(kept.join("\n"), expected);
    assert!(holiday_on(date("2021-10-11")).is_some() && holiday_on(date("2022-10-10")).is_none());
}

/// Fam. Code 6256: the close of business on the 5th court day or the 7th calendar day, whichever is earlier.
#[test]
fn an_emergency_order_ends_on_the_fifth_court_day_or_the_seventh_day() {
    let emergency = |issued: &str| Order {
        form: "EPO-001".into(),
        issued: Some(date(issued)),
        ..Order::default()
    };
    let end = |issued: &str, calendars: &Calendars| match ends(&emergency(issued), calendars) {
        End::At { date, time, rule } => (date.to_string(), time.map(|time| time.to_string()), rule),
        other => panic!("{other:?}"),
    };
    let state = Calendars::default();
    let close = || Some("17:00".to_owned());
    // Issued on a Monday: the 5th court day is the next Monday, which is the 7th day.
    assert_eq!(
        end("2026-03-02", &state),
        ("2026-03-09".into(), close(), EndRule::FiveCourtDays)
    );
    // On a Saturday: the Friday comes before the 7th day.
    assert_eq!(
        end("2026-03-07", &state),
        ("2026-03-13".into(), close(), EndRule::FiveCourtDays)
    );
    // Over a holiday the 7th day comes first.
    assert_eq!(
        end("2026-02-10", &state),
        ("2026-02-17".into(), None, EndRule::SevenDays)
    );
    // A court that is closed on that Friday, and one that closes early.
    let own = |days: &[&str], closes| {
        let calendar = CourtCalendar::new(days.iter().map(|day| date(day)).collect(), closes);
        Calendars::new(BTreeMap::from([("court/".to_owned(), calendar)]))
    };
    assert_eq!(
        end("2026-03-07", &own(&["2026-03-13"], None)).2,
        EndRule::SevenDays
    );
    let early = own(&[], Some(time("12:30")));
    assert_eq!(end("2026-03-07", &early).1, Some("12:30".to_owned()));
    // What stands on the paper goes before.
    let stated = Order {
        expires: Expiry::OnDate {
            date: date("2026-03-10"),
            time: Some(time("17:00")),
        },
        ..emergency("2026-03-07")
    };
    assert!(matches!(
        ends(&stated, &state),
        End::At {
            rule: EndRule::OnFace,
            ..
        }
    ));
}

#[test]
fn one_business_day_is_counted_with_the_courts_calendar() {
    let filed = |issued: &str| {
        Event::Filed(Filed {
            act: act(1, "2026-03-02T10:00:00Z"),
            order_id: OrderId([1; 16]),
            source_id: None,
            order: Order {
                issued: Some(date(issued)),
                ..Order::default()
            },
        })
    };
    let due = |issued: &str, calendar: &CourtCalendar| Deadline::of(&filed(issued), calendar).unwrap();
    let state = CourtCalendar::default();
    assert_eq!(due("2026-03-02", &state).due, date("2026-03-03"));
    assert_eq!(
        due("2026-03-06", &state).due,
        date("2026-03-09"),
        "over a weekend"
    );
    assert_eq!(
        due("2026-03-30", &state).due,
        date("2026-04-01"),
        "over a holiday"
    );
    assert_eq!(
        due("2026-03-02", &closed(&["2026-03-03"])).due,
        date("2026-03-04")
    );
    let deadline = due("2026-03-02", &state);
    assert!(
        !deadline.is_over(moment("2026-03-04T07:59:59Z")),
        "to the end of the day in California"
    );
    assert!(deadline.is_over(moment("2026-03-04T08:00:00Z")));
    assert_eq!(deadline.duty.law(), "Fam. Code 6380(a)");
}

proptest! {
    #[test]
    fn a_court_day_is_a_day_on_which_the_court_sits(
        from in crate::arbitrary::date(),
        count in 1_u16..30,
        shut in prop::collection::vec(0_u16..40, 0..6),
    ) {
        let days: Vec<Date> = shut.iter().map(|days| from.plus_days(*days)).collect();
        let (own, state) = (CourtCalendar::new(days.clone(), None), CourtCalendar::default());
        let day = own.court_day_after(from, count);
        prop_assume!(day < Date::LAST);
        prop_assert!(own.is_court_day(day) && day > from);
        prop_assert!(!days.contains(&day) && holiday_on(day).is_none());
        let between = (1..1_000).map(|days| from.plus_days(days)).take_while(|other| *other <= day);
        prop_assert_eq!(between.filter(|other| own.is_court_day(*other)).count(), usize::from(count));
        prop_assert!(own.court_day_after(from, count + 1) > day, "it moves on");
        prop_assert!(day >= state.court_day_after(from, count), "a closure never makes a deadline earlier");
    }
}
