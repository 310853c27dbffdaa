//! Installs the design system as the lock file says, compiles the components that are used, and gathers the pictures and
//! fonts that the style sheet names. It writes into Cargo's own directory only.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

type Failure = Box<dyn std::error::Error>;

/// The files of the pages by their name below the assets' address.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// The icons that the pages use, of the design system's.
const ICONS: [&str; 27] = [
    "account_circle",
    "arrow_back",
    "cancel",
    "check_circle",
    "do_not_disturb",
    "event",
    "expand_more",
    "history",
    "image",
    "info",
    "language",
    "lock",
    "logout",
    "notifications_off",
    "people",
    "phone",
    "print",
    "radio_button_unchecked",
    "schedule",
    "search",
    "security",
    "update",
    "verified_user",
    "warning",
    "zoom_in",
    "zoom_out",
    "loop",
];

/// The directory with the packages in it, installed when the lock file has changed.
pub(crate) fn install(source: &Path, target: &Path) -> Result<PathBuf, Failure> {
    std::fs::create_dir_all(target)?;
    for entry in std::fs::read_dir(source)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), target.join(entry.file_name()))?;
        }
    }
    let lock = std::fs::read(target.join("package-lock.json"))?;
    let (stamp, now) = (target.join("installed"), blake3::hash(&lock).to_hex().to_string());
    if std::fs::read_to_string(&stamp).is_ok_and(|before| before == now) {
        return Ok(target.to_owned());
    }
    // Scripts of packages are not run, and nothing is taken that the lock file does not name with its hash.
    let arguments = [
        "ci",
        "--omit=optional",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
    ];
    run(Command::new("npm").args(arguments).current_dir(target), "npm")?;
    std::fs::write(stamp, now)?;
    Ok(target.to_owned())
}

/// The style sheet, the own script, and everything that the style sheet names.
pub(crate) fn compile(system: &Path) -> Result<Files, Failure> {
    let uswds = system.join("node_modules/@uswds/uswds");
    let mut sass = Command::new("node");
    sass.arg("node_modules/sass/sass.js").args([
        "--no-source-map",
        "--style=compressed",
        "--quiet-deps",
        "--load-path=node_modules/@uswds/uswds/packages",
        "pages.scss",
    ]);
    let css = String::from_utf8(run(sass.current_dir(system), "node")?)?;
    let mut files = Files::new();
    for name in named(&css) {
        let bytes = std::fs::read(uswds.join("dist").join(name))
            .map_err(|error| format!("the style sheet names {name}, which is not there: {error}"))?;
        files.insert(name.to_owned(), bytes);
    }
    files.insert("icons.svg".to_owned(), icons(&uswds)?.into_bytes());
    files.insert("pages.css".to_owned(), css.into_bytes());
    for own in ["pages.js", "icon.svg"] {
        files.insert(own.to_owned(), std::fs::read(system.join(own))?);
    }
    Ok(files)
}

/// The files that a style sheet names.
fn named(css: &str) -> impl Iterator<Item = &str> {
    let inside = css
        .split("url(")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    inside
        .map(|name| name.trim_matches('"'))
        .filter(|name| !name.is_empty())
}

/// One file with all icons, each to be used by its name.
fn icons(uswds: &Path) -> Result<String, Failure> {
    let mut sprite = String::from("<svg xmlns=\"http://www.w3.org/2000/svg\">");
    for name in ICONS {
        let file = uswds.join("dist/img/usa-icons").join(name).with_extension("svg");
        let svg = std::fs::read_to_string(&file).map_err(|error| format!("the icon {name}: {error}"))?;
        let drawn = svg
            .split_once('>')
            .and_then(|(_, rest)| rest.rsplit_once("</svg>"))
            .ok_or_else(|| format!("the icon {name} is no drawing"))?;
        sprite.push_str(&format!(
            "<symbol id=\"{name}\" viewBox=\"0 0 24 24\">{}</symbol>",
            drawn.0
        ));
    }
    sprite.push_str("</svg>");
    Ok(sprite)
}

/// What a command wrote; its own words when it failed.
fn run(command: &mut Command, program: &str) -> Result<Vec<u8>, Failure> {
    let output = match command.output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(format!(
                "{program} was not found: the style sheet of the pages is made with Node.js. Install the packages nodejs and \
                 npm (on Debian: apt-get install nodejs npm), then build again"
            )
            .into());
        }
        Err(error) => return Err(format!("{program} could not be started: {error}").into()),
    };
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!(
        "{program} failed while the style sheet of the pages was made. It needs the npm registry once, or npm's cache. It said: {said}"
    )
    .into())
}
