//! What writes: filing, amending, service, ending, images.

use crate::office::Office;

const ORDER: &str = "7K3M-99QD-0TB2-X";

#[test]
fn an_order_is_filed_and_the_same_key_asks_again() {
    let office = Office::open();
    let order = office.path("order.json");
    std::fs::write(&order, "{\"case_number\": \"A-1\"}").unwrap();
    let filed = office.run(&[
        "order",
        "file",
        order.to_str().unwrap(),
        "--key",
        "key-of-this-act",
    ]);
    assert!(
        filed
            .data
            .starts_with("DONE        filed\nORDER       7K3M-99QD-0TB2-X"),
        "{}",
        filed.data
    );
    assert_eq!((filed.code, filed.talk.as_str()), (0, ""));
    let again = office.run_with(
        &["order", "file", "-", "--key", "key-of-this-act"],
        "{\"case_number\": \"A-1\"}",
    );
    assert!(
        again.data.contains("by an earlier call with the same key"),
        "{}",
        again.data
    );
}

#[test]
fn the_key_is_told_only_when_the_act_may_have_been_done() {
    let office = Office::open();
    let file = |case: &str| {
        office.run_with(
            &["order", "file", "-", "-q"],
            &format!("{{\"case_number\": \"{case}\"}}"),
        )
    };
    let lost = file("LOST");
    assert_eq!(lost.code, 7);
    let key = lost
        .talk
        .split("--key ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next())
        .unwrap();
    assert_eq!(key.len(), 32, "{}", lost.talk);
    for (case, code) in [("TWICE", 5), ("FULL", 1)] {
        let refused = file(case);
        assert_eq!(refused.code, code);
        assert!(!refused.talk.contains("--key"), "{}", refused.talk);
    }
}

#[test]
fn amendment_service_and_ending_say_what_was_done() {
    let office = Office::open();
    let amend = |version: &str| {
        let arguments = [
            "order",
            "amend",
            ORDER,
            "-",
            "--reason",
            "typing error",
            "--expected-version",
            version,
        ];
        office.run_with(&arguments, "{\"case_number\": \"A-1\"}")
    };
    assert_eq!((amend("1").code, amend("9").code), (0, 5));
    let served = office.run(&[
        "order",
        "serve",
        ORDER,
        "--mode",
        "failed-attempt",
        "--date",
        "2026-10-01",
        "--agency-ori",
        "CA0150100",
    ]);
    assert!(
        served.data.starts_with("DONE        service recorded"),
        "{} {}",
        served.data,
        served.talk
    );
    let ended = office.run(&[
        "order",
        "end",
        ORDER,
        "--how",
        "cancelled",
        "--reason",
        "entered twice",
    ]);
    assert_eq!(ended.code, 4, "{}", ended.talk);
}

#[test]
fn an_image_goes_and_comes_back_whole_or_not_at_all() {
    let office = Office::open();
    let (paper, back) = (office.path("paper.pdf"), office.path("back.pdf"));
    let bytes = b"signed paper ".repeat(20_000);
    std::fs::write(&paper, &bytes).unwrap();
    let put = office.run(&[
        "image",
        "put",
        ORDER,
        paper.to_str().unwrap(),
        "--title",
        "DV-130, signed",
        "--json",
    ]);
    let document: serde_json::Value = serde_json::from_str(&put.data).unwrap();
    let blake3 = document["image"]["blake3"].as_str().unwrap();
    assert_eq!(document["image"]["title"], "DV-130, signed");
    let get = |force: &[&str]| {
        office.run(&[&["image", "get", blake3, "-o", back.to_str().unwrap()], force].concat())
    };
    assert_eq!(get(&[]).code, 0);
    assert_eq!(std::fs::read(&back).unwrap(), bytes);
    assert_eq!((get(&[]).code, get(&["--force"]).code), (5, 0));
    let piped = office.command(&["image", "get", blake3]).output().unwrap();
    assert_eq!(piped.stdout, bytes);
    assert_eq!(office.run(&["image", "get", &"0".repeat(64)]).code, 3);
}

#[test]
fn a_damaged_image_is_not_kept() {
    let office = Office::open();
    let (paper, back) = (office.path("paper.pdf"), office.path("back.pdf"));
    std::fs::write(&paper, "damaged on the way").unwrap();
    assert_eq!(
        office.run(&["image", "put", ORDER, paper.to_str().unwrap()]).code,
        0
    );
    let blake3 = blake3::hash(b"damaged on the way").to_hex().to_string();
    let before = std::fs::read_dir(office.path("")).unwrap().count();
    let get = office.run(&["image", "get", &blake3, "-o", back.to_str().unwrap()]);
    assert_eq!(get.code, 8, "{}", get.talk);
    assert_eq!(std::fs::read_dir(office.path("")).unwrap().count(), before);
    let piped = office.run(&["image", "get", &blake3]);
    assert_eq!((piped.code, piped.data.as_str()), (8, ""));
}
