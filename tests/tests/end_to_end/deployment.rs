//! The example configurations and the runbooks against the real programs: an example names every setting and no other, with
//! the values that stand when nothing is set, and a runbook names only commands and flags that exist. Starts no daemon.

use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

/// One line of `config show --json`.
#[derive(Deserialize)]
struct Shown {
    key: String,
    value: String,
    origin: String,
}

#[test]
fn the_example_of_the_node_names_every_setting_with_the_value_built_in() -> Result<(), Box<dyn Error>> {
    names_every_setting("ccpor-node", "node.toml")
}

#[test]
fn the_example_of_the_hub_names_every_setting_with_the_value_built_in() -> Result<(), Box<dyn Error>> {
    names_every_setting("ccpor-hub", "hub.toml")
}

#[test]
fn an_unknown_setting_ends_the_programs_with_its_name() -> Result<(), Box<dyn Error>> {
    for (program, file) in [("ccpor-node", "node.toml"), ("ccpor-hub", "hub.toml")] {
        let directory = tempfile::tempdir()?;
        let changed = directory.path().join(file);
        let text = std::fs::read_to_string(example(file))?;
        std::fs::write(&changed, text.replace("listen =", "lisen ="))?;
        let output = command(program, &changed)?.args(["config", "show"]).output()?;
        let words = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{program}: {words}");
        assert!(words.contains("lisen"), "{program}: {words}");
    }
    Ok(())
}

#[test]
fn drop_ins_are_stronger_than_the_file_and_the_environment_is_stronger_than_both()
-> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("node.toml");
    std::fs::copy(example("node.toml"), &file)?;
    let drop_ins = directory.path().join("node.d");
    std::fs::create_dir(&drop_ins)?;
    std::fs::write(
        drop_ins.join("10-court.toml"),
        "[court]\nori = \"first\"\nphone = \"first\"\naddress = \"first\"\n",
    )?;
    std::fs::write(
        drop_ins.join("20-court.toml"),
        "[court]\nphone = \"second\"\naddress = \"second\"\n",
    )?;
    let mut command = command("ccpor-node", &file)?;
    let settings = settings(command.env("CCPOR_NODE__COURT__ADDRESS", "third"))?;
    for (key, value, origin) in [
        ("court.ori", "\"first\"", "10-court.toml"),
        ("court.phone", "\"second\"", "20-court.toml"),
        ("court.address", "\"third\"", "environment"),
    ] {
        let shown = settings.get(key).ok_or(key)?;
        assert_eq!(shown.value, value, "{key}");
        assert!(shown.origin.ends_with(origin), "{key} is from {}", shown.origin);
    }
    Ok(())
}

#[test]
fn the_runbooks_name_only_commands_and_flags_that_exist() -> Result<(), Box<dyn Error>> {
    let mut told = 0;
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/runbooks"))? {
        let page = entry?.path();
        for line in commands(&std::fs::read_to_string(&page)?) {
            let page = page.display();
            let words: Vec<&str> = line.split_whitespace().collect();
            let Some((program, words)) = words.split_first() else {
                continue;
            };
            let plain = |word: &&&str| {
                !word.starts_with('-') && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
            };
            let verbs: Vec<&str> = words.iter().take_while(plain).copied().collect();
            let output = bare(program)?.args(&verbs).arg("--help").output()?;
            let help = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{page}: there is no `{line}`");
            for flag in words.iter().filter(|word| word.starts_with("--")) {
                assert!(
                    help.contains(flag),
                    "{page}: {program} {} has no {flag}",
                    verbs.join(" ")
                );
            }
            told += 1;
        }
    }
    assert!(told > 50, "only {told} commands were found in the runbooks");
    Ok(())
}

#[test]
fn the_links_between_the_runbooks_lead_somewhere() -> Result<(), Box<dyn Error>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/runbooks");
    for entry in std::fs::read_dir(&directory)? {
        let page = entry?.path();
        let text = std::fs::read_to_string(&page)?;
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            assert!(
                directory.join(target).is_file(),
                "{}: {target} is not there",
                page.display()
            );
        }
    }
    Ok(())
}

/// The command lines of a page that begin with a program of ours: indented lines, and words between backquotes.
fn commands(page: &str) -> Vec<String> {
    let joined = page.replace("\\\n", " ");
    let indented = joined.lines().filter(|line| line.starts_with("    "));
    // Of what backquotes separate, every second part stands between two of them.
    let quoted = joined.split('`').skip(1).step_by(2);
    let mut found = Vec::new();
    for line in indented.chain(quoted) {
        let command = line
            .split(['#', '|', '<', '\n'])
            .next()
            .unwrap_or_default()
            .trim();
        let command = command.strip_prefix("sudo ").unwrap_or(command);
        let command = command.strip_prefix("-u ccpor ").unwrap_or(command);
        // A name alone speaks of the program and is no command; it also is the name of a package and a unit.
        if ["ccpor ", "ccpor-node ", "ccpor-hub "]
            .iter()
            .any(|program| command.starts_with(program))
        {
            found.push(command.to_owned());
        }
    }
    found
}

fn names_every_setting(program: &str, file: &str) -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    // An empty file given by name keeps a file that is installed on this machine from being read.
    let nothing = directory.path().join("nothing.toml");
    std::fs::write(&nothing, "")?;
    let built_in = settings(&mut command(program, &nothing)?)?;
    assert!(
        built_in.values().all(|shown| shown.origin == "built in"),
        "{program} finds settings that were not given"
    );
    let shown = settings(&mut command(program, &example(file))?)?;
    for (key, built_in) in &built_in {
        let shown = shown
            .get(key)
            .ok_or_else(|| format!("{program} does not show {key}"))?;
        assert!(
            shown.origin.ends_with(file),
            "{file} does not name {key}, which {program} knows"
        );
        assert_eq!(
            shown.value, built_in.value,
            "{file} shows another value of {key} than is built in"
        );
    }
    let unknown: Vec<&String> = shown.keys().filter(|key| !built_in.contains_key(*key)).collect();
    assert!(
        unknown.is_empty(),
        "{file} names {unknown:?}, which {program} does not have"
    );
    Ok(())
}

/// What `config show --json` says, by key.
fn settings(command: &mut Command) -> Result<BTreeMap<String, Shown>, Box<dyn Error>> {
    let output = command.args(["config", "show", "--json"]).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let shown: Vec<Shown> = serde_json::from_slice(&output.stdout)?;
    Ok(shown
        .into_iter()
        .map(|shown| (shown.key.clone(), shown))
        .collect())
}

/// `program --config file`.
fn command(program: &str, file: &Path) -> io::Result<Command> {
    let mut command = bare(program)?;
    command.arg("--config").arg(file);
    Ok(command)
}

/// A program without the environment of whoever runs the test.
fn bare(program: &str) -> io::Result<Command> {
    let mut directory = std::env::current_exe()?;
    // Test programs lie in `deps`, one directory below the programs themselves.
    directory.pop();
    directory.pop();
    let program = directory.join(program);
    if !program.exists() {
        let words = format!(
            "{} is not there; build all programs first: cargo build --bins",
            program.display()
        );
        return Err(io::Error::new(io::ErrorKind::NotFound, words));
    }
    let mut command = Command::new(program);
    command.env_clear();
    Ok(command)
}

fn example(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../deploy/config")
        .join(file)
}
