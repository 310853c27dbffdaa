//! Courts as people call them; it knows no court.

/// A court as it is called: `court/los-angeles` is `Los Angeles`.
pub(crate) fn called(court: &str) -> String {
    let name = court.split('/').nth(1).unwrap_or(court);
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        letters
            .next()
            .map(|first| first.to_uppercase().chain(letters).collect::<String>())
            .unwrap_or_default()
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::called;

    #[test]
    fn a_court_is_called_by_its_county_or_tribe() {
        assert_eq!(called("court/los-angeles"), "Los Angeles");
        assert_eq!(called("tribal/yurok"), "Yurok");
        assert_eq!(called("CA0010000"), "CA0010000");
    }
}
