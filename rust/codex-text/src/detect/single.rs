//! Single-byte encodings, by how much like a language the text in each of them reads.
//!
//! The cost of a reading is the sum over its pairs of characters of -ln P(next | this) in the language that suits it best. Pairs of
//! ASCII bytes read alike in all encodings: they tell the language only, and no more than `ASCII_LIMIT` of it.

use std::collections::HashSet;
use std::sync::{LazyLock, OnceLock};

use super::Limits;
use super::model::{FOREIGN, LANGUAGES, NAT, SPACE, shared_class};
use crate::codec::{Listed, single_byte_codecs};

/// How much of the ASCII pairs' evidence for a language counts, in sixteenths, and at most, in costs.
const ASCII_WEIGHT: u32 = 6;
const ASCII_LIMIT: u32 = 10 * NAT;

/// A reading of the bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    pub(crate) name: &'static str,
    pub(crate) language: &'static str,
    /// Sixteenths of a nat.
    pub(crate) cost: u32,
}

/// An encoding with what scoring asks of its bytes.
struct Candidate {
    name: &'static str,
    family: Family,
    prior: u32,
    characters: [char; 256],
    /// 0 no case, 1 lower, 2 upper.
    case: [u8; 256],
    /// What a byte costs besides, where the language does not have its character.
    extra: [u8; 256],
    /// The class of each high byte, by language.
    classes: Vec<OnceLock<Box<[u8; 256]>>>,
}

/// What an encoding costs before any byte is read, in nats; those not named cost `RARE`.
const PRIORS: &[(&str, u32)] = &[
    ("cp1252", 0),
    ("cp1250", 1),
    ("cp1251", 1),
    ("cp1253", 1),
    ("cp1254", 1),
    ("cp1255", 1),
    ("cp1256", 1),
    ("cp1257", 1),
    ("cp1258", 1),
    ("cp874", 1),
    ("cp866", 1),
    ("koi8-r", 1),
    ("koi8-u", 1),
    ("iso8859-1", 1),
    ("iso8859-15", 1),
    ("iso8859-2", 1),
    ("iso8859-4", 1),
    ("iso8859-5", 1),
    ("iso8859-6", 1),
    ("iso8859-7", 1),
    ("iso8859-8", 1),
    ("iso8859-9", 1),
    ("iso8859-13", 1),
    ("cp437", 2),
    ("cp720", 2),
    ("cp737", 2),
    ("cp775", 2),
    ("cp850", 2),
    ("cp852", 2),
    ("cp855", 2),
    ("cp857", 2),
    ("cp862", 2),
    ("mac-roman", 2),
    ("mac-latin2", 2),
    ("mac-cyrillic", 2),
    ("mac-greek", 2),
    ("mac-turkish", 2),
    ("iso8859-16", 2),
    ("cp037", 2),
    ("cp500", 2),
];
const RARE: u32 = 6;
const EBCDIC: [&str; 7] = ["cp037", "cp1026", "cp1140", "cp273", "cp424", "cp500", "cp875"];
/// Not text, or the same text as a better known one.
const LEFT_OUT: [&str; 2] = ["ascii", "cp1006"];

static CANDIDATES: LazyLock<Vec<Candidate>> = LazyLock::new(|| {
    let mut candidates: Vec<Candidate> = single_byte_codecs()
        .filter(|listed| !LEFT_OUT.contains(&listed.name()))
        .map(Candidate::new)
        .collect();
    candidates.sort_by_key(|candidate| candidate.prior);
    candidates
});

/// Which encodings are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// Those in which ASCII bytes are ASCII.
    Ascii,
    Ebcdic,
}

