//! Writes the files of the pages into the program: each as it is and, where that is smaller, compressed.

use std::io::Write as _;
use std::path::Path;

use crate::style::Files;

/// Writes `assets.rs` and what it includes.
pub(crate) fn write(files: &Files, out: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let folder = out.join("assets");
    std::fs::create_dir_all(&folder)?;
    let mut hash = blake3::Hasher::new();
    let mut table = String::new();
    for (place, (name, bytes)) in files.iter().enumerate() {
        hash.update(name.as_bytes());
        hash.update(bytes);
        let plain = folder.join(format!("{place}"));
        std::fs::write(&plain, bytes)?;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes)?;
        let small = encoder.finish()?;
        let gzip = if small.len() < bytes.len() {
            let file = folder.join(format!("{place}.gz"));
            std::fs::write(&file, small)?;
            format!("Some(include_bytes!({file:?}))")
        } else {
            "None".to_owned()
        };
        let media = media(name)?;
        table.push_str(&format!(
            "Asset {{ name: {name:?}, media: {media:?}, bytes: include_bytes!({plain:?}), gzip: {gzip} }},\n"
        ));
    }
    let version = hash.finalize().to_hex();
    let version = version.get(..16).unwrap_or_default();
    let text = format!(
        "/// Changes with any of the files, so that a browser may keep them for good.\n\
         pub(crate) const VERSION: &str = {version:?};\n\
         static ASSETS: &[Asset] = &[\n{table}];\n"
    );
    std::fs::write(out.join("assets.rs"), text)?;
    Ok(())
}

fn media(name: &str) -> Result<&'static str, String> {
    match name.rsplit('.').next() {
        Some("css") => Ok("text/css; charset=utf-8"),
        Some("js") => Ok("text/javascript; charset=utf-8"),
        Some("svg") => Ok("image/svg+xml"),
        Some("woff2") => Ok("font/woff2"),
        _ => Err(format!("{name} is of no kind that the pages serve")),
    }
}
