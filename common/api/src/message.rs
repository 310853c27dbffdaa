//! The messages as compiled from `proto/ccpor/v1`; they only carry, and decide nothing.
//!
//! Each message is protobuf and, by serde, JSON with the same field names; unknown JSON
//! fields are refused in requests and passed over in answers.

#![allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    reason = "written by the compiler of the .proto files"
)]

tonic::include_proto!("ccpor.v1");

/// The definitions of all messages and services (an encoded `FileDescriptorSet`), for gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/ccpor_v1.bin"));
