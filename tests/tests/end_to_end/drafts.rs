//! What a clerk typed is there after the node was killed: for that clerk alone, under no eye that reads the disk, until it is filed.

use std::net::SocketAddr;
use std::path::Path;

use ccpor_certs::{Clock, IdentityDir};
use ccpor_tests::lone::Realm;
use ccpor_tests::stand::{Person, add};
use ccpor_tests::visitor::{Page, Visitor};
use ccpor_tests::world::Outcome;

/// A name that nobody has, to be looked for on the disk.
const CANARY: &str = "Kanarienweg4711";

async fn log_on(trust: &IdentityDir, machine: SocketAddr, person: &mut Person) -> Outcome<Visitor> {
    let code = person.codes.remove(0);
    Visitor::log_on(trust, machine, (&person.name, &person.password, &code)).await
}

/// The value of a field of a page.
fn value<'a>(page: &'a Page, name: &str) -> &'a str {
    let field = page
        .text
        .split('<')
        .find(|tag| tag.starts_with("input") && tag.contains(&format!("name=\"{name}\"")));
    let value = field
        .and_then(|tag| tag.split_once("value=\""))
        .map(|(_, rest)| rest);
    value.and_then(|rest| rest.split('"').next()).unwrap_or_default()
}

/// The addresses of what is offered to go on with.
fn offered(page: &Page) -> Vec<String> {
    let links = page.text.split("href=\"").skip(1);
    let links = links.filter_map(|rest| rest.split('"').next());
    links
        .filter(|link| link.contains("?draft="))
        .map(ToOwned::to_owned)
        .collect()
}

fn holds(directory: &Path, needle: &str) -> Outcome<bool> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let found = if path.is_dir() {
            holds(&path, needle)?
        } else {
            let bytes = std::fs::read(&path)?;
            bytes.windows(needle.len()).any(|part| part == needle.as_bytes())
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_clerk_typed_is_there_after_the_node_was_killed_and_for_nobody_else() -> Outcome<()> {
    let realm = Realm::new(Clock::machine())?;
    let mut node = realm.node("alameda", "[hub]\nconnect = false\n")?;
    let system = realm.issue("system/alameda-cms", &[])?;
    let address = node.start().await?;
    let mut ana = add(&node.settings(), &system, address, "ana", "court", true).await?;
    let mut ben = add(&node.settings(), &system, address, "ben", "court", true).await?;

    let mut visitor = log_on(&system, address, &mut ana).await?;
    let entry = visitor.open("/entry").await?;
    let key = value(&entry, "key").to_owned();
    let typed = [
        ("key", key.as_str()),
        ("by", "ana"),
        ("from", "/entry"),
        ("form", "DV-130"),
        ("case_number", "FL-26-DRAFT"),
        ("issued", "2026-11-20"),
        ("last", CANARY),
        ("first", "Sam"),
    ];
    let kept = visitor.submit("/draft", &entry, &typed).await?;
    assert_eq!(kept.status, 204);
    node.kill().await;
    assert!(
        !holds(&node.data(), CANARY)?,
        "what was typed lies on the disk in the clear"
    );
    let address = node.start().await?;

    let mut visitor = log_on(&system, address, &mut ana).await?;
    for page in ["/entry", "/today"] {
        let page = visitor.open(page).await?;
        assert_eq!(offered(&page).len(), 1, "{}", page.text);
        assert!(page.text.contains("FL-26-DRAFT"));
    }
    let draft = offered(&visitor.open("/entry").await?).remove(0);
    let mut other = log_on(&system, address, &mut ben).await?;
    assert!(offered(&other.open("/entry").await?).is_empty());
    let stolen = other.open(&draft).await?;
    assert!(!stolen.text.contains(CANARY) && stolen.status == 200);

    let form = visitor.open(&draft).await?;
    assert_eq!(
        (value(&form, "last"), value(&form, "key")),
        (CANARY, key.as_str())
    );
    let filing: Vec<_> = typed
        .iter()
        .filter(|(name, _)| *name != "from")
        .copied()
        .chain([("step", "file")])
        .collect();
    let filed = visitor.submit("/entry", &form, &filing).await?;
    assert!(filed.location.contains("done=filed"), "{}", filed.text);
    assert!(offered(&visitor.open("/entry").await?).is_empty());

    // A form that comes back to be looked at is kept without any script; and a log keeps nothing of it.
    let form = visitor.open("/entry").await?;
    let key = value(&form, "key").to_owned();
    let fields = [
        ("key", key.as_str()),
        ("by", "ana"),
        ("step", "check"),
        ("last", CANARY),
    ];
    visitor.submit("/entry", &form, &fields).await?;
    node.kill().await;
    let address = node.start().await?;
    let mut visitor = log_on(&system, address, &mut ana).await?;
    let page = visitor.open("/entry").await?;
    let draft = offered(&page).remove(0);
    let form = visitor.open(&draft).await?;
    assert_eq!(value(&form, "last"), CANARY);
    let thrown = [
        ("key", key.as_str()),
        ("by", "ana"),
        ("from", "/entry"),
        ("step", "forget"),
    ];
    visitor.submit("/draft", &form, &thrown).await?;
    assert!(offered(&visitor.open("/entry").await?).is_empty());
    assert!(!node.log().contains(CANARY));
    node.stop().await;
    Ok(())
}