impl Candidate {
    fn new(listed: &'static Listed) -> Self {
        let characters = *listed.single_byte_characters();
        let prior = PRIORS
            .iter()
            .find(|(name, _)| *name == listed.name())
            .map_or(RARE, |(_, nats)| *nats);
        Self {
            name: listed.name(),
            family: if EBCDIC.contains(&listed.name()) {
                Family::Ebcdic
            } else {
                Family::Ascii
            },
            prior: prior * NAT,
            characters,
            case: characters.map(case),
            extra: characters.map(foreign_cost),
            classes: LANGUAGES.iter().map(|_| OnceLock::new()).collect(),
        }
    }

    fn classes(&self, language: usize) -> &[u8; 256] {
        self.classes[language].get_or_init(|| {
            let language = &LANGUAGES[language];
            let mut classes = self.characters.map(|character| match character {
                '\0' => FOREIGN,
                _ => language.class_of(character),
            });
            if self.family == Family::Ascii {
                // `mac-arabic` has ASCII's signs twice: no one means a plain space by a0.
                for (class, character) in classes[0x80..].iter_mut().zip(&self.characters[0x80..]) {
                    if character.is_ascii() {
                        *class = FOREIGN;
                    }
                }
            }
            Box::new(classes)
        })
    }
}

fn case(character: char) -> u8 {
    if character.is_lowercase() {
        1
    } else if character.is_uppercase() {
        2
    } else {
        0
    }
}

/// What a character of no language's costs besides, in sixteenths of a nat.
fn foreign_cost(character: char) -> u8 {
    const NATS: u8 = 16;
    const _: () = assert!(NATS as u32 == NAT);
    match character {
        '\0' => 15 * NATS,
        '\u{80}'..='\u{9f}' | '\u{e000}'..='\u{f8ff}' => 10 * NATS,
        _ if character.is_alphabetic() => 5 * NATS,
        _ => 6 * NATS,
    }
}

/// The cost of `next` after `this` by case alone.
const CASES: [[u32; 3]; 3] = [[0, 3, 26], [0, 0, 88], [0, 6, 16]];

/// Pairs of bytes with how often each occurs: those with a high byte, and the others by their classes.
struct Pairs {
    high: Vec<(u8, u8, u32)>,
    ascii: Vec<(u8, u8, u32)>,
}

impl Pairs {
    fn of(evidence: &[u8], family: Family) -> Self {
        let mut counts = vec![0u32; 1 << 16];
        let mut found: Vec<u16> = Vec::new();
        let mut this = b'\n';
        let end = (family == Family::Ascii).then_some(b'\n');
        for next in evidence.iter().copied().chain(end) {
            let mut pair = [this, next];
            if pair.is_ascii() && family == Family::Ascii {
                pair = pair.map(shared_class);
            }
            this = next;
            let place = u16::from_be_bytes(pair);
            if counts[usize::from(place)] == 0 {
                found.push(place);
            }
            counts[usize::from(place)] += 1;
        }
        // The frequent ones first, so that a bad reading soon falls behind.
        found.sort_unstable_by_key(|place| (std::cmp::Reverse(counts[usize::from(*place)]), *place));
        let (mut high, mut ascii) = (Vec::new(), Vec::new());
        for place in found {
            let [a, b] = place.to_be_bytes();
            let count = counts[usize::from(place)];
            if a >= 0x80 || b >= 0x80 || family == Family::Ebcdic {
                high.push((a, b, count));
            } else if a < SPACE || b < SPACE {
                ascii.push((a, b, count));
            }
        }
        Self { high, ascii }
    }
}

/// How far behind the best reading another may fall before it is given up, on the pairs read so far, besides a quarter of its cost.
const GIVEN_UP: u32 = 64 * NAT;
/// How many readings go on after so many pairs at most: what reads like nothing leaves none far behind, and must not cost more.
const ROUNDS: [(usize, usize); 7] = [
    (8, usize::MAX),
    (16, usize::MAX),
    (32, 1024),
    (64, 512),
    (128, 256),
    (256, 64),
    (usize::MAX, usize::MAX),
];

/// One candidate in one language, and what the pairs read so far cost.
struct Try {
    candidate: &'static Candidate,
    language: usize,
    cost: u32,
}

