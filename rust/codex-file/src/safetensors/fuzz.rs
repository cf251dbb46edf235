//! Headers mutated at random from a fixed seed: the parser never panics, and what it takes the official library takes too, and
//! understands the same. `CODEX_TORTURE_FUZZ=5000000` runs longer than the suite does.

use safetensors::SafeTensors;

use super::{parse, parse_header};

/// `SplitMix64`: the same mutations on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    #[allow(clippy::cast_possible_truncation)] // below `end`
    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }
}

/// Headers to start from, each with the bytes of data it needs.
const SEEDS: [(&str, usize); 6] = [
    ("{}", 0),
    (
        r#"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}"#,
        24,
    ),
    (
        r#"{"b":{"dtype":"U8","shape":[4],"data_offsets":[8,12]},"a":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}  "#,
        12,
    ),
    (
        r#"{"e":{"dtype":"BF16","shape":[0,7],"data_offsets":[0,0]},"\u00fc\n":{"dtype":"BOOL","shape":[3],"data_offsets":[0,3]}}"#,
        3,
    ),
    (
        r#"{"f":{"dtype":"F4","shape":[6],"data_offsets":[0,3]},"c":{"dtype":"C64","shape":[1],"data_offsets":[3,11]}}"#,
        11,
    ),
    (
        r#"{ "x" : { "shape" : [ 1 , 1 ] , "dtype" : "F8_E4M3" , "data_offsets" : [ 0 , 1 ] } }"#,
        1,
    ),
];

/// Pieces that mean something to a parser of headers.
const WORDS: [&str; 24] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    " ",
    "0",
    "1",
    "-1",
    "1e3",
    "18446744073709551615",
    "18446744073709551616",
    "null",
    "\"dtype\"",
    "\"shape\"",
    "\"data_offsets\"",
    "\"__metadata__\"",
    "\"F64\"",
    "\"F6_E2M3\"",
    "\\u0000",
    "[[[[[[[[",
];

fn mutated(random: &mut Random) -> Vec<u8> {
    let (json, data_bytes) = SEEDS[random.below(SEEDS.len())];
    let mut json = json.as_bytes().to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(json.len() + 1);
        let until = (at + random.below(12)).min(json.len());
        match random.below(6) {
            0 if at < json.len() => json[at] ^= 1 << random.below(8),
            1 => drop(json.drain(at..until)),
            2 => drop(json.splice(at..at, random.pick(&WORDS).bytes())),
            3 => drop(json.splice(at..until, random.pick(&WORDS).bytes())),
            4 => {
                let piece = json[at..until].to_vec();
                let to = random.below(json.len() + 1);
                json.splice(to..to, piece);
            }
            _ => {
                // A digit for a digit: the mutation that most often still parses.
                let digits: Vec<usize> = (0..json.len()).filter(|&at| json[at].is_ascii_digit()).collect();
                if !digits.is_empty() {
                    json[digits[random.below(digits.len())]] = b"0123456789"[random.below(10)];
                }
            }
        }
    }
    let mut length = json.len() as u64;
    if random.below(16) == 0 {
        length = length.wrapping_add(random.next() >> random.below(64));
    }
    let mut file = length.to_le_bytes().to_vec();
    file.extend_from_slice(&json);
    let odd = usize::from(random.below(8) == 0);
    file.resize(file.len() + data_bytes + odd, 7);
    file
}

/// Name, dtype, shape and bytes.
type Understood<'a> = (String, String, Vec<u64>, &'a [u8]);

/// What our parser understands, in order of names; `None` if it refuses.
fn ours(file: &[u8]) -> Option<Vec<Understood<'_>>> {
    let parsed = parse(file).ok()?;
    let data = &file[parsed.data_start..];
    let range = |start: u64, end: u64| usize::try_from(start).unwrap()..usize::try_from(end).unwrap();
    let mut tensors: Vec<_> = parsed
        .tensors
        .into_iter()
        .map(|tensor| {
            (
                tensor.name,
                tensor.dtype.to_string(),
                tensor.shape,
                &data[range(tensor.start, tensor.end)],
            )
        })
        .collect();
    tensors.sort();
    Some(tensors)
}

fn theirs(file: &[u8]) -> Vec<Understood<'_>> {
    let parsed = SafeTensors::deserialize(file)
        .unwrap_or_else(|error| panic!("only we take {:?}: {error}", String::from_utf8_lossy(file)));
    let mut tensors: Vec<_> = parsed
        .tensors()
        .into_iter()
        .map(|(name, view)| {
            let shape = view.shape().iter().map(|&size| size as u64).collect();
            (name, view.dtype().to_string(), shape, view.data())
        })
        .collect();
    tensors.sort();
    tensors
}

#[test]
fn a_mutated_header_is_refused_or_understood_as_the_official_library_does() {
    let rounds = std::env::var("CODEX_TORTURE_FUZZ").map_or(200_000, |text| text.parse().unwrap());
    let mut random = Random(20_260_101);
    let mut accepted = 0;
    for _ in 0..rounds {
        let file = mutated(&mut random);
        let _ = parse_header(&file[..random.below(file.len() + 1)], file.len() as u64);
        if let Some(tensors) = ours(&file) {
            assert_eq!(tensors, theirs(&file), "{:?}", String::from_utf8_lossy(&file));
            accepted += 1;
        }
    }
    // Neither all nor none: a fuzzer that only meets one answer tests nothing.
    assert!(
        accepted > rounds / 100 && accepted < rounds * 9 / 10,
        "{accepted} of {rounds} were taken"
    );
}
