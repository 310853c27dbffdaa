//! Makes what the pages need at compile time: the style sheet from the U.S. Web Design System, and the catalogue of words.

mod files;
mod style;
mod words;

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=ui");
    println!("cargo:rerun-if-changed=words");
    println!("cargo:rerun-if-changed=build");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    words::write(&PathBuf::from("words"), &out.join("words.rs"))?;
    let system = style::install(&PathBuf::from("ui"), &out.join("ui"))?;
    let files = style::compile(&system)?;
    files::write(&files, &out)?;
    Ok(())
}
