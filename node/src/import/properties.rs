//! Properties of reading: nothing panics, nothing is both good and bad, good rows come back whole from both formats, and no
//! report repeats a value.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::feed::{Feed, Format, Found};
use super::fields::Findings;
use super::row::{House, Row, read};

const NAMES: &[&str] = &[
    "source_id",
    "order_id",
    "case_number",
    "case_no",
    "court",
    "court_name",
    "form",
    "order_type",
    "family",
    "stage",
    "issued",
    "issued_time",
    "effective",
    "expires",
    "expires_time",
    "hearing",
    "restrained",
    "protected",
    "terms",
    "conditions",
    "service",
    "served",
    "ended",
    "present_at_hearing",
    "brady",
    "foreign",
    "previous",
    "name",
    "first",
    "last",
    "dob",
    "sex",
    "race",
    "height_cm",
    "height_inches",
    "weight_kg",
    "aliases",
    "identifiers",
    "vehicles",
    "ssn_last4",
    "kind",
    "date",
    "time",
    "mode",
    "by",
    "value",
    "pco",
    "places",
    "distance_yards",
    "person",
    "role",
    "relationship",
    "slug",
    "tribal",
    "indicator",
    "year",
    "nonsense",
];

fn house() -> House {
    House {
        court: Some("court/alameda".parse().unwrap()),
        ..House::default()
    }
}

fn any_value() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        select(vec![
            "2026-01-31",
            "15:15",
            "never",
            "personal",
            "alameda",
            "DV-130",
            "M",
            "stay_away_100yd",
            "17",
            "DOE, JOHN"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 8, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((select(NAMES), inner), 0..8).prop_map(|fields| {
                Value::Object(
                    fields
                        .into_iter()
                        .map(|(name, value)| (name.to_owned(), value))
                        .collect(),
                )
            }),
        ]
    })
    .boxed()
}

fn any_object() -> BoxedStrategy<Map<String, Value>> {
    vec((select(NAMES), any_value()), 0..20)
        .prop_map(|fields| {
            fields
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect()
        })
        .boxed()
}

fn word() -> BoxedStrategy<String> {
    "[A-Za-z][A-Za-z ,;'\"-]{0,10}[a-z]".boxed()
}

fn day() -> BoxedStrategy<String> {
    (1950i32..2040, 1u32..=12, 1u32..=28)
        .prop_map(|(year, month, day)| format!("{year}-{month:02}-{day:02}"))
        .boxed()
}

/// A row as columns and cells, with nothing that only one of the formats can say.
fn any_cells() -> BoxedStrategy<Vec<(&'static str, String)>> {
    let core = (word(), word(), day(), word());
    let description = (
        option::of(day()),
        option::of(select(vec!["M", "F", "X"])),
        option::of(40u16..90),
        option::of(word()),
    );
    let rest = (
        option::of(day()),
        option::of(word()),
        option::of(day()),
        option::of(select(vec!["personal", "mail"])),
        option::of(word()),
    );
    (core, description, rest)
        .prop_map(
            |(
                (source, case, issued, last),
                (dob, sex, height, alias),
                (expires, protected, born, mode, text),
            )| {
                let mut cells = vec![
                    ("source_id", source),
                    ("case_number", case),
                    ("issued", issued),
                    ("restrained_last", last),
                ];
                let more = [
                    ("restrained_dob", dob),
                    ("restrained_sex", sex.map(str::to_owned)),
                    (
                        "restrained_height_inches",
                        height.map(|inches| inches.to_string()),
                    ),
                    ("alias1_first", alias),
                    ("expires", expires),
                    ("protected1_last", protected),
                    ("protected2_dob", born),
                    ("service1_mode", mode.map(str::to_owned)),
                    ("other_text", text),
                ];
                cells.extend(
                    more.into_iter()
                        .filter_map(|(name, cell)| cell.map(|cell| (name, cell))),
                );
                cells
            },
        )
        .boxed()
}

fn cell<'a>(cells: &'a [(&str, String)], name: &str) -> &'a str {
    cells
        .iter()
        .find(|(column, _)| *column == name)
        .map_or("", |(_, cell)| cell)
}

