//! What a person is offered to do with an order. Only what the table of rights may allow is offered; whether it is allowed is decided
//! when it is done.

use ccpor_api::convert;
use ccpor_api::message::OrderAnswer;
use ccpor_domain::Stage;

use crate::act::Act;
use crate::session::Session;
use crate::task::Kind;
use crate::words::Words;

/// The acts of the own court's staff on an order: address below the order's, or whole, and words.
pub(crate) fn actions(session: &Session, answer: &OrderAnswer, w: &Words) -> Vec<(String, &'static str)> {
    let number = &answer.registry_number;
    let desk = session.desk;
    let own = session.of == answer.court;
    let current = answer.ending.is_none();
    let mut all = Vec::new();
    let mut add = |offered: bool, path: String, words: &'static str| {
        if offered {
            all.push((path, words));
        }
    };
    let on = |path: &str| format!("/orders/{number}/{path}");
    add(own && desk.modify, on(Kind::Amend.path()), w.amend_title);
    let stage = stage(answer);
    let follows = own && desk.entry && current;
    let temporary = matches!(stage, Some(Stage::Temporary | Stage::Continued));
    let heard = matches!(
        stage,
        Some(Stage::AfterHearing | Stage::Renewed | Stage::Modified)
    );
    add(follows && temporary, on(Kind::Continue.path()), w.continue_title);
    add(follows && heard, on(Kind::Renew.path()), w.renew_title);
    add(follows, on(Kind::Replace.path()), w.replace_title);
    add(desk.entry, format!("/entry?copy={number}"), w.copy_title);
    for (offered, act) in [
        (own && desk.end && current, Act::End),
        (own && desk.end && current, Act::Cancel),
        (own && desk.seal && answer.sealed.is_none(), Act::Seal),
        (own && desk.seal && answer.sealed.is_some(), Act::Unseal),
    ] {
        add(offered, on(act.path()), act.words(w).0);
    }
    all
}

/// How far the order has come, as its form says it where it does not say it itself.
fn stage(answer: &OrderAnswer) -> Option<Stage> {
    let order = convert::order_from("order", answer.order.as_ref()?).ok()?;
    Some(order.resolved_stage())
}
