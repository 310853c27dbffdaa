//! Ends of orders: what the face says, what the law says, and where a day ends in California.

use ccpor_domain::*;

use crate::sample::{date, moment, time};

fn order(form: &str) -> Order {
    Order {
        form: form.into(),
        issued: Some(date("2026-03-02")),
        ..Order::default()
    }
}

fn by_rule(form: &str) -> Option<(Date, EndRule)> {
    match ends(&order(form), &Calendars::default()) {
        End::At {
            date,
            time: None,
            rule,
        } => Some((date, rule)),
        _ => None,
    }
}

#[test]
fn the_face_of_the_order_wins() {
    let on = |day, minute: Option<&str>| Order {
        expires: Expiry::OnDate {
            date: date(day),
            time: minute.map(time),
        },
        ..order("DV-110")
    };
    let end = |order: &Order| ends(order, &Calendars::default()).moment().unwrap();
    assert_eq!(end(&on("2026-10-02", None)), moment("2026-10-03T07:00:00Z"));
    assert_eq!(
        end(&on("2026-10-02", Some("17:00"))),
        moment("2026-10-03T00:00:00Z")
    );
    // "Midnight" on the form is the end of the day.
    assert_eq!(
        end(&on("2026-10-02", Some("00:00"))),
        moment("2026-10-03T07:00:00Z")
    );
    // Winter time, and the days on which the clocks change.
    assert_eq!(end(&on("2026-12-31", None)), moment("2027-01-01T08:00:00Z"));
    assert_eq!(end(&on("2026-03-08", None)), moment("2026-03-09T07:00:00Z"));
    assert_eq!(
        end(&on("2026-03-08", Some("02:30"))),
        moment("2026-03-08T10:30:00Z")
    );
    assert_eq!(
        end(&on("2026-11-01", Some("01:30"))),
        moment("2026-11-01T08:30:00Z")
    );
    let never = Order {
        expires: Expiry::Never,
        ..order("DV-130")
    };
    assert_eq!(
        (
            ends(&never, &Calendars::default()),
            ends(&never, &Calendars::default()).moment()
        ),
        (End::Never, None)
    );
}

#[test]
fn the_law_fills_a_silent_face() {
    let three_years = Some((date("2029-03-02"), EndRule::ThreeYears));
    for form in [
        "DV-130", "CH-130", "EA-130", "WV-130", "SV-130", "JV-255", "DV-730",
    ] {
        assert_eq!(by_rule(form), three_years, "{form}");
    }
    assert_eq!(
        by_rule("EPO-002"),
        Some((date("2026-03-23"), EndRule::TwentyOneDays))
    );
    assert_eq!(
        by_rule("GV-110"),
        Some((date("2026-03-23"), EndRule::TwentyOneDays))
    );
    assert_eq!(
        by_rule("DV-110"),
        Some((date("2026-03-27"), EndRule::TemporaryLimit))
    );
    for form in ["CR-160", "DV-600", "GV-130", "no such form"] {
        assert_eq!(
            ends(&order(form), &Calendars::default()),
            End::NotStated,
            "{form}"
        );
    }
    let undated = Order {
        issued: None,
        ..order("DV-130")
    };
    assert_eq!(ends(&undated, &Calendars::default()), End::NotStated);
}

#[test]
fn a_temporary_order_ends_with_its_hearing() {
    for form in ["DV-110", "DV-116", "CH-110"] {
        let hearing = Hearing {
            date: Some(date("2026-03-20")),
            time: Some(time("08:30")),
            ..Hearing::default()
        };
        let order = Order {
            hearing: Some(hearing),
            ..order(form)
        };
        let expected = End::At {
            date: date("2026-03-20"),
            time: None,
            rule: EndRule::HearingDay,
        };
        assert_eq!(ends(&order, &Calendars::default()), expected, "{form}");
    }
}

#[test]
fn three_years_from_a_leap_day() {
    let order = Order {
        issued: Some(date("2028-02-29")),
        ..order("DV-130")
    };
    let expected = End::At {
        date: date("2031-02-28"),
        time: None,
        rule: EndRule::ThreeYears,
    };
    assert_eq!(ends(&order, &Calendars::default()), expected);
}

#[test]
fn the_calendar_has_a_last_day() {
    let order = Order {
        issued: Some(Date::LAST),
        ..order("DV-130")
    };
    assert!(ends(&order, &Calendars::default()).moment().unwrap() > moment("9999-12-30T00:00:00Z"));
}

#[test]
fn an_order_begins_when_made_or_when_it_says() {
    let made = Order {
        issued_time: Some(time("14:30")),
        ..order("DV-130")
    };
    assert_eq!(begins(&made), Some(moment("2026-03-02T22:30:00Z")));
    let later = Order {
        effective: Some(date("2026-04-01")),
        ..made
    };
    assert_eq!(begins(&later), Some(moment("2026-04-01T07:00:00Z")));
    assert_eq!(begins(&Order::default()), None);
}
