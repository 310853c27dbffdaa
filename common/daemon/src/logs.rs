//! Logs: to standard error, as text for people or as JSON for machines; ids only, never a person's data.

use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

/// What is logged, and how.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSettings {
    /// `error`, `warn`, `info`, `debug`, or a list such as `info,quinn=warn`.
    pub level: String,
    /// `text` or `json`.
    pub format: LogFormat,
}

/// The form of the log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", try_from = "String")]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// One JSON object a line.
    Json,
}

impl TryFrom<String> for LogFormat {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        match word.as_str() {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("a log is written as text or json".to_owned()),
        }
    }
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            level: "info".into(),
            format: LogFormat::Text,
        }
    }
}

/// Why logging cannot be started.
#[derive(Debug, thiserror::Error)]
#[error(
    "log.level is not understood: {0}. Use error, warn, info or debug, or a list such as \"info,quinn=warn\""
)]
pub struct LevelRefused(String);

/// Starts logging for the whole process.
///
/// # Errors
/// [`LevelRefused`] when the level does not parse.
pub fn start(settings: &LogSettings) -> Result<(), LevelRefused> {
    let filter = EnvFilter::builder()
        .parse(&settings.level)
        .map_err(|error| LevelRefused(error.to_string()))?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // A log that cannot be written must not end the thread that writes it; telling so on the same output would.
        .log_internal_errors(false);
    // A second start in one process, as tests do, keeps the first.
    let _started = match settings.format {
        LogFormat::Text => lines.with_ansi(false).try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    Ok(())
}
