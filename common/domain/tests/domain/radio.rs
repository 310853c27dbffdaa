//! The dispatch block, letter by letter.

use ccpor_domain::*;

use crate::sample::{self, moment};

#[test]
fn a_served_order() {
    let mut state = OrderState::start(sample::filed());
    state
        .apply(&sample::served(2, "2026-10-03T05:20:00Z", sample::service()))
        .unwrap();
    state.apply(&sample::attached(3)).unwrap();
    let expected = format!(
        "\
1/2 ACTIVE  DV RESTRAINING ORDER AFTER HEARING  RP: DOE, JOHN Q JR  DOB 1985-03-12 M W 6'01 190
    PP: DOE, JANE +2   NO CONTACT · STAY AWAY 100 YDS · MOVE-OUT · NO FIREARMS
    SERVED 2026-10-02 KERN SO   EXPIRES 2029-10-01   KERN SUPERIOR COURT CASE BFL-26-001234  TEL 661-555-0100  REG {}  IMAGE: YES
    CAUTION: ARMED AND DANGEROUS · SUICIDAL",
        sample::order_id().registry_number()
    );
    assert_eq!(
        radio_block(
            &state,
            &standing(&state, moment("2026-10-05T00:00:00Z"), &Calendars::default()),
            1,
            2
        ),
        expected
    );
}

#[test]
fn an_order_of_which_little_is_known() {
    let order = Order {
        form: "EPO-001".into(),
        issued: Some(sample::date("2026-10-01")),
        ..Order::default()
    };
    let state = OrderState::start(Filed {
        order,
        ..sample::filed()
    });
    let expected = format!(
        "\
1/1 ACTIVE  EMERGENCY PROTECTIVE ORDER  RP: NAME NOT STATED  DOB NOT STATED U
    PP: NONE NAMED   TERMS NOT RECORDED, SEE IMAGE
    NOT SERVED   EXPIRES 2026-10-08 17:00 (5TH COURT DAY FROM ISSUE)   COURT NOT STATED CASE NOT STATED  REG {}  IMAGE: NO",
        sample::order_id().registry_number()
    );
    assert_eq!(
        radio_block(
            &state,
            &standing(&state, moment("2026-10-02T00:00:00Z"), &Calendars::default()),
            1,
            1
        ),
        expected
    );
}

#[test]
fn no_record_changes_the_shape_of_the_block() {
    let mut order = sample::order();
    order.restrained.name = Name::new("John\n2/2 ACTIVE\u{1b}[2J", "Doe\u{202e}");
    order.court.name = "X".repeat(500);
    order.protected[0].minor_confidential = true;
    let state = OrderState::start(Filed {
        order,
        ..sample::filed()
    });
    let block = radio_block(
        &state,
        &standing(&state, moment("2026-10-05T00:00:00Z"), &Calendars::default()),
        1,
        1,
    );
    assert!(block.contains("RP: DOE , JOHN 2/2 ACTIVE [2J  DOB"), "{block}");
    assert!(block.contains("PP: CONFIDENTIAL MINOR +2"));
    assert!(!block.contains("JANE"));
    assert!(block.contains(&("X".repeat(79) + "… CASE")));
    assert_eq!(block.lines().count(), 4);
}

#[test]
fn texts_of_the_record_are_cut_and_printed_on_one_line() {
    let mut order = sample::filed().order;
    order.restrained.race = vec![String::new(), "w".into(), " ".into(), "h".into()];
    order.case_number = "ß\u{202e}".repeat(60);
    let state = OrderState::start(Filed {
        order,
        ..sample::filed()
    });
    let at = moment("2026-10-02T00:00:00Z");
    let block = radio_block(&state, &standing(&state, at, &Calendars::default()), 1, 1);
    assert!(block.contains(" M W/H 6'01 "), "{block}");
    let case = block
        .split(" CASE ")
        .nth(1)
        .unwrap()
        .split("  TEL")
        .next()
        .unwrap();
    assert_eq!(case.chars().count(), 80);
    assert!(case.starts_with("SS SS ") && case.ends_with("S…"), "{case}");
}
