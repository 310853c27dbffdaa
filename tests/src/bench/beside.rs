//! Whether the programs beside this one were built from the sources as they are now: the figures of an older program under the
//! name of the present one would be worse than none.

use std::fs;
use std::path::{Path, PathBuf};

use crate::world::Outcome;

/// What is measured, in this process or as a program of its own.
const PROGRAMS: [&str; 4] = ["bench", "ccpor-hub", "ccpor-node", "ccpor"];

/// Refuses to go on with a program that is missing or older than a source that it is built from.
///
/// # Errors
/// In words, with the command that builds all of them.
pub fn are_up_to_date() -> Outcome<()> {
    let here = std::env::current_exe()?;
    let directory = here.parent().ok_or("the program lies nowhere")?;
    for name in PROGRAMS {
        let program = directory.join(name);
        let wrong = if program.exists() {
            newer_source(&program)?.map(|source| format!("is older than {}", source.display()))
        } else {
            Some("is not there".to_owned())
        };
        if let Some(wrong) = wrong {
            return Err(format!(
                "{} {wrong}. Build all programs first: cargo build --release -p ccpor-node -p ccpor-hub -p ccpor -p ccpor-tests --bins",
                program.display()
            )
            .into());
        }
    }
    Ok(())
}

/// A source that was changed after `program` was built from it. Cargo lists the sources in a file beside the program; without one
/// nothing is known, and nothing is found.
fn newer_source(program: &Path) -> Outcome<Option<PathBuf>> {
    let built = fs::metadata(program)?.modified()?;
    let Ok(list) = fs::read_to_string(program.with_extension("d")) else {
        return Ok(None);
    };
    let changed = |source: &PathBuf| fs::metadata(source).and_then(|about| about.modified());
    // What is gone was built in when it was there; the source that no longer names it has changed.
    let newer = sources(&list).find(|source| changed(source).is_ok_and(|changed| changed > built));
    Ok(newer)
}

/// The sources in a rule of `make`: `program: source source`, spaces in names behind a backslash.
fn sources(list: &str) -> impl Iterator<Item = PathBuf> {
    const SPACE: &str = "\u{0}";
    let rule = list.lines().next().and_then(|line| line.split_once(": "));
    let named = rule.map_or("", |(_, sources)| sources).replace("\\ ", SPACE);
    let names: Vec<PathBuf> = named
        .split(' ')
        .map(|name| PathBuf::from(name.replace(SPACE, " ")))
        .collect();
    names.into_iter()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn a_program_that_is_older_than_one_of_its_sources_is_found() -> Outcome<()> {
        let folder = tempfile::tempdir()?;
        let [program, list, plain, spaced] =
            ["ccpor-hub", "ccpor-hub.d", "a.rs", "b c.rs"].map(|name| folder.path().join(name));
        for file in [&program, &plain, &spaced] {
            fs::write(file, "")?;
        }
        let set = |file: &Path, age_s| {
            let when = SystemTime::now() - Duration::from_secs(age_s);
            fs::File::options().write(true).open(file)?.set_modified(when)
        };
        set(&program, 50)?;
        set(&plain, 60)?;
        set(&spaced, 40)?;
        assert_eq!(newer_source(&program)?, None, "nothing is listed");
        let named = |path: &Path| path.display().to_string().replace(' ', "\\ ");
        fs::write(
            &list,
            format!("{}: {} {}\n", named(&program), named(&plain), named(&spaced)),
        )?;
        assert_eq!(newer_source(&program)?, Some(spaced.clone()));
        set(&program, 30)?;
        assert_eq!(newer_source(&program)?, None);
        fs::remove_file(&spaced)?;
        assert_eq!(newer_source(&program)?, None);
        Ok(())
    }
}
