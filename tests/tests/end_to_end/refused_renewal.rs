//! A node whose certificate the hub does not renew: it says so where an operator looks, with what to do and the days that are left, does
//! not storm the hub, and renews by itself when the reason is gone.

use std::path::Path;
use std::time::{Duration, Instant};

use ccpor_api::message::Check;
use ccpor_audit::{Archive, Outcome, Search};
use ccpor_certs::renewal::pause;
use ccpor_certs::{Clock, IdentityDir, Moment};
use ccpor_tests::lone::Realm;
use ccpor_tests::program::{Ended, Program};
use ccpor_tests::rest::Rest;
use ccpor_tests::stand::add;
use ccpor_tests::visitor::Visitor;
use ccpor_tests::world::{Outcome as Done, connect, until};

const NODE: &str = "court/alameda/node/1";
/// Of thirty: the renewal is overdue, and the certificate still counts.
const DAYS_AGO: i64 = 25;

/// How often the hub refused to renew the node's certificate, as its trail says.
fn refusals(trail: &Path) -> Done<u32> {
    let found = Archive::open(trail)?.search(&Search::default())?;
    let refused = Outcome::Refused("enrolment-revoked".into());
    let meant = found
        .iter()
        .filter(|found| found.act.outcome == refused && found.act.by.identity == NODE);
    Ok(meant.map(|found| found.act.times).sum())
}

/// The shortest time in which so many attempts may be made.
fn shortest(attempts: u32) -> Duration {
    (1..attempts).map(|failures| pause(failures, 0.0)).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_renewal_is_told_where_operators_look_until_the_reason_is_gone() -> Done<()> {
    let realm = Realm::new(Clock::standing_at(Moment(
        Clock::machine().now().0 - DAYS_AGO * 86_400,
    )))?;
    let authority = realm.path("authority");
    let mut hub = realm.hub_with(1, &format!("authority = {authority:?}\n"))?;
    let at = authority.display().to_string();
    let certs = async |verb: &str| -> Done<Ended> {
        let program = Program::ccpor()?.args(["certs", verb, "--authority", &at, NODE]);
        let reason = (verb == "suspend").then_some(["--reason", "laptop missing"]);
        program.args(reason.into_iter().flatten()).run().await
    };
    // Before the hub runs: it knows the list when it first answers, so the node is kept out and never hears the list itself.
    certs("suspend").await?.said(0, &["suspended"]);
    hub.start().await?;
    let ready = hub.daemon()?.ready();
    let (nodes, enrolment) = (ready.nodes.ok_or("a hub")?, ready.enrolment.ok_or("it enrols")?);
    let link = format!("[hub]\naddress = \"{nodes}\"\nenrolment_address = \"{enrolment}\"\n");
    let mut node = realm.node("alameda", &link)?;
    // With the clock of today, unlike the authority here.
    let operator = IdentityDir::open(realm.issue("operator/test", &[])?.path())?;
    let began = Instant::now();
    let address = node.start().await?;
    let client = connect(&operator, address).await?;
    let certificate = async || -> Done<Check> {
        let checks = client.status().await?.checks;
        let found = checks.into_iter().find(|check| check.name == "certificate");
        Ok(found.ok_or("no check of the certificate")?)
    };
    // The second attempt comes by itself, and not at once.
    let check = until("the renewal was refused twice", || async {
        let check = certificate().await?;
        Ok(check.words.contains("2 attempts").then_some(check))
    })
    .await?;
    assert!(
        check.ok && check.notice,
        "until its end the certificate serves: {check:?}"
    );
    let told = ["4 days left; not renewed in 2 attempts since", "can resume it"];
    for words in told {
        assert!(check.words.contains(words), "{words}: {}", check.words);
    }
    let status = || -> Done<Program> { Ok(Program::ask(&operator, address)?.args(["status"])) };
    status()?.run().await?.said(
        6,
        &[
            "WARN       certificate: 4 days left; not renewed",
            "can resume it",
        ],
    );
    let rest = Rest::of(&operator, address)?;
    let health = rest.get("/readyz").await?;
    assert_eq!(health.status, 200, "it is ready all the same");
    let health = String::from_utf8_lossy(&health.body).into_owned();
    assert!(
        health.contains("[!] certificate 4 days left; not renewed"),
        "{health}"
    );
    let figures = rest.get("/metrics").await?;
    let figures = String::from_utf8_lossy(&figures.body).into_owned();
    for figure in [
        "ccpor_check_ok{check=\"certificate\"} 1.0",
        "ccpor_check_notice{check=\"certificate\"} 1.0",
    ] {
        assert!(figures.contains(figure), "{figure}: {figures}");
    }
    let mut person = add(&node.settings(), &operator, address, "olga", "operator", true).await?;
    let code = person.codes.remove(0);
    let credentials = (person.name.as_str(), person.password.as_str(), code.as_str());
    let mut visitor = Visitor::log_on(&operator, address, credentials).await?;
    let checks = async |visitor: &mut Visitor| -> Done<String> {
        let page = visitor.open("/machine").await?.text;
        let (_, checks) = page.split_once("id=\"checks\"").ok_or("no checks")?;
        let end = checks.find("</section>").unwrap_or(checks.len());
        Ok(checks[..end].to_owned())
    };
    let page = checks(&mut visitor).await?;
    assert!(page.contains("can resume it"), "{page}");
    assert_eq!(page.matches("needs attention").count(), 1, "{page}");

    // No storm: the trail holds no more attempts than the pauses allow, each with the machine's name.
    let trail = hub.data().join("audit");
    let attempts = refusals(&trail)?;
    assert!(
        attempts >= 2 && shortest(attempts) <= began.elapsed(),
        "{attempts}"
    );

    // The reason is gone.
    certs("resume").await?.said(0, &["list 2"]);
    let check = until("the certificate is renewed", || async {
        let check = certificate().await?;
        Ok((!check.notice).then_some(check))
    })
    .await?;
    // Thirty within its first second.
    let whole = ["29 days left", "30 days left"];
    assert!(check.ok && whole.contains(&check.words.as_str()), "{check:?}");
    let told = status()?.run().await?.text();
    assert!(
        whole
            .iter()
            .any(|left| told.contains(&format!("CERT       TLS {left}"))),
        "{told}"
    );
    assert!(!told.contains("not renewed"), "{told}");
    let page = checks(&mut visitor).await?;
    assert!(!page.contains("needs attention"), "{page}");
    assert!(shortest(refusals(&trail)?) <= began.elapsed());
    node.stop().await;
    hub.stop().await;
    Ok(())
}
