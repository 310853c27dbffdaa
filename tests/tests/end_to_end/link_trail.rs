//! Whom a hub did not let in, as an auditor reads it in the hub's trail: by name who showed the key of a certificate of this registry, by
//! the address alone who only claims a name.

use std::path::Path;

use ccpor_audit::{Archive, Search};
use ccpor_certs::Clock;
use ccpor_tests::lone::{Lone, Realm, trusting};
use ccpor_tests::program::{Ended, Program};
use ccpor_tests::rest::Rest;
use ccpor_tests::world::{Outcome as Done, connect, until};
use ccpor_transport::{Transport, reach};
use serde_json::Value;

/// Whether the trail holds a refusal of this identity for this cause.
fn holds(trail: &Path, identity: &str, cause: &str) -> Done<Option<()>> {
    let found = Archive::open(trail)?.search(&Search::default())?;
    let mut refused = found
        .iter()
        .filter(|found| found.act.by.identity == identity && found.act.outcome.cause() == cause);
    Ok(refused.next().map(|_| ()))
}

async fn on_record(trail: &Path, identity: &str, cause: &str) -> Done<()> {
    let what = format!("{identity} is on record: {cause}");
    until(&what, || async { holds(trail, identity, cause) }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_auditor_reads_in_the_hubs_trail_which_machine_was_refused_and_why() -> Done<()> {
    let realm = Realm::new(Clock::machine())?;
    let (keys, passphrase) = (realm.path("auditors"), realm.path("passphrase"));
    std::fs::write(&passphrase, "seven green lamps\n")?;
    Program::ccpor()?
        .args(["audit", "keys", "init", "--out"])
        .arg(&keys)
        .arg("--passphrase-file")
        .arg(&passphrase)
        .run()
        .await?
        .said(0, &["AUDITORS KEY"]);
    let authority = realm.path("authority");
    let public = keys.join("auditors.json");
    let settings = format!("authority = {authority:?}\n[audit]\nauditors = {public:?}\n");
    let mut hub = realm.hub_with(1, &settings)?;
    let api = hub.start().await?;
    let nodes = hub.nodes()?;
    let link = |more: &str| format!("[hub]\naddress = \"{nodes}\"\n{more}");
    let at = authority.display().to_string();
    let judge = async |verb: &str, whom: &str| -> Done<Ended> {
        let program = Program::ccpor()?.args(["certs", verb, "--authority", &at, whom]);
        program.args(["--reason", "stolen"]).run().await
    };

    // Over UDP and over TCP: connected, revoked, and refused in the handshake when it comes again.
    let mut alameda = realm.node("alameda", &link(""))?;
    let mut kern = realm.node("kern", &link("transport = \"tcp\"\n"))?;
    for node in [&mut alameda, &mut kern] {
        node.start().await?;
    }
    let operator = connect(&realm.issue("operator/test", &[])?, api).await?;
    until("both are connected", || async {
        let links = operator.status().await?.links;
        Ok((links.iter().filter(|link| link.state == "up").count() == 2).then_some(()))
    })
    .await?;
    judge("revoke", "court/alameda/node/1").await?;
    judge("suspend", "court/kern/node/1").await?;
    let trail = hub.data().join("audit");
    let (revoked, suspended) = ("the certificate is revoked", "the identity is suspended");
    on_record(&trail, "court/alameda/node/1", revoked).await?;
    on_record(&trail, "court/kern/node/1", suspended).await?;
    for node in [&mut alameda, &mut kern] {
        node.stop().await;
    }

    // A stranger who calls itself a court of this registry.
    let operator = realm.issue("operator/second", &[])?;
    let stranger = trusting(
        &Realm::new(Clock::machine())?.issue("court/yolo/node/1", &[])?,
        &operator,
        &realm.path("stranger"),
    )?;
    let mut stranger = Lone::node(&realm.path("yolo"), stranger.path(), &link(""))?;
    stranger.start().await?;
    let foreign = "the other side's certificate is refused: it was issued by another authority";
    on_record(&trail, "", foreign).await?;
    stranger.stop().await;

    // A good certificate whose role has no business on the link, and one that was suspended at the port for programs.
    let agency = realm.issue("lea/alameda-so", &["CA0010000"])?;
    assert!(reach(&agency, &nodes.to_string(), Transport::Quic).await.is_err());
    let no_role = "the connection was ended here: the certificate carries no identity that may connect here";
    on_record(&trail, "lea/alameda-so", no_role).await?;
    judge("suspend", "lea/alameda-so").await?;
    until("the agency is on record at the port for programs", || async {
        // A call that was under way when the list came is cut off; the next one does not get through its handshake.
        let _refused = Rest::of(&agency, api)?.get("/v1/status").await;
        holds(&trail, "lea/alameda-so", suspended)
    })
    .await?;
    hub.stop().await;

    // As an auditor reads it.
    let auditor = async |verb: &str, more: &[&str]| -> Done<Value> {
        let program = Program::ccpor()?.args(["--json", "audit", verb]).arg(hub.data());
        let ended = program
            .arg("--ca")
            .arg(operator.path().join("ca.pem"))
            .arg("--key")
            .arg(keys.join("auditors.key"))
            .arg("--passphrase-file")
            .arg(&passphrase)
            .args(["--reason", "complaint 26-11"])
            .args(more.iter().copied())
            .run()
            .await?;
        ended.said(0, &[]).json()
    };
    let serials: Vec<(String, String)> = ccpor_certs::Authority::open(&authority)?
        .list()?
        .into_iter()
        .map(|issued| (issued.identity.path(), issued.serial))
        .collect();
    for (identity, cause, port) in [
        ("court/alameda/node/1", revoked, "link"),
        ("court/kern/node/1", suspended, "link"),
        ("lea/alameda-so", no_role, "link"),
        ("lea/alameda-so", suspended, "programs"),
    ] {
        let found = auditor("search", &["--user", identity, "--kind", "log-on"]).await?;
        let (_, serial) = serials.iter().find(|(whose, _)| whose == identity).unwrap();
        let told = format!("refused: {cause}; certificate {serial}");
        let entry = found
            .as_array()
            .unwrap()
            .iter()
            .find(|entry| entry["outcome"] == told.as_str());
        let entry = entry.unwrap_or_else(|| panic!("{port}: {told} is not in {found}"));
        let source = entry["source"].as_str().unwrap();
        assert!(source.starts_with("127.0.0.1:"), "{source}");
        assert_eq!(
            (&entry["operation"], &entry["served_by"]),
            (&"log-on".into(), &"hub/1".into())
        );
    }
    let all = auditor("search", &[]).await?;
    let all = all.as_array().unwrap();
    let told = format!("refused: {foreign}");
    let strangers: Vec<&Value> = all
        .iter()
        .filter(|entry| entry["outcome"] == told.as_str())
        .collect();
    assert!(!strangers.is_empty());
    for entry in strangers {
        assert_eq!(entry["identity"], "");
        assert!(entry["source"].as_str().unwrap().starts_with("127.0.0.1:"));
    }
    let claimed = all
        .iter()
        .filter(|entry| entry.to_string().contains("court/yolo"));
    assert_eq!(claimed.count(), 0, "a name that is only claimed stands nowhere");
    // The weekly report counts causes, not certificates.
    let week = auditor("weekly", &[]).await?;
    for cause in [revoked, suspended, no_role, foreign] {
        assert!(week["refusals"][cause].as_u64() >= Some(1), "{cause}: {week}");
    }
    assert!(!week["refusals"].to_string().contains("; certificate"), "{week}");
    Ok(())
}
