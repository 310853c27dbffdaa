//! Settings: built-in values, then the file and its drop-ins, then the environment, then flags; every value knows where it came from.

use std::path::PathBuf;

use config::{Config, Environment, File, FileFormat, Value, ValueKind};
use serde::{Serialize, de::DeserializeOwned};

use crate::exit::Exit;

/// Where the layers of one program's settings lie.
#[derive(Clone, Debug)]
pub struct Layers {
    /// Prefix of the environment variables: `CCPOR_NODE` reads `CCPOR_NODE__API__LISTEN` as `api.listen`.
    pub environment: &'static str,
    /// The file named on the command line; it must exist.
    pub file: Option<PathBuf>,
    /// The file that is read when none is named; it may be missing.
    pub usual_file: PathBuf,
    /// Settings given as flags, strongest of all: dotted key and value.
    pub flags: Vec<(String, String)>,
}

/// The settings of a program and the origin of each value.
#[derive(Clone, Debug)]
pub struct Loaded<T> {
    /// The settings.
    pub settings: T,
    /// Every value with its origin, sorted by key.
    pub values: Vec<Shown>,
}

/// One value as `config show` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Dotted key, `api.listen`.
    pub key: String,
    /// The value in TOML's notation.
    pub value: String,
    /// Where it came from: `built in`, a file's path, `environment` or `flag`.
    pub origin: String,
}

/// Why settings are refused. All of them end the program with exit code 2.
#[derive(Debug, thiserror::Error)]
pub enum SettingsRefused {
    /// The named file is not there or cannot be read.
    #[error(
        "the configuration file {path} cannot be read: {reason}. Check the path and that this user may read it"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// A key that this program does not know.
    #[error(
        "{key} (from: {origin}) is not a setting of this program. See the annotated example configuration, or `config show` \
         for the known keys"
    )]
    Unknown {
        /// The key.
        key: String,
        /// Where it was set.
        origin: String,
    },
    /// A value of the wrong kind, or a file of the wrong form.
    #[error("{reason}. See the annotated example configuration, or `config show` for the known keys")]
    NotUnderstood {
        /// What is wrong, with the key and its origin where known.
        reason: String,
    },
}

/// Reads all layers into `T`, whose serde form must deny unknown fields.
///
/// # Errors
/// [`SettingsRefused`] when a layer cannot be read, a key is unknown, or a value does not fit.
pub fn load<T>(layers: &Layers) -> Result<Loaded<T>, SettingsRefused>
where
    T: Default + Serialize + DeserializeOwned,
{
    let built_in = built_in(&T::default())?;
    let mut known = Vec::new();
    show("", &built_in.cache, &mut known);
    let mut builder = Config::builder().add_source(built_in);
    for path in files(layers)? {
        let text = std::fs::read_to_string(&path).map_err(|error| SettingsRefused::Unreadable {
            path: path.clone(),
            reason: error.to_string(),
        })?;
        drop(text);
        builder = builder.add_source(File::from(path).format(FileFormat::Toml));
    }
    let environment = Environment::with_prefix(layers.environment)
        .prefix_separator("__")
        .separator("__")
        .try_parsing(true);
    builder = builder.add_source(environment);
    for (key, value) in &layers.flags {
        let value = Value::new(Some(&"flag".to_owned()), parsed(value));
        builder = builder
            .set_override(key, value)
            .map_err(|error| not_understood(&error))?;
    }
    let all = builder.build().map_err(|error| not_understood(&error))?;
    let mut values = Vec::new();
    show("", &all.cache, &mut values);
    values.sort_by(|a, b| a.key.cmp(&b.key));
    // Told here rather than by the deserializer, which does not know which layer brought the key.
    if let Some(unknown) = values
        .iter()
        .find(|value| !known.iter().any(|known| known.key == value.key))
    {
        let Shown { key, origin, .. } = unknown.clone();
        return Err(SettingsRefused::Unknown { key, origin });
    }
    let settings = all.try_deserialize().map_err(|error| not_understood(&error))?;
    Ok(Loaded { settings, values })
}

