//! What must hold for any bytes whatever: shared by the tests here and by the fuzz targets in `fuzz/`.

use std::sync::LazyLock;

use ccpor_matching::{Card, CardPerson, Index, Limits, NameParts, PartialDate, Query, Role};

/// Some people with names that are easily taken for one another.
static TOWN: LazyLock<Index> = LazyLock::new(|| {
    let names = [
        ("JOSE", "", "GARCIA LOPEZ"),
        ("MARÍA JOSÉ", "DEL CARMEN", "DE LA CRUZ-NUÑEZ"),
        ("O'NEIL", "", "O'BRIEN"),
        ("李", "", "王"),
        ("JOSE", "L", "GARCIA"),
        ("NGUYỄN", "VĂN", "TRẦN"),
    ];
    Index::build(names.iter().zip(0..).map(|((first, middle, last), order)| Card {
        order,
        persons: vec![CardPerson {
            role: Role::Restrained,
            names: vec![NameParts {
                first: (*first).into(),
                middle: (*middle).into(),
                last: (*last).into(),
                ..NameParts::default()
            }],
            dob: vec![PartialDate {
                year: 1985,
                month: Some(3),
                day: Some(12),
            }],
            sex: None,
            ids: Vec::new(),
        }],
        numbers: Vec::new(),
    }))
});

/// A dispatcher's line: read or refused in words, never longer than what was said, and asked without harm.
pub(crate) fn line(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match Query::parse_line(&text) {
        Ok(query) => {
            assert!(
                !query.understood().to_string().is_empty(),
                "what was understood is told back"
            );
            answer(&query);
        }
        Err(error) => {
            let words = error.to_string();
            assert!(!words.is_empty() && words.len() < 300, "a refusal is a sentence");
        }
    }
}

/// Names and a person in any bytes: fields are cut at zero bytes. The person is found under the very name that was put in, or
/// has no letters to be found by.
pub(crate) fn find(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut fields = text.split('\0');
    let mut field = || fields.next().unwrap_or_default().to_owned();
    let name = NameParts {
        last: field(),
        first: field(),
        middle: field(),
        suffix: field(),
    };
    let asked = Query {
        last: field(),
        first: field(),
        middle: field(),
        suffix: field(),
        ..Query::default()
    };
    answer(&asked);
    let born = PartialDate {
        year: 1990,
        month: Some(1),
        day: Some(2),
    };
    let card = Card {
        order: 7,
        persons: vec![CardPerson {
            role: Role::Protected,
            names: vec![name.clone()],
            dob: vec![born],
            sex: None,
            ids: Vec::new(),
        }],
        numbers: Vec::new(),
    };
    let mut index = Index::build([card.clone()]);
    let empty = Index::new().digest();
    let own = Query {
        last: name.last,
        first: name.first,
        middle: name.middle,
        suffix: name.suffix,
        dob: Some(ccpor_matching::Born::On(born)),
        ..Query::default()
    };
    let hits = index.lookup(&own, &Limits::default());
    let (searchable, long) = (
        index.measure().names > 0,
        own.last.len() + own.first.len() + own.middle.len() > 200,
    );
    assert!(
        !searchable || long || hits.len() == 1,
        "who is listed is found under the same name"
    );
    index.remove(7);
    assert!(index.digest() == empty, "who is taken out leaves nothing behind");
}

fn answer(query: &Query) {
    let hits = TOWN.lookup(query, &Limits::default());
    assert!(hits.len() <= query.limit);
    let mut before = f32::INFINITY;
    for hit in &hits {
        assert!(hit.score.is_finite() && (0.0..=1.0).contains(&hit.score) && hit.score <= before);
        assert!(hit.why.iter().all(|reason| !reason.to_string().is_empty()));
        before = hit.score;
    }
}
