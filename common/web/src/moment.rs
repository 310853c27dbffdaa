//! Moments and ages as people in California read them.

use ccpor_domain::UtcMillis;

/// `2 s`, `41 min`, `3 h 05`, `2 d 04 h`.
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

/// `02:14:07 PST`, with its day before it when that is not the day of `today`. What is no moment is shown as it came.
pub(crate) fn clock(moment: &str, today: &str) -> String {
    let Ok(at) = moment.parse::<UtcMillis>() else {
        return moment.to_owned();
    };
    let day = at.in_pacific().0;
    let same_day = today
        .parse::<UtcMillis>()
        .is_ok_and(|today| today.in_pacific().0 == day);
    if same_day {
        at.pacific_clock()
    } else {
        format!("{day} {}", at.pacific_clock())
    }
}

/// `2026-10-02 15:15:09 PDT`.
pub(crate) fn whole(moment: &str) -> String {
    clock(moment, "")
}

/// Milliseconds from one moment to another; none when one of them is no moment.
pub(crate) fn between(from: &str, to: &str) -> Option<u64> {
    let (from, to) = (from.parse::<UtcMillis>().ok()?, to.parse::<UtcMillis>().ok()?);
    u64::try_from(to.0 - from.0).ok()
}

/// Milliseconds from a moment until now, none when it is no moment; one to come is now.
pub(crate) fn since(moment: &str) -> Option<u64> {
    let then = moment.parse::<UtcMillis>().ok()?;
    let now = millis_now()?;
    Some(u64::try_from(now.saturating_sub(then.0)).unwrap_or(0))
}

/// Whole days from now to a moment; none when it is no moment or past.
pub(crate) fn days_until(moment: &str) -> Option<u64> {
    let at = moment.parse::<UtcMillis>().ok()?;
    u64::try_from(at.0 - millis_now()?)
        .ok()
        .map(|millis| millis / 86_400_000)
}

/// Now, in milliseconds since 1970; none on a machine whose clock is before that.
pub(crate) fn millis_now() -> Option<i64> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.ok()?.as_millis()).ok()
}

/// The day and the minute in California now, as the fields of a form take them.
pub(crate) fn now() -> (String, String) {
    let (day, time) = UtcMillis(millis_now().unwrap_or(0)).in_pacific();
    (day.to_string(), time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_california_and_ages_are_short() {
        assert_eq!(whole("2026-10-02T22:15:09.000Z"), "2026-10-02 15:15:09 PDT");
        assert_eq!(
            clock("2026-12-02T10:14:07.000Z", "2026-12-02T10:14:09.000Z"),
            "02:14:07 PST"
        );
        assert_eq!([whole(""), whole("soon")], ["", "soon"]);
        assert_eq!(
            [age(2_999), age(2_460_000), age(11_100_000)],
            ["2 s", "41 min", "3 h 05"]
        );
        assert_eq!(
            between("2026-12-02T10:14:07.000Z", "2026-12-02T10:14:09.500Z"),
            Some(2_500)
        );
    }
}