/// The values that stand when nothing is set. The library leaves out lists that are empty, which are settings as well.
fn built_in(settings: &impl Serialize) -> Result<Config, SettingsRefused> {
    let values = Config::try_from(settings).map_err(|error| not_understood(&error))?;
    let mut builder = Config::builder().add_source(values);
    let tree = serde_json::to_value(settings).unwrap_or_default();
    let mut empty = Vec::new();
    empty_lists("", &tree, &mut empty);
    for key in empty {
        builder = builder
            .set_default(key, Vec::<Value>::new())
            .map_err(|error| not_understood(&error))?;
    }
    builder.build().map_err(|error| not_understood(&error))
}

fn empty_lists(prefix: &str, value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Array(list) if list.is_empty() => found.push(prefix.to_owned()),
        serde_json::Value::Object(table) => {
            for (key, value) in table {
                empty_lists(&dotted(prefix, key), value, found);
            }
        }
        _ => {}
    }
}

fn dotted(prefix: &str, key: &str) -> String {
    if prefix.is_empty() {
        key.to_owned()
    } else {
        format!("{prefix}.{key}")
    }
}

/// The file and its drop-ins: `node.toml`, then `node.d/*.toml` in the order of their names.
fn files(layers: &Layers) -> Result<Vec<PathBuf>, SettingsRefused> {
    let main = match &layers.file {
        Some(named) => named.clone(),
        None if layers.usual_file.exists() => layers.usual_file.clone(),
        None => return Ok(Vec::new()),
    };
    let drop_ins = main.with_extension("d");
    let mut more = match std::fs::read_dir(&drop_ins) {
        Ok(entries) => entries
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            return Err(SettingsRefused::Unreadable {
                path: drop_ins,
                reason: error.to_string(),
            });
        }
    };
    more.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    more.sort();
    more.insert(0, main);
    Ok(more)
}

fn parsed(text: &str) -> ValueKind {
    if let Ok(flag) = text.parse::<bool>() {
        ValueKind::Boolean(flag)
    } else if let Ok(number) = text.parse::<i64>() {
        ValueKind::I64(number)
    } else {
        ValueKind::String(text.to_owned())
    }
}

fn show(prefix: &str, value: &Value, shown: &mut Vec<Shown>) {
    if let ValueKind::Table(table) = &value.kind {
        for (key, value) in table {
            show(&dotted(prefix, key), value, shown);
        }
        return;
    }
    let origin = match value.origin() {
        None => "built in".to_owned(),
        Some("flag") => "flag".to_owned(),
        Some(origin) if origin.contains("environment") => "environment".to_owned(),
        Some(origin) => absolute(origin),
    };
    let text = match &value.kind {
        ValueKind::String(text) => format!("{text:?}"),
        ValueKind::Nil => "(none)".to_owned(),
        other => other.to_string(),
    };
    shown.push(Shown {
        key: prefix.to_owned(),
        value: text,
        origin,
    });
}

/// The library names a file by its way from the working directory; people look for it by its full name.
/// The layers name files as seen from the working directory; people know them by their full path.
fn absolute(path: &str) -> String {
    std::fs::canonicalize(path).map_or_else(|_| path.to_owned(), |path| path.display().to_string())
}

fn not_understood(error: &config::ConfigError) -> SettingsRefused {
    SettingsRefused::NotUnderstood {
        reason: error.to_string(),
    }
}

/// Ways to look at the settings.
#[derive(Clone, Copy, Debug, clap::Subcommand)]
pub enum Look {
    /// Print every setting with its value and where it came from.
    #[command(after_help = "Examples:\n  ... config show\n  ... --set log.level=debug config show --json")]
    Show {
        /// One JSON array for programs.
        #[arg(long)]
        json: bool,
    },
}

impl Look {
    /// Prints the settings to standard output.
    #[must_use]
    pub fn print(self, values: &[Shown]) -> Exit {
        let Self::Show { json } = self;
        if json {
            return match serde_json::to_string_pretty(values) {
                Ok(text) => {
                    println!("{text}");
                    Exit::Done
                }
                Err(_) => Exit::Failed,
            };
        }
        let wide = |of: fn(&Shown) -> &String| values.iter().map(|shown| of(shown).len()).max().unwrap_or(0);
        let (keys, texts) = (wide(|shown| &shown.key), wide(|shown| &shown.value));
        for shown in values {
            println!("{:keys$}  {:texts$}  {}", shown.key, shown.value, shown.origin);
        }
        Exit::Done
    }
}

/// Reads `KEY=VALUE` from the command line.
///
/// # Errors
/// In words when it has no `=`.
pub fn flag(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE, for example api.listen=0.0.0.0:8443".into()),
    }
}
