//! Single-byte encodings, by how much like a language the text in each of them reads.
//!
//! The cost of a reading is the sum over its pairs of characters of -ln P(next | this) in the language that suits it best. Pairs of
//! ASCII bytes read alike in all encodings: they tell the language only, and no more than `ASCII_LIMIT` of it.

use std::cell::OnceCell;
use std::cmp::Reverse;
use std::sync::LazyLock;

use super::Limits;
use super::alphabet::{ALPHABET, Symbol};
use super::model::{LANGUAGES, Language, NAT};
use super::pairs::Pairs;
use super::priors;
use crate::codec::{Listed, single_byte_codecs};

/// How much of the ASCII pairs' evidence for a language counts, in sixteenths, and at most, in costs: that much, and more for each byte
/// outside ASCII.
const ASCII_WEIGHT: u32 = 6;
const ASCII_LIMIT: u32 = 16 * NAT;
const ASCII_LIMIT_FOR_A_BYTE: u32 = NAT / 2;

/// What it costs at most that a script other than Latin has few letters among many of ASCII.
const FEW_LIMIT: u32 = 6 * NAT;

/// What it costs by the bytes' numbers alone that those outside ASCII are letters of a script other than Latin.
pub(crate) fn cost_of_few(evidence: &[u8]) -> u32 {
    let high = evidence.iter().filter(|byte| !byte.is_ascii()).count();
    let letters = evidence.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let cost = letters * NAT as usize / (2 * high.max(1));
    u32::try_from(cost).map_or(FEW_LIMIT, |cost| cost.min(FEW_LIMIT))
}

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
    /// The regions it is of, as bits.
    regions: u8,
    characters: [char; 256],
    symbols: [Symbol; 256],
    /// 0 neither of them, 1 a lower letter, 2 an upper one, 3 a sign that no language has for its own.
    case: [u8; 256],
}

const EBCDIC: [&str; 7] = ["cp037", "cp1026", "cp1140", "cp273", "cp424", "cp500", "cp875"];
/// Told by the scan alone.
const LEFT_OUT: &str = "ascii";

static CANDIDATES: LazyLock<Vec<Candidate>> = LazyLock::new(|| {
    let mut candidates: Vec<Candidate> = single_byte_codecs()
        .filter(|listed| listed.name() != LEFT_OUT)
        .map(Candidate::new)
        .collect();
    candidates.sort_by_key(|candidate| candidate.prior);
    candidates
});

/// The bytes that stand for nothing in the encoding of that name, if it is a single-byte one.
pub(crate) fn holes(name: &str) -> impl Iterator<Item = u8> {
    let candidate = CANDIDATES.iter().find(|candidate| candidate.name == name);
    let is_hole = move |byte: &u8| candidate.is_some_and(|of| of.characters[usize::from(*byte)] == '\0');
    (1..=u8::MAX).filter(is_hole)
}

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
        let family = if EBCDIC.contains(&listed.name()) {
            Family::Ebcdic
        } else {
            Family::Ascii
        };
        let mut symbols = characters.map(|character| ALPHABET.symbol(character));
        if family == Family::Ebcdic {
            for (symbol, character) in symbols.iter_mut().zip(&characters) {
                if character.is_control() && !NEWLINES.contains(character) {
                    *symbol = ALPHABET.stranger('\u{80}');
                }
            }
        } else {
            // `mac-arabic` has ASCII's signs twice: no one means a plain space by a0.
            for (symbol, character) in symbols[0x80..].iter_mut().zip(&characters[0x80..]) {
                if character.is_ascii() {
                    *symbol = ALPHABET.stranger(*character);
                }
            }
        }
        Self {
            name: listed.name(),
            family,
            prior: priors::of(listed.name()),
            regions: priors::regions(listed.name()),
            characters,
            symbols,
            case: characters.map(case),
        }
    }
}

/// Controls that end a line, or part words, in EBCDIC.
const NEWLINES: [char; 4] = ['\t', '\n', '\r', '\u{85}'];
/// Signs that stand at words in many languages.
const SIGNS: &str = "\u{a0}\u{ad}§°·«»–—‘’‚“”„…•€";

fn case(character: char) -> u8 {
    if character.is_lowercase() {
        1
    } else if character.is_uppercase() {
        2
    } else if character.is_ascii() || character.is_alphanumeric() || SIGNS.contains(character) {
        0
    } else {
        3
    }
}

