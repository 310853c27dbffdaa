//! The figures of a machine over time: counted while it runs, there after a restart, and nothing in them but numbers.

use ccpor_certs::Clock;
use ccpor_tests::lone::Realm;
use ccpor_tests::stand::add;
use ccpor_tests::visitor::Visitor;
use ccpor_tests::world::{Outcome, connect, file, lookup, order};

/// Orders and look-ups of a table.
fn sums(table: &str) -> (u64, u64) {
    let mut sums = (0, 0);
    for line in table.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!(cells.len(), 4, "{line}");
        sums.0 += cells[1].parse::<u64>().unwrap();
        sums.1 += cells[2].parse::<u64>().unwrap();
    }
    sums
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_of_node_and_hub_are_counted_and_are_there_after_a_restart() -> Outcome<()> {
    let realm = Realm::new(Clock::machine())?;
    let mut hub = realm.hub()?;
    hub.start().await?;
    let link = format!("[hub]\naddress = \"{}\"\n", hub.nodes()?);
    let mut node = realm.node("alameda", &link)?;
    let system = realm.issue("system/alameda-cms", &[])?;
    let address = node.start().await?;
    let mut person = add(&node.settings(), &system, address, "olga", "operator", true).await?;
    let client = connect(&system, address).await?;
    for number in 0..3 {
        let name = format!("Kanarienweg{number}");
        file(&client, &format!("filing-{number}"), order(&name, "JOSE", "A-1")).await?;
        lookup(&client, &name, "JOSE").await?;
    }
    lookup(&client, "NOBODY", "JOSE").await?;
    node.stop().await;
    let address = node.start().await?;
    let client = connect(&system, address).await?;
    lookup(&client, "NOBODY", "JOSE").await?;
    node.stop().await;
    let address = node.start().await?;
    let code = person.codes.remove(0);
    let credentials = (person.name.as_str(), person.password.as_str(), code.as_str());
    let mut visitor = Visitor::log_on(&system, address, credentials).await?;
    let table = visitor.open("/machine/course.csv").await?;
    assert_eq!(table.status, 200);
    assert_eq!(sums(&table.text), (3, 5), "{}", table.text);
    let of_court = visitor.open("/machine/course.csv?court=court/alameda").await?;
    assert!(
        of_court.text.starts_with("from,court,age_seconds\n"),
        "{}",
        of_court.text
    );
    assert!(of_court.text.lines().count() > 1, "{}", of_court.text);
    let page = visitor.open("/machine").await?.text;
    for words in [
        "<svg viewBox=\"0 0 530 122\"",
        "3 in all",
        "5 in all",
        "course.csv",
    ] {
        assert!(page.contains(words), "{words} is not in {page}");
    }
    assert!(!page.contains("Kanarienweg") && !page.contains("NOBODY"));
    // The hub counts what reaches it.
    hub.stop().await;
    let kept = std::fs::read_to_string(hub.data().join("course.csv"))?;
    assert_eq!(sums(&format!("from\n{kept}")).0, 3, "{kept}");
    // And how old its copy of each court was.
    let lags = std::fs::read_to_string(hub.data().join("lags.csv"))?;
    assert!(lags.starts_with("from,court/alameda\n"), "{lags}");
    assert!(
        lags.lines().skip(1).all(|line| line.split(',').count() == 2),
        "{lags}"
    );
    node.stop().await;
    Ok(())
}
