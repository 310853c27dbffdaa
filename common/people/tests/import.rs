//! Files of accounts: what is judged good is made, once, and nothing else is.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers as well"
)]

use std::collections::BTreeSet;

use ccpor_access::Role;
use ccpor_people::import::{self, FileRefused, LineRefused};
use ccpor_people::{AddRefused, Book, NewAccount, SecondFactor, hash};
use proptest::prelude::*;

const NOW: i64 = 1_790_000_000_000;
const COURT: Option<&str> = Some("court/alameda");
const HEADING: &str = "name,full_name,role,of\n";

fn book() -> Book {
    let mut book = Book::default();
    let new = NewAccount {
        name: "admin".into(),
        full_name: String::new(),
        role: Role::Administrator,
        of: String::new(),
    };
    book.add(new, NOW).unwrap();
    book
}

#[test]
fn each_account_that_is_made_is_set_up_with_its_own_code_and_refused_lines_keep_none_from_being_made() {
    let mut book = book();
    let csv = format!(
        "{HEADING}jlee,Jin Lee,judge,\nADMIN,Another,court,\nmnunez,\"Núñez, María\",Court,court/alameda\n"
    );
    let made = import::make(csv.as_bytes(), &mut book, COURT, NOW).unwrap();
    let refused: Vec<_> = made.iter().filter(|(_, code)| code.is_none()).collect();
    assert_eq!(refused.len(), 1);
    assert_eq!((refused[0].0.number, refused[0].0.name.as_str()), (3, "ADMIN"));
    assert_eq!(book.find("mnunez").unwrap().full_name, "Núñez, María");
    let codes: Vec<_> = made.iter().filter_map(|(_, code)| code.as_ref()).collect();
    let password = || {
        let text = ccpor_people::Secret::new("four quiet yellow boats".into());
        hash(&text, "jlee", &Default::default()).unwrap()
    };
    let (factor, _) = SecondFactor::generate().unwrap();
    let mut set_up = |code: usize| {
        book.set_up("jlee", codes[code].reveal(), password(), factor.clone(), NOW)
            .is_ok()
    };
    assert!(!set_up(1), "the code is another account's");
    assert!(set_up(0));
    // The same file once more finds every name in use.
    let again = import::make(csv.as_bytes(), &mut book, COURT, NOW + 1).unwrap();
    assert!(
        again
            .iter()
            .all(|(line, code)| code.is_none() && line.account.is_err())
    );
    assert_eq!(book.accounts().count(), 3);
}

#[test]
fn a_file_of_another_encoding_is_refused_by_its_line_and_the_mark_of_utf_8_is_no_letter_of_the_heading() {
    let read = |csv: &[u8]| import::read(csv, &book(), COURT, NOW);
    let latin = [
        HEADING.as_bytes(),
        b"jlee,Jin Lee,judge,\nmnunez,N\xfa\xf1ez,court,\n",
    ]
    .concat();
    assert_eq!(read(&latin), Err(FileRefused::NotText(3)));
    assert_eq!(read(b"\xff\xfen\0a\0m\0e\0"), Err(FileRefused::NotText(1)));
    let marked = [b"\xef\xbb\xbf", HEADING.as_bytes(), b"jlee,Jin Lee,judge,\r\n"].concat();
    assert!(read(&marked).unwrap()[0].account.is_ok());
    for other in [
        "",
        "name;full_name;role;of\n",
        "name,role\n",
        "full_name,name,role,of\n",
    ] {
        assert_eq!(read(other.as_bytes()), Err(FileRefused::Heading), "{other}");
    }
    assert_eq!(read(HEADING.as_bytes()), Ok(Vec::new()));
}

#[test]
fn a_name_that_is_a_formula_or_cannot_be_printed_and_a_court_elsewhere_are_refused() {
    let judged = |line: &str| {
        let csv = format!("{HEADING}{line}\n");
        let lines = import::read(csv.as_bytes(), &book(), COURT, NOW).unwrap();
        lines[0].account.clone()
    };
    assert_eq!(judged("x.lee,=HYPERLINK(1),court,"), Err(LineRefused::Formula));
    assert_eq!(judged("x.lee,Jin\u{7}Lee,court,"), Err(LineRefused::FullName));
    let long = format!("x.lee,{},court,", "é".repeat(201));
    assert_eq!(judged(&long), Err(LineRefused::FullName));
    assert!(judged(&format!("x.lee,{},court,", "é".repeat(200))).is_ok());
    assert!(matches!(
        judged("x.lee,Lee,court,court/kern"),
        Err(LineRefused::OtherCourt { .. })
    ));
    let agency = |of: &str| judged(&format!("x.lee,Lee,lea-query,{of}"));
    assert_eq!(agency("CA0010000").unwrap().of, "CA0010000");
    assert!(matches!(
        agency(""),
        Err(LineRefused::Refused(AddRefused::NoAgency(_)))
    ));
    assert_eq!(judged("x.lee,Lee"), Err(LineRefused::Malformed));
    assert_eq!(judged("x.lee,Lee,court,,more"), Err(LineRefused::Malformed));
}

proptest! {
    /// Whatever stands in a file, exactly what was judged good is made, no name twice.
    #[test]
    fn what_is_judged_good_is_made_and_nothing_else(
        lines in prop::collection::vec(
            ("[a-cA-C]{2,4}|admin", "[ -~é]{0,6}", "court|auditor|lea-query|chief", "|court/alameda|court/kern|CA0010000"),
            0..20,
        ),
    ) {
        let mut csv = HEADING.to_owned();
        for (name, full_name, role, of) in &lines {
            csv.push_str(&format!("{name},\"{}\",{role},{of}\n", full_name.replace('"', "")));
        }
        let mut book = book();
        let judged = import::read(csv.as_bytes(), &book, COURT, NOW).unwrap();
        prop_assert_eq!(judged.len(), lines.len());
        let good: Vec<String> = judged.iter().filter_map(|line| line.account.as_ref().ok()).map(|new| new.name.clone()).collect();
        let made = import::make(csv.as_bytes(), &mut book, COURT, NOW).unwrap();
        let with_code: Vec<&str> = made.iter().filter(|(_, code)| code.is_some()).map(|(line, _)| line.account.as_ref().unwrap().name.as_str()).collect();
        prop_assert_eq!(&with_code, &good);
        prop_assert_eq!(good.iter().collect::<BTreeSet<_>>().len(), good.len());
        prop_assert_eq!(book.accounts().count(), good.len() + 1);
    }
}
