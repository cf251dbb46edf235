//! Any bytes: `cargo +nightly fuzz run detect` in `rust/codex-text`.

#![no_main]

use libfuzzer_sys::fuzz_target;

include!("../../src/detect/check.rs");

fuzz_target!(|data: &[u8]| {
    let mut bytes = data.iter().cycle();
    check(data, |below| usize::from(*bytes.next().unwrap_or(&0)) * 257 % below.max(1));
});
