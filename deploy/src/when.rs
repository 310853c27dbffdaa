//! Moments as people in California read them, and moments as they type them; it never asks for the time of day.

use ccpor_domain::{Date, TimeOfDay, UtcMillis};

/// An age in milliseconds, short enough to say: `2 s`, `41 min`, `3 h 05`, `2 d 04 h`.
pub(crate) fn age(millis: u64) -> String {
    let seconds = millis / 1000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    if seconds < 60 {
        format!("{seconds} s")
    } else if minutes < 60 {
        format!("{minutes} min")
    } else if hours < 24 {
        format!("{hours} h {:02}", minutes % 60)
    } else {
        format!("{days} d {:02} h", hours % 24)
    }
}

/// The clock time in California, with the day before it when that is not the day of `today`: `02:14:07 PST`.
pub(crate) fn clock_time(moment: UtcMillis, today: Option<UtcMillis>) -> String {
    let day = moment.in_pacific().0;
    let clock = moment.pacific_clock();
    if today.is_some_and(|today| today.in_pacific().0 == day) {
        clock
    } else {
        format!("{day} {clock}")
    }
}

/// A moment of a message as people read it: `2026-10-02 15:15 PDT`. What is no moment is shown as it came, nothing as `-`.
pub(crate) fn read(moment: &str) -> String {
    if moment.is_empty() {
        return "-".to_owned();
    }
    let Ok(moment) = moment.parse::<UtcMillis>() else {
        return moment.to_owned();
    };
    let (day, time) = moment.in_pacific();
    let clock = moment.pacific_clock();
    let zone = clock.rsplit(' ').next().unwrap_or_default();
    format!("{day} {time} {zone}")
}

/// A moment as people type it: RFC 3339, or a day, or a day and a minute in California.
pub(crate) fn typed(text: &str) -> Result<String, String> {
    let shape = "expected 2026-03-01, \"2026-03-01 22:15\" (California) or 2026-03-02T06:15:00Z";
    let text = text.trim();
    if let Ok(moment) = text.parse::<UtcMillis>() {
        return Ok(moment.to_string());
    }
    let (day, time) = text
        .split_once([' ', 'T'])
        .map_or((text, None), |(day, time)| (day, Some(time)));
    let day: Date = day.parse().map_err(|_| shape)?;
    let time = time.map(str::parse::<TimeOfDay>).transpose().map_err(|_| shape)?;
    Ok(UtcMillis::pacific(day, time).to_string())
}

/// A span of time as people type it: `10`, `10s`, `500ms`, `2m`.
pub(crate) fn span(text: &str) -> Result<std::time::Duration, String> {
    let shape = "expected a number of seconds, or a number with ms, s or m: 10, 500ms, 2m";
    let (number, millis_each) = match text.trim() {
        text if text.ends_with("ms") => (text.trim_end_matches("ms"), 1),
        text if text.ends_with('s') => (text.trim_end_matches('s'), 1000),
        text if text.ends_with('m') => (text.trim_end_matches('m'), 60_000),
        text => (text, 1000),
    };
    let number: u64 = number.trim().parse().map_err(|_| shape)?;
    match number.checked_mul(millis_each) {
        Some(millis) if (1..=86_400_000).contains(&millis) => Ok(std::time::Duration::from_millis(millis)),
        _ => Err("expected a time between 1 ms and a day".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_short() {
        let shown = [0, 2_999, 60_000, 2_460_000, 11_100_000, 187_200_000].map(age);
        assert_eq!(shown, ["0 s", "2 s", "1 min", "41 min", "3 h 05", "2 d 04 h"]);
    }

    #[test]
    fn moments_are_read_in_california() {
        assert_eq!(read("2026-10-02T22:15:00.000Z"), "2026-10-02 15:15 PDT");
        assert_eq!(read("2026-12-02T22:15:00.000Z"), "2026-12-02 14:15 PST");
        assert_eq!([read(""), read("soon")], ["-", "soon"]);
        let moment: UtcMillis = "2026-12-02T10:14:07Z".parse().unwrap();
        let later: UtcMillis = "2026-12-03T10:14:07Z".parse().unwrap();
        assert_eq!(clock_time(moment, Some(moment)), "02:14:07 PST");
        assert_eq!(clock_time(moment, Some(later)), "2026-12-02 02:14:07 PST");
    }

    #[test]
    fn moments_are_typed_with_or_without_a_zone() {
        assert_eq!(typed("2026-03-02T06:15:00Z").unwrap(), "2026-03-02T06:15:00.000Z");
        assert_eq!(typed("2026-03-01 22:15").unwrap(), "2026-03-02T06:15:00.000Z");
        assert_eq!(typed("2026-03-01").unwrap(), "2026-03-01T08:00:00.000Z");
        assert!(
            ["", "yesterday", "2026-13-01", "2026-03-01 25:00"]
                .into_iter()
                .all(|text| typed(text).is_err())
        );
    }

    #[test]
    fn spans_have_bounds() {
        assert_eq!(span("10").unwrap().as_millis(), 10_000);
        assert_eq!(span("500ms").unwrap().as_millis(), 500);
        assert_eq!(span("2m").unwrap().as_millis(), 120_000);
        assert!(
            ["0", "", "s", "-1", "2d", "99999999999999999999m"]
                .into_iter()
                .all(|text| span(text).is_err())
        );
    }
}
