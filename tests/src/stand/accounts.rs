//! Accounts made as an administrator makes them, with the command line of a node, and set up as a person does it.

use std::net::SocketAddr;
use std::path::Path;

use ccpor_api::{Hidden, SetUpAnswer, SetUpRequest};
use ccpor_certs::IdentityDir;
use serde::Serialize;

use crate::program::Program;
use crate::rest::Rest;
use crate::world::Outcome;

/// The password of every account of the stand.
const PASSWORD: &str = "four quiet yellow boats";

/// A person who can log on, or who has only the letter with the set-up code.
#[derive(Debug, Default, Serialize)]
pub struct Person {
    /// The name of the account.
    pub name: String,
    /// The code of the letter.
    pub set_up_code: String,
    /// The password; empty before the set-up.
    pub password: String,
    /// Codes that are good once each; none before the set-up.
    pub codes: Vec<String>,
}

/// Makes an account at the node with these settings, and sets it up when that is wanted.
///
/// # Errors
/// When the node refuses.
pub async fn add(
    settings: &Path,
    trust: &IdentityDir,
    node: SocketAddr,
    name: &str,
    role: &str,
    set_up: bool,
) -> Outcome<Person> {
    let program = Program::node()?.arg("--config").arg(settings);
    add_with(program, trust, node, name, role, set_up).await
}

/// The same with the program of any machine, told where its settings are.
///
/// # Errors
/// When the machine refuses.
pub async fn add_with(
    program: Program,
    trust: &IdentityDir,
    node: SocketAddr,
    name: &str,
    role: &str,
    set_up: bool,
) -> Outcome<Person> {
    let mut program = program.args([
        "users",
        "add",
        name,
        "--role",
        role,
        "--full-name",
        &full_name(role),
    ]);
    if role.starts_with("lea-") {
        program = program.args(["--of", "CA0010000"]);
    }
    let said = program.run().await?.said(0, &["has an account"]).text();
    let mut person = Person {
        name: name.to_owned(),
        set_up_code: code_in(&said).ok_or("no set-up code was printed")?,
        ..Person::default()
    };
    if set_up {
        let request = SetUpRequest {
            name: name.to_owned(),
            set_up_code: Hidden::new(person.set_up_code.clone()),
            password: Hidden::new(PASSWORD.to_owned()),
        };
        let rest = Rest::nobody(trust, node)?;
        let answer: SetUpAnswer = rest.post("/v1/account", &request).await?.message()?;
        person.password = PASSWORD.to_owned();
        person.codes = answer
            .recovery_codes
            .iter()
            .map(|code| code.reveal().to_owned())
            .collect();
    }
    Ok(person)
}

fn full_name(role: &str) -> String {
    let name = match role {
        "lea-service" => "R. Alvarez",
        "lea-query" => "T. Nguyen",
        "judge" => "Hon. M. Ito",
        "operator" => "S. Park",
        _ => "P. Quill",
    };
    name.to_owned()
}

/// The code in what the program printed.
fn code_in(said: &str) -> Option<String> {
    let line = said.lines().find(|line| line.contains("Set-up code"))?;
    line.rsplit(' ').next().map(ToOwned::to_owned)
}
