//! Compiles the message definitions; needs no protoc on the machine.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use prost::Message as _;
use prost_types::{DescriptorProto, FileDescriptorSet};

const PROTO_DIR: &str = "proto";
const PROTO_FILE: &str = "ccpor/v1/registry.proto";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed={PROTO_DIR}");
    let descriptors = protox::compile([PROTO_FILE], [PROTO_DIR])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("ccpor_v1.bin"), descriptors.encode_to_vec())?;
    let mut messages = tonic_prost_build::configure().type_attribute(
        ".ccpor.v1",
        "#[derive(serde::Serialize, serde::Deserialize, utoipa::ToSchema)] #[serde(default)]",
    );
    // A typing error in a request is told; an answer may grow under the hands of an older reader.
    for name in asked(&descriptors) {
        messages = messages.type_attribute(name, "#[serde(deny_unknown_fields)]");
    }
    messages
        // Bytes of images never travel as JSON.
        .bytes(".ccpor.v1")
        .field_attribute(
            ".ccpor.v1.AttachImageRequest.data",
            "#[serde(skip)] #[schema(ignore)]",
        )
        .field_attribute(
            ".ccpor.v1.AddScanRequest.data",
            "#[serde(skip)] #[schema(ignore)]",
        )
        .field_attribute(".ccpor.v1.ImageChunk.data", "#[serde(skip)] #[schema(ignore)]")
        .compile_fds(descriptors)?;
    Ok(())
}

/// The full names of the messages that a request is or holds.
fn asked(descriptors: &FileDescriptorSet) -> BTreeSet<String> {
    let messages: BTreeMap<String, &DescriptorProto> = descriptors
        .file
        .iter()
        .flat_map(|file| {
            file.message_type
                .iter()
                .map(|message| (format!(".{}.{}", file.package(), message.name()), message))
        })
        .collect();
    let mut found = BTreeSet::new();
    let mut open: Vec<String> = messages
        .keys()
        .filter(|name| name.ends_with("Request"))
        .cloned()
        .collect();
    while let Some(name) = open.pop() {
        if let Some(message) = messages.get(&name).filter(|_| found.insert(name.clone())) {
            open.extend(message.field.iter().map(|field| field.type_name().to_owned()));
        }
    }
    found
}
