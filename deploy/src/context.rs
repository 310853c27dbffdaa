//! `ccpor context`: names for the machines a person asks, and for the certificates to ask with.

use std::path::PathBuf;

use ccpor_daemon::exit::Exit;
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::contexts::{self, Context, Contexts};
use crate::failure::Failure;
use crate::globals::Globals;
use crate::screen::Screen;
use crate::table::Table;

/// What to do with the contexts.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// List the contexts; the one in use is marked.
    #[command(after_help = "Examples:\n  ccpor context list\n  ccpor context list --json | jq -r '.[].name'")]
    List,
    /// Use a context from now on.
    #[command(after_help = "Examples:\n  ccpor context use hub\n  ccpor context use alameda && ccpor status")]
    Use(Named),
    /// Add a context, or change one; the first one added is in use at once.
    #[command(
        after_help = "Examples:\n  ccpor context add alameda --endpoint node.alameda.example:8443 --identity ~/ccpor-id\n  \
                      ccpor context add hub --endpoint 10.0.0.5:8443 --identity /etc/ccpor/identity --ori CA0010000"
    )]
    Add(Named),
    /// Remove a context; the identity directory it names stays.
    #[command(after_help = "Examples:\n  ccpor context remove demo\n  ccpor context remove alameda --quiet")]
    Remove(Named),
    /// Show what the flags and the context say together.
    #[command(after_help = "Examples:\n  ccpor context show\n  ccpor context show --context hub --json")]
    Show,
}

/// A context by its name.
#[derive(Args, Debug)]
pub(crate) struct Named {
    /// Name of the context.
    #[arg(value_parser = contexts::valid_name)]
    name: String,
}

pub(crate) fn run(command: Command, globals: &Globals, screen: &Screen) -> Result<Exit, Failure> {
    if let Command::Show = command {
        return show(&globals.reach()?, screen);
    }
    let path = Contexts::usual_path()?;
    let mut contexts = Contexts::load(&path)?;
    match command {
        Command::List => return list(&contexts, screen),
        Command::Show => {}
        Command::Use(Named { name }) => {
            contexts.get(Some(&name))?;
            screen.remark(&format!("in use: {name}"));
            contexts.current = Some(name);
            contexts.save(&path)?;
        }
        Command::Add(Named { name }) => {
            add(&mut contexts, &name, globals)?;
            contexts.save(&path)?;
            screen.remark(&format!("added: {name} (in {})", path.display()));
        }
        Command::Remove(Named { name }) => {
            contexts.get(Some(&name))?;
            contexts.contexts.remove(&name);
            contexts.current = contexts.current.filter(|current| *current != name);
            contexts.save(&path)?;
            screen.remark(&format!("removed: {name}"));
        }
    }
    Ok(Exit::Done)
}

fn add(contexts: &mut Contexts, name: &str, globals: &Globals) -> Result<(), Failure> {
    let old = contexts.contexts.get(name).cloned().unwrap_or_default();
    let context = Context {
        endpoint: globals.endpoint.clone().unwrap_or(old.endpoint),
        identity: globals.identity.clone().map_or(Ok(old.identity), absolute)?,
        ori: globals.ori.clone().unwrap_or(old.ori),
    };
    if context.endpoint.is_empty() || context.identity.as_os_str().is_empty() {
        return Err(Failure::usage(
            "a context needs a machine and a certificate",
            "Give --endpoint HOST:PORT and --identity DIR.",
        ));
    }
    contexts.contexts.insert(name.to_owned(), context);
    contexts.current.get_or_insert_with(|| name.to_owned());
    Ok(())
}

/// The directory as it is found from anywhere.
fn absolute(directory: PathBuf) -> Result<PathBuf, Failure> {
    if !directory.is_dir() {
        return Err(Failure::own(
            Exit::NotFound,
            format!("{} is not a directory", directory.display()),
            "Give --identity the directory that `ccpor certs issue` or `ccpor-node enroll` made.",
        ));
    }
    std::path::absolute(&directory)
        .map_err(|error| Failure::file("finding", &directory, &error, "Give an absolute path."))
}

#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    in_use: bool,
    #[serde(flatten)]
    context: &'a Context,
}

fn list(contexts: &Contexts, screen: &Screen) -> Result<Exit, Failure> {
    let listed: Vec<Listed<'_>> = contexts
        .contexts
        .iter()
        .map(|(name, context)| Listed {
            name,
            in_use: contexts.current.as_ref() == Some(name),
            context,
        })
        .collect();
    if screen.json {
        screen.document(&listed)?;
        return Ok(Exit::Done);
    }
    if listed.is_empty() {
        screen.remark(
            "There are no contexts yet: `ccpor context add NAME --endpoint HOST:PORT --identity DIR`.",
        );
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["", "NAME", "ENDPOINT", "IDENTITY", "ORI"]);
    for Listed {
        name,
        in_use,
        context,
    } in listed
    {
        table.row([
            if in_use { "*" } else { "" }.to_owned(),
            name.to_owned(),
            context.endpoint.clone(),
            context.identity.display().to_string(),
            context.ori.clone(),
        ]);
    }
    screen.text(&table.text())?;
    Ok(Exit::Done)
}

fn show(context: &Context, screen: &Screen) -> Result<Exit, Failure> {
    if screen.json {
        screen.document(context)?;
    } else {
        let ori = if context.ori.is_empty() {
            "(as the certificate says)"
        } else {
            &context.ori
        };
        screen.text(&format!(
            "ENDPOINT  {}\nIDENTITY  {}\nORI       {ori}\n",
            context.endpoint,
            context.identity.display()
        ))?;
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn globals(endpoint: Option<&str>, identity: Option<PathBuf>) -> Globals {
        Globals {
            context: None,
            endpoint: endpoint.map(Into::into),
            server: Vec::new(),
            servers: None,
            identity,
            ori: None,
            purpose: None,
            incident: None,
            timeout: Duration::from_secs(1),
            json: false,
            no_color: false,
            quiet: true,
        }
    }

    #[test]
    fn the_first_context_is_in_use_and_a_second_add_changes_what_it_names() {
        let directory = tempfile::tempdir().unwrap();
        let mut contexts = Contexts::default();
        add(
            &mut contexts,
            "a",
            &globals(Some("h:1"), Some(directory.path().into())),
        )
        .unwrap();
        add(
            &mut contexts,
            "b",
            &globals(Some("h:2"), Some(directory.path().into())),
        )
        .unwrap();
        assert_eq!(contexts.current.as_deref(), Some("a"));
        add(&mut contexts, "b", &globals(Some("h:3"), None)).unwrap();
        assert_eq!(contexts.contexts["b"].endpoint, "h:3");
        assert_eq!(contexts.contexts["b"].identity, directory.path());
    }

    #[test]
    fn half_a_context_is_refused() {
        let mut contexts = Contexts::default();
        assert_eq!(
            add(&mut contexts, "a", &globals(Some("h:1"), None))
                .unwrap_err()
                .exit(),
            Exit::Usage
        );
        let nowhere = globals(Some("h:1"), Some("/no/such/directory".into()));
        assert_eq!(
            add(&mut contexts, "a", &nowhere).unwrap_err().exit(),
            Exit::NotFound
        );
        assert_eq!(contexts, Contexts::default());
    }
}
