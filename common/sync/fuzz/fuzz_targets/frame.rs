#![no_main]

#[path = "../../tests/hostile_bytes/body.rs"]
#[allow(dead_code, reason = "each target uses one of the bodies")]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::frame(bytes));
