//! Courts, counties, forms and code tables.

use ccpor_domain::*;

#[test]
fn the_58_counties() {
    assert_eq!(COUNTIES.len(), 58);
    for (place, county) in (0u16..).zip(COUNTIES) {
        assert_eq!(county.fips, 2 * place + 1);
        assert_eq!(county.slug, county.name.to_lowercase().replace(' ', "-"));
        assert_eq!(CourtRef::find(county.name).unwrap().slug(), county.slug);
    }
    assert_eq!(County::by_slug("los-angeles").unwrap().fips_code(), "06037");
    assert_eq!(County::by_slug("yuba").unwrap().fips_code(), "06115");
}

#[test]
fn a_court_by_any_of_its_names() {
    for text in [
        "Los Angeles",
        "Los_Angeles",
        "los-angeles",
        "LOS ANGELES COUNTY",
        "Superior Court of California, County of Los Angeles",
        "court/los-angeles",
        "court/Los Angeles",
    ] {
        assert_eq!(
            CourtRef::find(text).unwrap().to_string(),
            "court/los-angeles",
            "{text}"
        );
    }
    for text in [
        "Yurok Tribal",
        "Yurok Tribal Court",
        "Yurok Tribe",
        "tribal/yurok",
    ] {
        let court = CourtRef::find(text).unwrap();
        assert_eq!(
            (court.to_string().as_str(), court.tribal()),
            ("tribal/yurok", true),
            "{text}"
        );
    }
    for text in [
        "",
        "Springfield",
        "Tribal Court",
        "court/",
        "court/-a",
        "Superior Court",
    ] {
        assert_eq!(CourtRef::find(text), None, "{text}");
    }
    assert_eq!("court/../x".parse::<CourtRef>(), Err(CourtRefRefused));
    assert_eq!(
        CourtRef::find("San Luis Obispo").unwrap().display_name(),
        "San Luis Obispo Superior Court"
    );
    assert_eq!(
        "tribal/hoopa-valley".parse::<CourtRef>().unwrap().display_name(),
        "Hoopa Valley Tribal Court"
    );
}

#[test]
fn a_form_by_any_of_its_names() {
    for text in [
        "DV-130",
        "dv-130",
        "DV130",
        "DV 130",
        "Form DV-130",
        "DV-130 DVRO",
        "DV-130 (CLETS-OAH)",
    ] {
        let form = Form::find(text).unwrap();
        assert_eq!(
            (form.number, form.family, form.stage),
            ("DV-130", Family::DomesticViolence, Stage::AfterHearing)
        );
    }
    for text in ["", "DV", "130", "DV-13", "DV-1300", "XX-110", "DVX-130"] {
        assert!(Form::find(text).is_none(), "{text}");
    }
    let order = Order {
        form: "ch-110 tro".into(),
        ..Order::default()
    };
    assert_eq!(order.title(), "TEMPORARY CIVIL HARASSMENT RESTRAINING ORDER");
    let stated = Order {
        form: "DV-600".into(),
        family: Family::Tribal,
        ..Order::default()
    };
    assert_eq!(
        (stated.resolved_family(), stated.nature()),
        (Family::Tribal, Nature::Foreign)
    );
}

#[test]
fn tables_hold_each_form_and_code_once() {
    for form in FORMS {
        assert_eq!(Form::find(form.number), Some(form));
        assert!(!form.source.is_empty());
    }
    for &table in CodeTable::ALL {
        for entry in table.entries() {
            assert_eq!(table.find(entry.code), Some(*entry));
            assert_eq!(table.find(&entry.words.to_uppercase()), Some(*entry));
            // A zero typed for an O once went into a table that others copied.
            let letters = entry.code.bytes().all(|byte| byte.is_ascii_uppercase());
            assert!(
                letters || entry.code.bytes().all(|byte| byte.is_ascii_digit()),
                "{}",
                entry.code
            );
        }
        assert!(table.entries().is_sorted_by_key(|entry| entry.code));
        assert_eq!(table.find("BR0"), None);
    }
    assert_eq!(CodeTable::Eye.find("bro").unwrap().words, "brown");
    assert!(CodeTable::ALL.iter().all(|table| !table.source().is_empty()));
    assert_eq!(
        (Sex::find("x"), Sex::find("female"), Sex::find("?")),
        (Some(Sex::Nonbinary), Some(Sex::Female), None)
    );
}

/// A changed line of a table is a change of what records mean: it is made on purpose, with this sum.
#[test]
fn the_code_tables_are_the_ones_that_were_checked() {
    let mut sum = blake3::Hasher::new();
    for table in CodeTable::ALL {
        for entry in table.entries() {
            let CodeEntry {
                code,
                words,
                effective,
                obsolete,
            } = entry;
            sum.update(format!("{table} {code} {words} {effective:?} {obsolete:?}\n").as_bytes());
        }
    }
    assert_eq!(
        sum.finalize().to_hex().as_str(),
        "fc28cf8f5ebf7a11f4c349132324f26c92c355e7dbcfd94a774dc7d0ca15374e"
    );
    let day = "2026-11-24".parse().unwrap();
    let eye = CodeTable::Eye.find("BRO").unwrap();
    assert!(eye.is_used_on(day));
    let gone = CodeEntry {
        obsolete: Some((2026, 11, 24)),
        ..eye
    };
    assert!(!gone.is_used_on(day));
}
