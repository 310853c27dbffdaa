//! Settings, ports and directories that cannot be used: each ends the program with its exit code and one message that says
//! what to do; and every setting tells where it comes from.

use ccpor_certs::Clock;
use ccpor_tests::lone::{Lone, Realm};
use ccpor_tests::program::Program;
use ccpor_tests::world::{Outcome, file, order};

type Settings = Vec<std::collections::BTreeMap<String, String>>;

fn origin_of(settings: &Settings, key: &str) -> (String, String) {
    let found = settings.iter().find(|shown| shown["key"] == key).unwrap();
    (found["value"].clone(), found["origin"].clone())
}

#[tokio::test]
async fn every_setting_tells_where_it_comes_from() -> Outcome<()> {
    let realm = Realm::new(Clock::machine())?;
    let node = realm.node(
        "alameda",
        "[lookup]\nstale_after_seconds = 30\n[log]\nlevel = \"warn\"\n",
    )?;
    let drop_ins = node.settings().with_extension("d");
    std::fs::create_dir(&drop_ins)?;
    std::fs::write(drop_ins.join("50-hub.toml"), "[hub]\nheartbeat_ms = 500\n")?;
    let shown = Program::node()?
        .arg("--config")
        .arg(node.settings())
        .args(["--set", "log.level=debug", "config", "show", "--json"])
        .env("CCPOR_NODE__LOOKUP__STALE_AFTER_SECONDS", "7")
        .run()
        .await?;
    let settings: Settings = shown.said(0, &[]).json()?;
    let file = node.settings().display().to_string();
    let drop_in = drop_ins.join("50-hub.toml").display().to_string();
    for (key, value, origin) in [
        ("api.listen", "\"127.0.0.1:0\"", file.as_str()),
        ("hub.heartbeat_ms", "500", drop_in.as_str()),
        ("lookup.stale_after_seconds", "7", "environment"),
        ("log.level", "\"debug\"", "flag"),
        ("data.index_cache_mb", "64", "built in"),
        ("replica.courts", "\"all\"", "built in"),
    ] {
        assert_eq!(
            origin_of(&settings, key),
            (value.to_owned(), origin.to_owned()),
            "{key}"
        );
    }
    let words = node.run(&["config", "show"]).await?;
    words.said(0, &["lookup.stale_after_seconds", "30", "built in", &drop_in]);
    Ok(())
}

#[tokio::test]
async fn settings_that_are_not_understood_end_the_program_with_2() -> Outcome<()> {
    let realm = Realm::new(Clock::machine())?;
    let node = realm.node("alameda", "")?;
    let missing = realm.path("nowhere.toml").display().to_string();
    for program in [Program::node()?, Program::hub()?] {
        let ended = program.args(["--config", &missing, "run"]).run().await?;
        ended.said(2, &["nowhere.toml", "cannot be read", "Check the path"]);
    }
    for (text, words) in [
        (
            "[api]\nlisten = \"127.0.0.1:0\"\nport = 1\n",
            &["api.port", "broken.toml", "config show"][..],
        ),
        (
            "[apo]\nlisten = \"127.0.0.1:0\"\n",
            &["apo.listen", "broken.toml"],
        ),
        (
            "[lookup]\nstale_after_seconds = \"soon\"\n",
            &["stale_after_seconds", "broken.toml"],
        ),
        ("[lookup]\nstale_after_seconds = -1\n", &["stale_after_seconds"]),
        ("[log]\nformat = \"xml\"\n", &["log.format", "text or json"]),
        (
            "[hub]\ntransport = \"pigeon\"\n",
            &["hub.transport", "auto, quic or tcp"],
        ),
        (
            "[replica]\ncourts = [\"court/atlantis\"]\n",
            &["replica.courts", "court/atlantis", "no such county"],
        ),
        (
            "[replica]\ncourts = \"some\"\n",
            &["replica.courts", "which is no court"],
        ),
        ("[[hubs]]\nadress = \"127.0.0.1:1\"\n", &["adress"]),
        (
            "[log]\nlevel = \"loud,,=\"\n",
            &["log.level", "Use error, warn, info or debug"],
        ),
        ("[api\n", &["broken.toml"]),
        ("\u{0}\u{1}", &["broken.toml"]),
    ] {
        let broken = realm.path("broken.toml");
        std::fs::write(&broken, text)?;
        let ended = Program::node()?
            .arg("--config")
            .arg(&broken)
            .arg("run")
            .run()
            .await?;
        ended.said(2, words);
    }
    std::fs::write(realm.path("latin.toml"), b"[court]\nname = \"Ca\xf1ada\"\n")?;
    let latin = Program::node()?
        .arg("--config")
        .arg(realm.path("latin.toml"))
        .arg("run")
        .run()
        .await?;
    latin.said(2, &["latin.toml", "UTF-8"]);
    let directory = Program::node()?
        .arg("--config")
        .arg(realm.path(""))
        .arg("run")
        .run()
        .await?;
    directory.said(2, &["cannot be read"]);
    node.run(&["--set", "api.port=1", "run"])
        .await?
        .said(2, &["api.port", "flag"]);
    node.run(&["--set", "hub.connect=perhaps", "run"])
        .await?
        .said(2, &["hub.connect"]);
    node.run(&["--set", "api.listen", "run"])
        .await?
        .said(2, &["KEY=VALUE"]);
    let environment = Program::node()?
        .args(["config", "show"])
        .env("CCPOR_NODE__API__PORT", "1");
    environment.run().await?.said(2, &["api.port", "environment"]);
    Ok(())
}

