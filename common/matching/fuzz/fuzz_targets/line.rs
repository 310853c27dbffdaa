#![no_main]

#[path = "../../tests/hostile/mod.rs"]
#[allow(dead_code, reason = "each target uses one of the bodies")]
mod hostile;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hostile::line(bytes));
