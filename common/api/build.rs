//! Compiles the message definitions; needs no protoc on the machine.

use std::path::PathBuf;

use prost::Message as _;

const PROTO_DIR: &str = "proto";
const PROTO_FILE: &str = "ccpor/v1/registry.proto";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed={PROTO_DIR}");
    let descriptors = protox::compile([PROTO_FILE], [PROTO_DIR])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("ccpor_v1.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .type_attribute(
            ".ccpor.v1",
            "#[derive(serde::Serialize, serde::Deserialize, utoipa::ToSchema)] #[serde(default, deny_unknown_fields)]",
        )
        // Bytes of images never travel as JSON.
        .bytes(".ccpor.v1")
        .field_attribute(".ccpor.v1.AttachImageRequest.data", "#[serde(skip)] #[schema(ignore)]")
        .field_attribute(".ccpor.v1.ImageChunk.data", "#[serde(skip)] #[schema(ignore)]")
        .compile_fds(descriptors)?;
    Ok(())
}
