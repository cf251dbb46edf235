//! Damage of every kind, from a seed: nothing panics, any cut gives the same answer, and so does a second look.
//! `CODEX_TORTURE_FUZZ=5000000` runs longer than the suite does; `fuzz/` of this crate is a target of `cargo fuzz` that checks the same.

use super::tests::{RUSSIAN, encoded};
use crate::dice::dice;

include!("check.rs");

#[test]
fn mutated_bytes_are_answered_alike_however_they_come() {
    let rounds = std::env::var("CODEX_TORTURE_FUZZ").map_or(400, |text| text.parse::<usize>().unwrap() / 100);
    let mut random = dice(42);
    let seeds = [
        encoded(RUSSIAN, "cp1251"),
        RUSSIAN.as_bytes().to_vec(),
        RUSSIAN.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        b"\x1b$B$\"$$\x1b(B ~{VPND~} +AOk- plain\r\n".to_vec(),
        b"\x8d\xbb\x8e\x91\x82\xcc\x97[\x95\xfb\n\xba\xf2\xcc\xeb\xcd\xed\xc9\xcf".to_vec(),
    ];
    for round in 0..rounds {
        let mut data: Vec<u8> = Vec::new();
        for _ in 0..=random(if round % 40 == 0 { 4000 } else { 4 }) {
            data.extend_from_slice(&seeds[random(seeds.len())]);
        }
        for _ in 0..random(6).min(data.len()) {
            let at = random(data.len());
            match random(3) {
                0 => data[at] = random(256).to_le_bytes()[0],
                1 if data.len() > 1 => drop(data.remove(at)),
                _ => data.truncate(at + 1),
            }
        }
        check(&data, &mut random);
    }
}