fn as_json(cells: &[(&str, String)]) -> String {
    let of = |name| cell(cells, name);
    let row = json!({
        "source_id": of("source_id"), "case_number": of("case_number"), "issued": of("issued"), "expires": of("expires"),
        "restrained": {"last": of("restrained_last"), "dob": of("restrained_dob"), "sex": of("restrained_sex"),
            "height_inches": of("restrained_height_inches").parse::<u16>().ok(), "aliases": [{"first": of("alias1_first")}]},
        "protected": [{"last": of("protected1_last")}, {"dob": of("protected2_dob")}],
        "service": (!of("service1_mode").is_empty()).then(|| json!([{"mode": of("service1_mode")}])),
        "other_text": of("other_text")});
    row.to_string()
}

fn as_csv(cells: &[(&str, String)]) -> String {
    let line = |fields: Vec<&str>| {
        let quoted: Vec<String> = fields
            .iter()
            .map(|field| format!("\"{}\"", field.replace('"', "\"\"")))
            .collect();
        quoted.join(",")
    };
    let names = line(cells.iter().map(|(name, _)| *name).collect());
    let cells = line(cells.iter().map(|(_, cell)| cell.as_str()).collect());
    format!("{names}\r\n{cells}\r\n")
}

fn only_row(text: &str, format: Format) -> Row {
    let mut feed = Feed::open(text.as_bytes(), format, house()).unwrap();
    let Found { row, .. } = feed.next().unwrap().unwrap();
    assert!(feed.next().unwrap().is_none());
    *row.unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_row_is_good_or_has_faults(object in any_object()) {
        let mut findings = Findings::default();
        let row = read(object, &house(), &mut findings);
        prop_assert_eq!(row.is_some(), findings.faults.is_empty());
        prop_assert!(row.is_none_or(|row| ccpor_domain::legal_core(&row.order).is_ok()));
    }

    #[test]
    fn any_bytes_are_read_to_their_end(bytes in vec(prop_oneof![any::<u8>(), select(b"\n\r\",{}:[]".to_vec())], 0..400), csv in any::<bool>()) {
        let header: &[u8] = if csv { b"source_id,case_number,issued,restrained_last\n" } else { b"" };
        let format = if csv { Format::Csv } else { Format::Ndjson };
        let input = [header, &bytes].concat();
        let mut feed = Feed::open(&input[..], format, house()).unwrap();
        let mut last = 0;
        while let Ok(Some(found)) = feed.next() {
            prop_assert!(found.line > last);
            last = found.line;
        }
        let _either_way = Feed::open(&bytes[..], Format::Csv, house());
    }

    #[test]
    fn both_formats_say_the_same(cells in any_cells()) {
        let row = only_row(&as_json(&cells), Format::Ndjson);
        prop_assert_eq!(cell(&cells, "source_id").trim(), &row.source_id);
        prop_assert_eq!(cell(&cells, "restrained_last").trim(), &row.order.restrained.name.last);
        let dob = row.order.restrained.dob.map(|date| date.to_string()).unwrap_or_default();
        prop_assert_eq!(cell(&cells, "restrained_dob"), dob);
        let csv = only_row(&as_csv(&cells), Format::Csv);
        prop_assert_eq!(csv.order, row.order);
        prop_assert_eq!(csv.services, row.services);
    }

    #[test]
    fn no_fault_repeats_a_value(object in any_object(), place in 0usize..20, secret in "ZZ[A-Z]{6}ZZ") {
        let mut object = object;
        if let Some(value) = object.values_mut().nth(place) {
            *value = json!({"first": secret, "dob": secret, "kind": [secret], "mode": secret, "date": secret, "sex": secret});
        }
        for value in object.values_mut().filter(|value| value.is_string()) {
            *value = Value::from(secret.as_str());
        }
        let mut findings = Findings::default();
        read(object, &house(), &mut findings);
        for fault in &findings.faults {
            prop_assert!(!fault.reason.to_string().contains(&secret) && !fault.field.contains(&secret));
        }
    }
}