/// The cost of `next` after `this` by case alone.
const CASES: [[u32; 4]; 4] = [[0, 3, 26, 0], [0, 0, 128, 16], [0, 6, 16, 16], [0, 16, 16, 0]];

/// How far behind the best reading another is read on.
pub(crate) const TOLD: u32 = 12 * NAT;
/// How many pairs are read at most before a reading is compared with the best.
const STRIDE: usize = 16;
/// How many readings there may be for all pairs together, and for so many pairs that this is few.
const MOST_READ: usize = 60_000;
const LEAST_TRIES: usize = 128;
/// The readings that are read first and to their end: they usually rule most others out, and are what the best is compared with.
const FIRST_TRIES: usize = 16;

/// One candidate in one language.
#[derive(Clone, Copy)]
struct Try {
    /// Its place among those that differ.
    candidate: usize,
    language: usize,
    /// What it costs at least, for the characters that the language does not have.
    least: u32,
}

fn by_least(one: &Try) -> (u32, usize, usize) {
    (one.least, one.candidate, one.language)
}

/// A candidate with the pairs as it reads them.
struct Read<'a> {
    of: &'static Candidate,
    pairs: &'a Pairs,
    /// What it costs in any language before a pair is read.
    start: u32,
    /// The regions of all encodings that read the bytes so.
    regions: u8,
    /// Made when a language is first tried.
    symbols: OnceCell<Symbols>,
}

/// The pairs as a candidate reads them, and what they cost by case alone.
struct Symbols {
    pairs: Vec<(Symbol, Symbol, u32)>,
    cases: u32,
}

impl Read<'_> {
    /// Adds a try for every language, given what the ASCII pairs cost in each.
    fn add_tries(&self, candidate: usize, ascii: &[u32], tries: &mut Vec<Try>) {
        let start = |(language, cost): (usize, &u32)| {
            self.start + cost + priors::out_of_place(language, self.regions)
        };
        let mut least: Vec<u32> = ascii.iter().enumerate().map(start).collect();
        for (byte, count) in &self.pairs.next {
            let costs = ALPHABET.least(self.of.symbols[usize::from(*byte)]);
            let count = u16::try_from(*count).unwrap_or(u16::MAX);
            for (sum, cost) in least.iter_mut().zip(costs) {
                *sum += u32::from(*cost) * u32::from(count);
            }
        }
        tries.extend(least.into_iter().enumerate().map(|(language, least)| Try {
            candidate,
            language,
            least,
        }));
    }

    /// What the pairs cost in a language besides what the ASCII pairs do, unless that is more than `most`.
    fn cost(&self, language: usize, ascii: u32, most: u32) -> Option<u32> {
        let symbols = self.symbols.get_or_init(|| self.symbols());
        let (taken_for, model) = (ALPHABET.taken_for(language), &LANGUAGES[language]);
        let mut cost = self.start + ascii + priors::out_of_place(language, self.regions) + symbols.cases;
        for pairs in symbols.pairs.chunks(STRIDE) {
            for (a, b, count) in pairs {
                let (this, next) = (taken_for[usize::from(*a)], taken_for[usize::from(*b)]);
                cost += (model.cost(this.class, next.class) + u32::from(next.extra)) * count;
            }
            if cost > most {
                return None;
            }
        }
        Some(cost)
    }

    fn symbols(&self) -> Symbols {
        let mut cases = 0;
        let pairs = self.pairs.read.iter().map(|(a, b, count)| {
            let [a, b] = [a, b].map(|byte| usize::from(*byte));
            cases += CASES[usize::from(self.of.case[a])][usize::from(self.of.case[b])] * count;
            (self.of.symbols[a], self.of.symbols[b], *count)
        });
        Symbols {
            pairs: pairs.collect(),
            cases,
        }
    }
}