#[tokio::test]
async fn files_that_may_not_be_read_are_told() -> Outcome<()> {
    use std::os::unix::fs::PermissionsExt;
    let realm = Realm::new(Clock::machine())?;
    let node = realm.node("alameda", "")?;
    std::fs::set_permissions(realm.path(""), std::fs::Permissions::from_mode(0o755))?;
    std::fs::set_permissions(node.settings(), std::fs::Permissions::from_mode(0o600))?;
    // Only root may become nobody; anybody else is refused by taking the right away from itself.
    let program = Program::node()?.arg("--config").arg(node.settings()).arg("run");
    // SAFETY: geteuid(2) takes nothing and touches no memory.
    let program = if unsafe { libc::geteuid() } == 0 {
        program.as_nobody()
    } else {
        std::fs::set_permissions(node.settings(), std::fs::Permissions::from_mode(0o000))?;
        program
    };
    program
        .run()
        .await?
        .said(2, &["cannot be read", "this user may read it"]);
    Ok(())
}

#[tokio::test]
async fn what_is_in_use_or_not_enrolled_is_told() -> Outcome<()> {
    let realm = Realm::new(Clock::machine())?;
    let mut node = realm.node("alameda", "[hub]\nconnect = false\n")?;
    let address = node.start().await?;
    let listen = format!("api.listen={address}");
    let other = realm.node("kern", "[hub]\nconnect = false\n")?;
    let taken = other.run(&["--set", &listen, "run"]).await?;
    taken.said(
        1,
        &[&address.to_string(), "in use by another program", "api.listen"],
    );
    for arguments in [&["run"][..], &["rebuild"]] {
        let second = node.run(arguments).await?;
        second.said(1, &["in use by another process", "stop that one first"]);
    }
    other
        .run(&["--set", "api.listen=nowhere", "run"])
        .await?
        .said(1, &["nowhere", "cannot be listened on"]);

    let nobody = realm.path("nobody");
    let stranger = Lone::node(&nobody, &nobody.join("identity"), "")?;
    for arguments in [&["run"][..], &["rebuild"], &["import", "-"]] {
        stranger
            .run(arguments)
            .await?
            .said(4, &["nobody", "enrol this machine"]);
    }
    let agency = realm.issue("lea/alameda-so", &[])?;
    let wrong = Lone::node(&realm.path("agency"), agency.path(), "")?;
    wrong
        .run(&["run"])
        .await?
        .said(4, &["lea/alameda-so", "not a court's node", "invitation"]);
    let hubless = realm.node("yolo", "")?;
    hubless
        .run(&["run"])
        .await?
        .said(1, &["no hub is known", "hub.address"]);
    let twice = realm.node(
        "napa",
        "[hub]\naddress = \"127.0.0.1:1\"\n[[hubs]]\naddress = \"127.0.0.1:1\"\n",
    )?;
    for arguments in [&["run"][..], &["preflight"]] {
        twice
            .run(arguments)
            .await?
            .said(1, &["hub.address", "[[hubs]]", "in one of them"]);
    }
    let garbage = hubless.run(&["enroll", "ccpor-invite-1.AAAA"]).await?;
    assert_ne!(garbage.said(garbage.code, &["invitation"]).code, 0);

    // The one that was there first goes on.
    let court = realm.issue("system/alameda-test", &[])?;
    let client = ccpor_tests::world::connect(&court, address).await?;
    file(&client, "goes-on-1", order("DOE", "JANE", "HF26-1")).await?;
    node.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_hub_with_ports_in_use_or_a_courts_identity_is_told() -> Outcome<()> {
    let realm = Realm::new(Clock::machine())?;
    let mut hub = realm.hub()?;
    hub.start().await?;
    let nodes = hub.nodes()?;
    let other = realm.path("other-hub");
    let data = format!("data.directory={}", other.display());
    let listen = format!("nodes.listen={nodes}");
    let taken = hub.run(&["--set", &data, "--set", &listen, "run"]).await?;
    taken.said(1, &[&nodes.to_string(), "in use"]);
    let nowhere = hub
        .run(&["--set", &data, "--set", "nodes.listen=here", "run"])
        .await?;
    nowhere.said(1, &["nodes.listen", "0.0.0.0:4433"]);
    let authority = hub
        .run(&["--set", &data, "--set", "enrolment.authority=/nonexistent", "run"])
        .await?;
    authority.said(1, &["/nonexistent"]);
    let court = realm.issue("court/alameda/node/1", &[])?;
    let identity = format!("data.identity={}", court.path().display());
    let wrong = hub.run(&["--set", &data, "--set", &identity, "run"]).await?;
    wrong.said(4, &["court/alameda/node/1", "not a hub", "ccpor certs issue"]);
    hub.stop().await;
    Ok(())
}
