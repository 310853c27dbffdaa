//! The file of named contexts: which machine to ask and with which certificate. It holds paths, never keys.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use ccpor_daemon::exit::Exit;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// One machine and the certificate to show it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Context {
    /// `host:port` of the programming interface of a node or the hub.
    pub(crate) endpoint: String,
    /// The identity directory with certificate and key.
    pub(crate) identity: PathBuf,
    /// The agency (ORI) that calls are made for; empty when the certificate names only one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) ori: String,
}

/// All contexts, and which one is used when none is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Contexts {
    /// The name of the context in use.
    #[serde(default)]
    pub(crate) current: Option<String>,
    /// By name.
    #[serde(default)]
    pub(crate) contexts: BTreeMap<String, Context>,
}

impl Contexts {
    /// Where the file lies: `$CCPOR_CONFIG`, else `$XDG_CONFIG_HOME/ccpor/contexts.json`, else below `~/.config`.
    pub(crate) fn usual_path() -> Result<PathBuf, Failure> {
        let set = |name: &str| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        if let Some(file) = set("CCPOR_CONFIG") {
            return Ok(file);
        }
        let config = set("XDG_CONFIG_HOME")
            .filter(|path| path.is_absolute())
            .or_else(|| set("HOME").map(|home| home.join(".config")))
            .ok_or_else(|| {
                Failure::usage(
                    "there is no home directory to keep contexts in",
                    "Set CCPOR_CONFIG to the path of a file.",
                )
            })?;
        Ok(config.join("ccpor").join("contexts.json"))
    }

    /// Reads the file; a file that is not there has no contexts.
    pub(crate) fn load(path: &Path) -> Result<Self, Failure> {
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => {
                return Err(Failure::file(
                    "reading the contexts",
                    path,
                    &error,
                    "See that this user may read the file.",
                ));
            }
        };
        serde_json::from_slice(&text).map_err(|error| {
            Failure::usage(
                format!("the contexts in {} are not understood: {error}", path.display()),
                "Correct the file, or move it away and add the contexts anew with `ccpor context add`.",
            )
        })
    }

    /// Writes the file anew, whole or not at all, readable by this user alone.
    pub(crate) fn save(&self, path: &Path) -> Result<(), Failure> {
        let failed = |error: std::io::Error| {
            Failure::file(
                "writing the contexts",
                path,
                &error,
                "See that this user may write there, and that there is room.",
            )
        };
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(failed)?;
        let mut text = serde_json::to_vec_pretty(self).map_err(|error| crate::screen::unprintable(&error))?;
        text.push(b'\n');
        // A temporary file of `tempfile` has mode 0600 from the start.
        let mut file = tempfile::NamedTempFile::new_in(directory).map_err(failed)?;
        file.write_all(&text).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(path).map_err(|error| failed(error.error))?;
        std::fs::File::open(directory)
            .and_then(|directory| directory.sync_all())
            .map_err(failed)
    }

    /// The context of that name, or the one in use.
    pub(crate) fn get(&self, name: Option<&str>) -> Result<Option<(&str, &Context)>, Failure> {
        let Some(wanted) = name.or(self.current.as_deref()) else {
            return Ok(None);
        };
        match self.contexts.get_key_value(wanted) {
            Some((name, context)) => Ok(Some((name, context))),
            None => Err(Failure::own(
                Exit::NotFound,
                format!("there is no context `{wanted}`"),
                "See the names with `ccpor context list`, or add it with `ccpor context add`.",
            )),
        }
    }
}

/// A name that can be typed without quotes.
pub(crate) fn valid_name(name: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if (1..=64).contains(&name.len()) && name.chars().all(allowed) {
        Ok(name.to_owned())
    } else {
        Err("a name has 1 to 64 letters, digits, dots, hyphens and underscores".into())
    }
}

/// `host:port`, `[v6]:port`.
pub(crate) fn valid_endpoint(text: &str) -> Result<String, String> {
    let shape = "expected HOST:PORT, for example node.alameda.example:8443 or [::1]:8443";
    let (host, port) = text.rsplit_once(':').ok_or(shape)?;
    let bare_v6 = host.contains(':') && !(host.starts_with('[') && host.ends_with(']'));
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '@' | '?' | '#');
    if host.is_empty() || bare_v6 || host.contains(odd) || !port.parse::<u16>().is_ok_and(|port| port > 0) {
        return Err(shape.into());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn two() -> Contexts {
        let context = |port: u16| Context {
            endpoint: format!("127.0.0.1:{port}"),
            identity: "/tmp/identity".into(),
            ori: String::new(),
        };
        Contexts {
            current: Some("a".into()),
            contexts: [("a".to_owned(), context(1)), ("b".to_owned(), context(2))].into(),
        }
    }

    #[test]
    fn the_file_is_for_its_owner_alone_and_comes_back_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/er/contexts.json");
        two().save(&path).unwrap();
        assert_eq!(Contexts::load(&path).unwrap(), two());
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let parent = std::fs::metadata(path.parent().unwrap()).unwrap();
        assert_eq!(parent.permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_new_version_takes_the_place_of_the_old_one_and_leaves_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("contexts.json");
        std::fs::write(&path, "{}").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        two().save(&path).unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn when_it_cannot_be_written_the_old_file_stands() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("contexts.json");
        std::fs::create_dir(&path).unwrap();
        assert!(two().save(&path).is_err());
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn no_file_is_no_contexts_and_a_broken_one_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("contexts.json");
        assert_eq!(Contexts::load(&path).unwrap(), Contexts::default());
        std::fs::write(&path, "{\"contexts\": 7").unwrap();
        assert_eq!(Contexts::load(&path).unwrap_err().exit(), Exit::Usage);
    }

    #[test]
    fn the_named_context_goes_before_the_one_in_use() {
        let contexts = two();
        assert_eq!(contexts.get(None).unwrap().unwrap().0, "a");
        assert_eq!(contexts.get(Some("b")).unwrap().unwrap().0, "b");
        assert_eq!(contexts.get(Some("c")).unwrap_err().exit(), Exit::NotFound);
        assert!(Contexts::default().get(None).unwrap().is_none());
    }

    #[test]
    fn endpoints_are_host_and_port() {
        for good in ["127.0.0.1:8443", "node.alameda.example:1", "[::1]:8443"] {
            assert_eq!(valid_endpoint(good).unwrap(), good);
        }
        for bad in [
            "",
            "host",
            "host:",
            ":1",
            "host:0",
            "host:99999",
            "::1:8443",
            "https://host:1",
            "a b:1",
        ] {
            assert!(valid_endpoint(bad).is_err(), "{bad}");
        }
        assert!(valid_name("demo-1").is_ok() && valid_name("a b").is_err() && valid_name("").is_err());
    }
}
