//! A node that comes back long after its certificate ended: it says for whose word it waits, the operators of the registry see who waits,
//! and with their approval it serves again.

use ccpor_certs::{Clock, Moment};
use ccpor_tests::lone::{Lone, Realm};
use ccpor_tests::program::{Ended, Program};
use ccpor_tests::world::{Outcome, connect, file, heads, lookup, order, until};

const NODE: &str = "court/alameda/node/1";
const DAY: i64 = 86_400;
/// Longer than the thirty days of a certificate and the thirty after them, shorter than the ninety after them.
const AWAY: i64 = 75;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_away_for_long_renews_when_an_operator_approves() -> Outcome<()> {
    let now = Clock::machine().now();
    let clock = Clock::standing_at(Moment(now.0 - AWAY * DAY));
    let realm = Realm::new(clock.clone())?;
    let old = realm.issue(NODE, &[])?;
    clock.set(now);
    let (operator, court) = (
        realm.issue("operator/test", &[])?,
        realm.issue("system/alameda-test", &[])?,
    );
    let authority = realm.path("authority");
    let mut hub = realm.hub_with(1, &format!("authority = {authority:?}\n"))?;
    let statewide = connect(&court, hub.start().await?).await?;
    let at = authority.display().to_string();
    let certs = async |verb: &str, whom: Option<&str>| -> Outcome<Ended> {
        let program = Program::ccpor()?.args(["certs", verb, "--authority", &at]);
        program.args(whom).run().await
    };
    certs("revoked", None).await?.said(0, &["Nobody is revoked"]);

    let ready = hub.daemon()?.ready();
    let (nodes, enrolment) = (ready.nodes.ok_or("a hub")?, ready.enrolment.ok_or("it enrols")?);
    let link = format!("[hub]\naddress = \"{nodes}\"\nenrolment_address = \"{enrolment}\"\n");
    // A hub that has just started issues nothing before some node has told it which revocation list it has.
    let mut witness = realm.node("yolo", &link)?;
    witness.start().await?;
    until("the hub hears another node", || async {
        let known = heads(&statewide.list_courts().await?);
        Ok(known.contains_key("court/yolo/node/1").then_some(()))
    })
    .await?;
    let mut node = Lone::node(&realm.path("alameda"), old.path(), &link)?;
    let address = node.start().await?;
    until("the node says for whose word it waits", || async {
        let asked = format!("ask for `ccpor certs approve {NODE}` there");
        Ok(node.log().contains(&asked).then_some(()))
    })
    .await?;
    assert!(
        connect(&operator, address).await.is_err(),
        "whose certificate is over is believed by nobody"
    );
    let waits = format!("{NODE} waits since");
    certs("revoked", None)
        .await?
        .said(0, &[&waits, "ccpor certs approve"]);

    certs("approve", Some(NODE)).await?.said(0, &["may renew until"]);
    node.stop().await;
    // It tries at once when it is started.
    let address = node.start().await?;
    let client = until("the node has a new certificate", || async {
        Ok(Some(connect(&operator, address).await?))
    })
    .await?;
    let checks = client.status().await?.checks;
    let certificate = checks.iter().find(|check| check.name == "certificate");
    let certificate = certificate.ok_or("no check of the certificate")?;
    let whole = ["29 days left", "30 days left"];
    assert!(
        certificate.ok && whole.contains(&certificate.words.as_str()),
        "{certificate:?}"
    );
    file(
        &connect(&court, address).await?,
        "late-renewal-1",
        order("DOE", "JANE", "HF26-1"),
    )
    .await?;
    until("the hub holds its order", || async {
        Ok((lookup(&statewide, "DOE", "JANE").await?.hits.len() == 1).then_some(()))
    })
    .await?;
    let nobody = certs("revoked", None).await?;
    assert!(!nobody.text().contains("waits since"), "{nobody:?}");
    node.stop().await;
    witness.stop().await;
    hub.stop().await;
    Ok(())
}
