//! Days and minutes: what the calendar lacks cannot be made, by any road.

use ccpor_domain::*;
use proptest::prelude::*;

use crate::arbitrary;

#[test]
fn impossible_days_are_refused() {
    for text in [
        "2026-02-29",
        "2026-13-01",
        "2026-00-10",
        "2026-04-31",
        "0000-01-01",
    ] {
        assert_eq!(text.parse::<Date>(), Err(DateRefused::Impossible), "{text}");
        assert!(serde_json::from_value::<Date>(text.into()).is_err());
    }
    for text in [
        "",
        "2026",
        "2026-02",
        "2026-2-3",
        "20260203",
        "2026-02-03-04",
        "+026-02-03",
        "２０２６-02-03",
    ] {
        assert_eq!(text.parse::<Date>(), Err(DateRefused::Shape), "{text}");
    }
    assert!(Date::new(2026, 200, 1).is_err());
    assert_eq!("2028-02-29".parse::<Date>().unwrap().to_string(), "2028-02-29");
}

#[test]
fn partial_dates() {
    for text in ["1985", "1985-03", "1985-03-12"] {
        let date: PartialDate = text.parse().unwrap();
        assert_eq!(date.to_string(), text);
        assert_eq!(serde_json::to_value(date).unwrap(), text);
    }
    assert_eq!("1985-02-30".parse::<PartialDate>(), Err(DateRefused::Impossible));
    assert_eq!("85".parse::<PartialDate>(), Err(DateRefused::PartialShape));
    assert_eq!(
        PartialDate::new(1985, None, Some(3)),
        Err(DateRefused::Impossible)
    );
    assert_eq!("1985-03".parse::<PartialDate>().unwrap().whole(), None);
}

#[test]
fn times_of_day() {
    for text in ["24:00", "7:00", "12:60", "noon", "12:00:00"] {
        assert_eq!(text.parse::<TimeOfDay>(), Err(TimeRefused), "{text}");
    }
    assert_eq!("23:59".parse::<TimeOfDay>().unwrap().to_string(), "23:59");
}

#[test]
fn moments() {
    let moment: UtcMillis = "2026-10-02T15:14:07.25-07:00".parse().unwrap();
    assert_eq!(moment.to_string(), "2026-10-02T22:14:07.250Z");
    assert_eq!(moment.pacific_clock(), "15:14:07 PDT");
    assert_eq!(
        "2026-12-02T22:14:07Z"
            .parse::<UtcMillis>()
            .unwrap()
            .pacific_clock(),
        "14:14:07 PST"
    );
    assert_eq!("yesterday".parse::<UtcMillis>(), Err(MomentRefused));
}

#[test]
fn the_end_of_the_calendar_stays_in_the_far_future() {
    let evening = TimeOfDay::new(14, 1).unwrap();
    for (day, time) in [(30, Some(evening)), (31, None), (31, Some(evening))] {
        let date = Date::new(9999, 12, day).unwrap();
        for moment in [UtcMillis::pacific(date, time), UtcMillis::pacific_end_of(date)] {
            assert_eq!(moment.in_pacific().0, Date::new(9999, 12, 30).unwrap());
            assert_eq!(moment.to_string(), "9999-12-30T22:00:00.000Z");
            assert_eq!(moment.to_string().parse::<UtcMillis>(), Ok(moment));
        }
    }
    assert!(UtcMillis(i64::MAX).to_string().starts_with("9999-"));
    assert!(UtcMillis(i64::MIN).to_string().starts_with("-009999-"));
}

proptest! {
    #[test]
    fn days_go_to_moments_and_back(date in arbitrary::date(), time in arbitrary::time()) {
        // The calendar ends in the afternoon of the day after this one.
        prop_assume!(date <= Date::new(9999, 12, 29).unwrap());
        let moment = UtcMillis::pacific(date, Some(time));
        let (day, minute) = moment.in_pacific();
        prop_assert_eq!(day, date);
        // Only the hour that spring takes away comes back as another.
        prop_assert!(minute == time || (date.month(), time.hour(), minute.hour()) == (3, 2, 3) || (date.month(), time.hour(), minute.hour()) == (4, 2, 3) || date.year() < 1970);
        prop_assert!(UtcMillis::pacific(date, None) <= moment && moment < UtcMillis::pacific_end_of(date));
        prop_assert_eq!(date.to_string().parse::<Date>(), Ok(date));
        prop_assert_eq!(PartialDate::from(date).whole(), Some(date));
        prop_assert_eq!(moment.to_string().parse::<UtcMillis>(), Ok(moment));
    }
}