impl Try {
    fn read(&mut self, pairs: &[(u8, u8, u32)]) {
        let classes = self.candidate.classes(self.language);
        let model = &LANGUAGES[self.language];
        for (a, b, count) in pairs {
            let next = classes[usize::from(*b)];
            let extra = if next == FOREIGN {
                u32::from(self.candidate.extra[usize::from(*b)])
            } else {
                0
            };
            let [this_case, next_case] =
                [a, b].map(|byte| usize::from(self.candidate.case[usize::from(*byte)]));
            let case = CASES[this_case][next_case];
            self.cost += (model.cost(classes[usize::from(*a)], next) + extra + case) * count;
        }
    }
}

/// Reads the pairs, the frequent ones first, in all `tries`; leaves those that did not fall behind, the likeliest first.
fn race(pairs: &[(u8, u8, u32)], tries: &mut Vec<Try>) {
    let mut done = 0;
    for (until, most) in ROUNDS {
        let until = until.min(pairs.len());
        for one in tries.iter_mut() {
            one.read(&pairs[done..until]);
        }
        done = until;
        let least = tries.iter().map(|one| one.cost).min().unwrap_or(0);
        tries.retain(|one| one.cost <= least + least / 4 + GIVEN_UP);
        if tries.len() > most || done == pairs.len() {
            tries.sort_by_key(|one| one.cost); // stable: of equals the better known first
            tries.truncate(most);
        }
        if done == pairs.len() {
            break;
        }
    }
}

/// The readings of the evidence in the encodings allowed, the likeliest first; `present` are the bytes of the whole file.
pub(crate) fn rank(evidence: &[u8], present: &[u64; 256], family: Family, limits: &Limits) -> Vec<Reading> {
    let pairs = Pairs::of(evidence, family);
    let first = if family == Family::Ascii { 0x80 } else { 0 };
    let bytes: Vec<usize> = (first..0x100).filter(|byte| present[*byte] > 0).collect();
    let ascii: Vec<u32> = LANGUAGES
        .iter()
        .map(|language| {
            pairs
                .ascii
                .iter()
                .map(|(a, b, n)| language.cost(*a, *b) * n)
                .sum()
        })
        .collect();
    let least = ascii.iter().copied().min().unwrap_or(0);
    let ascii: Vec<u32> = ascii
        .iter()
        .map(|cost| ((cost - least) * ASCII_WEIGHT / 16).min(ASCII_LIMIT))
        .collect();
    let mut languages: Vec<usize> = (0..LANGUAGES.len()).collect();
    languages.sort_by_key(|language| ascii[*language]);
    let mut seen: HashSet<Vec<char>> = HashSet::new();
    let mut tries: Vec<Try> = Vec::new();
    let mut candidates: Vec<&'static Candidate> = CANDIDATES
        .iter()
        .filter(|candidate| candidate.family == family && limits.allows(candidate.name))
        .collect();
    candidates.sort_by_key(|candidate| limits.hint.as_deref() != Some(candidate.name));
    for candidate in candidates {
        let key: Vec<char> = bytes.iter().map(|byte| candidate.characters[*byte]).collect();
        // Of encodings that read these bytes alike, the one hinted at comes first, else the best known.
        if !seen.insert(key) {
            continue;
        }
        let holes: u32 = bytes
            .iter()
            .map(|byte| u32::from(candidate.characters[*byte] == '\0'))
            .sum();
        let start = candidate.prior + holes * 20 * NAT;
        tries.extend(languages.iter().map(|language| Try {
            candidate,
            language: *language,
            cost: start + ascii[*language],
        }));
    }
    race(&pairs.high, &mut tries);
    let mut told: HashSet<&str> = HashSet::new();
    tries.retain(|one| told.insert(one.candidate.name));
    tries
        .iter()
        .map(|one| Reading {
            name: one.candidate.name,
            language: LANGUAGES[one.language].name,
            cost: one.cost,
        })
        .collect()
}