/// The readings of the evidence in the encodings allowed, the likeliest first; `present` are the bytes of the whole file. What costs
/// much more than `known`, or than the first, is told only by chance.
pub(crate) fn rank(
    evidence: &[u8],
    present: &[u64; 256],
    family: Family,
    limits: &Limits,
    known: Option<u32>,
) -> Vec<Reading> {
    let pairs = Pairs::of(evidence, family);
    let reads = different(&pairs, present, family, limits);
    let few = if family == Family::Ascii {
        cost_of_few(evidence)
    } else {
        0
    };
    let ascii = languages_by_ascii(&pairs, few);
    let mut tries = Vec::with_capacity(reads.len() * LANGUAGES.len());
    for (place, read) in reads.iter().enumerate() {
        read.add_tries(place, &ascii, &mut tries);
    }
    let most = (MOST_READ / pairs.read.len().max(1)).max(LEAST_TRIES);
    if tries.len() > most {
        tries.select_nth_unstable_by_key(most, by_least);
        tries.truncate(most);
    }
    let first = FIRST_TRIES.min(tries.len());
    if first < tries.len() {
        tries.select_nth_unstable_by_key(first, by_least);
    }
    let mut best = known.unwrap_or(u32::MAX - TOLD);
    // Of each candidate the cheapest reading; of equals the language that the ASCII pairs are likelier in.
    let mut cheapest: Vec<Option<(u32, u32, usize)>> = vec![None; reads.len()];
    for (place, one) in tries.iter().enumerate() {
        let read = &reads[one.candidate];
        let ascii = ascii[one.language];
        let most = if place < first && known.is_none() {
            u32::MAX
        } else {
            best + TOLD
        };
        if one.least <= most
            && let Some(cost) = read.cost(one.language, ascii, most)
        {
            best = best.min(cost);
            let reading = (cost, ascii, one.language);
            let known = &mut cheapest[one.candidate];
            *known = Some(known.map_or(reading, |known| known.min(reading)));
        }
    }
    let told = reads.iter().zip(cheapest).filter_map(|(read, cheapest)| {
        let (cost, _, language) = cheapest?;
        Some(Reading {
            name: read.of.name,
            language: LANGUAGES[language].name,
            cost,
        })
    });
    let mut told: Vec<Reading> = told.collect();
    told.sort_by_key(|reading| reading.cost); // stable: of equals the better known encoding first
    told
}

/// The candidates that do not read the bytes alike: the one hinted at first, then the better known.
fn different<'a>(pairs: &'a Pairs, present: &[u64; 256], family: Family, limits: &Limits) -> Vec<Read<'a>> {
    let first = if family == Family::Ascii { 0x80 } else { 0 };
    let mut bytes: Vec<usize> = (first..0x100).filter(|byte| present[*byte] > 0).collect();
    bytes.sort_by_key(|byte| Reverse(present[*byte])); // those that tell most apart first
    let hinted = |candidate: &&Candidate| limits.hint.as_deref() == Some(candidate.name);
    let others = CANDIDATES.iter().filter(|candidate| !hinted(candidate));
    let ordered = CANDIDATES.iter().filter(hinted).chain(others);
    let mut reads: Vec<Read> = Vec::new();
    for candidate in ordered.filter(|candidate| candidate.family == family && limits.allows(candidate.name)) {
        let characters = &candidate.characters;
        let is_like = |read: &Read| {
            bytes
                .iter()
                .all(|byte| read.of.characters[*byte] == characters[*byte])
        };
        if let Some(like) = reads.iter_mut().find(|read| is_like(read)) {
            like.regions |= candidate.regions;
        } else {
            let holes: u32 = bytes
                .iter()
                .map(|byte| u32::from(characters[*byte] == '\0'))
                .sum();
            reads.push(Read {
                of: candidate,
                pairs,
                start: candidate.prior + holes * 20 * NAT,
                regions: candidate.regions,
                symbols: OnceCell::new(),
            });
        }
    }
    reads
}

/// What the ASCII pairs cost in each language more than in the likeliest, as far as that counts; `few` is what another script costs
/// besides.
fn languages_by_ascii(pairs: &Pairs, few: u32) -> Vec<u32> {
    let cost = |language: &Language| {
        pairs
            .ascii
            .iter()
            .map(|(a, b, n)| language.cost(*a, *b) * n)
            .sum()
    };
    let costs: Vec<u32> = LANGUAGES.iter().map(cost).collect();
    let least = costs.iter().copied().min().unwrap_or(0);
    let high: u32 = pairs.next.iter().map(|(_, count)| count).sum();
    let most = ASCII_LIMIT + high.saturating_mul(ASCII_LIMIT_FOR_A_BYTE);
    costs
        .into_iter()
        .zip(LANGUAGES.iter())
        .map(|(cost, language)| {
            let script = if language.is_latin() { 0 } else { few };
            ((cost - least) * ASCII_WEIGHT / 16).min(most) + script
        })
        .collect()
}
