//! The machines that a question may go to, the nearest first: those that the flags name, or those of the kept topology.

use ccpor_api::Target;
use ccpor_api::nearest::{Nearest, Told};
use ccpor_certs::IdentityDir;

use crate::failure::Failure;
use crate::globals::Globals;
use crate::screen::Screen;
use crate::{asking, contexts, topology};

/// How many machines of the kept topology a question may go to.
const NEAREST: usize = 3;

/// A reader over that machine and every further one of `--server` and `--servers`. Where none is named, and the machine is
/// that of the context, the nearest ones of the kept topology.
pub(crate) async fn nearest(globals: &Globals) -> Result<Nearest, Failure> {
    let first = asking::target(globals)?;
    let named: Vec<Target> = further(globals)?
        .into_iter()
        .map(|endpoint| Target {
            endpoint,
            ..first.clone()
        })
        .collect();
    let further = if named.is_empty() && globals.endpoint.is_none() {
        let identity = IdentityDir::open(&globals.reach()?.identity)?;
        let mut nearest = topology::nearest(&identity, globals, NEAREST);
        nearest.retain(|target| target.endpoint != first.endpoint);
        nearest
    } else {
        named
    };
    let targets = std::iter::once(first).chain(further).collect();
    Ok(Nearest::connect(targets).await?)
}

/// The machines of `--server` and of the file of `--servers`.
fn further(globals: &Globals) -> Result<Vec<String>, Failure> {
    let mut endpoints = globals.server.clone();
    if let Some(file) = &globals.servers {
        let text = std::fs::read_to_string(file).map_err(|error| {
            Failure::usage(
                format!("the list of machines cannot be read: {}: {error}", file.display()),
                "Give a file with one HOST:PORT a line.",
            )
        })?;
        endpoints.extend(listed(&text).map_err(|(line, reason)| {
            Failure::usage(
                format!("line {line} of {} names no machine: {reason}", file.display()),
                "Write one HOST:PORT a line; # begins a remark.",
            )
        })?);
    }
    Ok(endpoints)
}

/// The endpoints of a list; the number of the first line that is none, and why.
fn listed(text: &str) -> Result<Vec<String>, (usize, String)> {
    let mut endpoints = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let endpoint = line.split('#').next().unwrap_or_default().trim();
        if !endpoint.is_empty() {
            endpoints.push(contexts::valid_endpoint(endpoint).map_err(|reason| (number, reason))?);
        }
    }
    Ok(endpoints)
}

/// Tells who answered, when there was a choice.
pub(crate) fn who<T>(told: Told<T>, nearest: &Nearest, screen: &Screen) -> T {
    if nearest.machines() > 1 {
        screen.remark(&format!(
            "answered by {} in {} ms",
            told.endpoint,
            told.took.as_millis()
        ));
    }
    told.answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_machines_has_one_a_line_and_remarks() {
        let list = "# the north\nnode.kern.example:8443  # Kern\n\n[::1]:8443\n";
        assert_eq!(listed(list).unwrap(), ["node.kern.example:8443", "[::1]:8443"]);
        let (line, reason) = listed("a:1\nnode.kern.example\n").unwrap_err();
        assert!(line == 2 && reason.contains("HOST:PORT"), "{reason}");
    }
}
