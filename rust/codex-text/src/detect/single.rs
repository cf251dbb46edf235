//! Single-byte encodings, by how much like a language the text in each of them reads.
//!
//! The cost of a reading is the sum over its pairs of characters of -ln P(next | this) in the language that suits it best. Pairs of
//! ASCII bytes read alike in all encodings: they tell the language only, and no more than `ASCII_LIMIT` of it.

use std::cell::OnceCell;
use std::cmp::Reverse;

use super::Limits;
use super::alphabet::ALPHABET;
use super::candidates::{CANDIDATES, Candidate, Family};
use super::lanes::{LANES, Lanes, add_rows};
use super::model::{ASCII_COSTS, LANGUAGES, NAT};
use super::pairs::Pairs;
use super::passage::Passage;
use super::priors;

/// How much of the ASCII pairs' evidence for a language counts, in sixteenths, and at most, in costs: that much, and more for each byte
/// outside ASCII.
const ASCII_WEIGHT: u32 = 6;
const ASCII_LIMIT: u32 = 16 * NAT;
const ASCII_LIMIT_FOR_A_BYTE: u32 = NAT / 2;

/// A reading of the bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    pub(crate) name: &'static str,
    pub(crate) language: &'static str,
    /// Sixteenths of a nat.
    pub(crate) cost: u32,
}

/// The cost of `next` after `this` by case alone.
const CASES: [[u32; 4]; 4] = [[0, 3, 26, 0], [0, 0, 128, 16], [0, 6, 16, 16], [0, 16, 16, 0]];

/// What a byte costs that stands for nothing, however often it does.
const HOLE: u32 = 20 * NAT;

/// How far behind the best reading another is read on.
pub(crate) const TOLD: u32 = 12 * NAT;
/// How many pairs are read at most before a reading is compared with the best.
const STRIDE: usize = 16;
/// How many readings there may be for all pairs together, and for so many pairs that this is few.
const MOST_READ: usize = 60_000;
const LEAST_TRIES: usize = 128;
/// The readings that are read first and to their end: they usually rule most others out, and are what the best is compared with.
const FIRST_TRIES: usize = 16;

/// One candidate in one language; in the order in which they are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Try {
    /// What it costs at least, for the characters that the language does not have.
    least: u32,
    /// Its place among those that differ.
    candidate: usize,
    language: usize,
}

/// A candidate with the pairs as it reads them.
struct Read<'a> {
    of: &'static Candidate,
    pairs: &'a Pairs<'a>,
    /// What it costs in any language before a pair is read.
    start: u32,
    /// The regions of all encodings that read the bytes so.
    regions: u8,
    /// What the pairs cost by case alone.
    cases: OnceCell<u32>,
}

impl Read<'_> {
    /// What the passage costs at least in each language, given what the ASCII pairs cost.
    fn least(&self, ascii: &Lanes) -> Lanes {
        let mut sums = *ascii;
        for (sum, cost) in sums.iter_mut().zip(priors::out_of_place(self.regions)) {
            *sum += self.start + cost;
        }
        let row = |(byte, count): &(u8, u32)| (ALPHABET.least(self.of.symbols[usize::from(*byte)]), *count);
        add_rows(&mut sums, self.pairs.next.iter().map(row));
        sums
    }

    /// What the passage costs in a language in which it costs `least` at least, unless that is more than `most`.
    fn cost(&self, language: usize, least: u32, most: u32) -> Option<u32> {
        let mut cost = least + self.cases.get_or_init(|| self.cases());
        let (taken_for, model) = (ALPHABET.taken_for(language), &LANGUAGES[language]);
        let symbols = &self.of.symbols;
        let first = self.of.family.first();
        for pairs in self.pairs.read().chunks(STRIDE) {
            if cost > most {
                return None;
            }
            for (a, b, count) in pairs {
                let [this, next] = [a, b].map(|byte| taken_for[usize::from(symbols[usize::from(*byte)])]);
                let read = model.cost(this.class, next.class);
                // What a byte that encodings read differently costs at least is in `least`.
                let more = if *b < first {
                    read + u32::from(next.extra)
                } else {
                    read - model.least(next.class)
                };
                cost += more * count;
            }
        }
        (cost <= most).then_some(cost)
    }

    fn cases(&self) -> u32 {
        let case = |byte: u8| usize::from(self.of.case[usize::from(byte)]);
        let pairs = self.pairs.read().iter();
        pairs.map(|(a, b, count)| CASES[case(*a)][case(*b)] * count).sum()
    }
}

/// What a candidate costs in the language that suits it best: of equals the one that the ASCII pairs are likelier in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Cheapest {
    cost: u32,
    ascii: u32,
    language: usize,
}

/// The readings of the passage in the encodings allowed, the likeliest first; `present` are the bytes of the whole file. Told is what
/// costs no more than `TOLD` more than the best and than `known`; without that also what was read first.
pub(crate) fn rank(
    passage: &Passage,
    present: &[u64; 256],
    family: Family,
    limits: &Limits,
    known: Option<u32>,
) -> Vec<Reading> {
    let pairs = Pairs::of(passage, family);
    let reads = different(&pairs, present, family, limits);
    let few = if family == Family::Ascii { passage.few } else { 0 };
    let ascii = languages_by_ascii(&pairs, few);
    let least: Vec<Lanes> = reads.iter().map(|read| read.least(&ascii)).collect();
    let first = known.map_or_else(|| first(tries(&least)), |_| Vec::new());
    let mut best = known.unwrap_or(u32::MAX - TOLD);
    let mut cheapest: Vec<Option<Cheapest>> = vec![None; reads.len()];
    let read = |one: &Try, most: u32, cheapest: &mut [Option<Cheapest>]| {
        let known = &mut cheapest[one.candidate];
        let most = known.map_or(most, |known| known.cost.min(most));
        let cost = reads[one.candidate].cost(one.language, one.least, most)?;
        let found = Cheapest {
            cost,
            ascii: ascii[one.language],
            language: one.language,
        };
        *known = Some(known.map_or(found, |known| known.min(found)));
        Some(cost)
    };
    for one in &first {
        best = best.min(read(one, u32::MAX, &mut cheapest).unwrap_or(u32::MAX));
    }
    let at_first = cheapest.clone();
    let is_left = |one: &Try| one.least <= best + TOLD && first.last().is_none_or(|last| one > last);
    let mut left: Vec<Try> = tries(&least).filter(is_left).collect();
    if left.len() > LEAST_TRIES - first.len() {
        let most = (MOST_READ / pairs.read().len().max(1)).max(LEAST_TRIES) - first.len();
        if left.len() > most {
            left.select_nth_unstable(most);
            left.truncate(most);
        }
    }
    for one in &left {
        best = best.min(read(one, best + TOLD, &mut cheapest).unwrap_or(u32::MAX));
    }
    let told = reads
        .iter()
        .zip(cheapest)
        .zip(at_first)
        .filter_map(|((read, cheapest), at_first)| {
            let found = cheapest.filter(|found| found.cost <= best + TOLD).or(at_first)?;
            Some(Reading {
                name: read.of.name,
                language: LANGUAGES[found.language].name,
                cost: found.cost,
            })
        });
    let mut told: Vec<Reading> = told.collect();
    told.sort_by_key(|reading| reading.cost); // stable: of equals the better known encoding first
    told
}

/// All candidates in all languages, given what each costs at least in each.
fn tries(least: &[Lanes]) -> impl Iterator<Item = Try> {
    least.iter().enumerate().flat_map(|(candidate, least)| {
        let languages = least[..LANGUAGES.len()].iter().enumerate();
        languages.map(move |(language, least)| Try {
            least: *least,
            candidate,
            language,
        })
    })
}

/// The tries that cost least at least, in order.
fn first(tries: impl Iterator<Item = Try>) -> Vec<Try> {
    let mut first: Vec<Try> = Vec::with_capacity(FIRST_TRIES + 1);
    for one in tries {
        if first.len() < FIRST_TRIES || one < first[FIRST_TRIES - 1] {
            first.insert(first.partition_point(|other| *other < one), one);
            first.truncate(FIRST_TRIES);
        }
    }
    first
}

/// The candidates that do not read the bytes alike: the one hinted at first, then the better known.
fn different<'a>(pairs: &'a Pairs, present: &[u64; 256], family: Family, limits: &Limits) -> Vec<Read<'a>> {
    let mut bytes: Vec<usize> = (usize::from(family.first())..0x100)
        .filter(|byte| present[*byte] > 0)
        .collect();
    bytes.sort_unstable_by_key(|byte| Reverse(present[*byte])); // those that tell most apart first
    let hinted = |candidate: &&Candidate| limits.hint.as_deref() == Some(candidate.name);
    let others = CANDIDATES.iter().filter(|candidate| !hinted(candidate));
    let ordered = CANDIDATES.iter().filter(hinted).chain(others);
    let mut reads: Vec<Read> = Vec::new();
    // What each makes of the four bytes that tell most.
    let mut heads: Vec<[u16; 4]> = Vec::new();
    for candidate in ordered.filter(|candidate| candidate.family == family && limits.allows(candidate.name)) {
        let characters = &candidate.characters;
        let head = std::array::from_fn(|place| bytes.get(place).map_or(0, |byte| characters[*byte]));
        let is_like = |place: &usize| {
            let other = &reads[*place].of.characters;
            heads[*place] == head && bytes.iter().all(|byte| other[*byte] == characters[*byte])
        };
        if let Some(like) = (0..reads.len()).find(is_like) {
            reads[like].regions |= candidate.regions;
        } else {
            let is_present = |byte: &&u8| **byte >= family.first() && present[usize::from(**byte)] > 0;
            let holes = candidate.holes.iter().filter(is_present).count();
            heads.push(head);
            reads.push(Read {
                of: candidate,
                pairs,
                start: candidate.prior + HOLE * u32::try_from(holes).unwrap_or(u32::MAX),
                regions: candidate.regions,
                cases: OnceCell::new(),
            });
        }
    }
    reads
}

/// What the ASCII pairs cost in each language more than in the likeliest, as far as that counts; `few` is what another script costs
/// besides.
fn languages_by_ascii(pairs: &Pairs, few: u32) -> Lanes {
    let mut costs = [0; LANES];
    let row = |(a, b, count): &(u8, u8, u32)| (&ASCII_COSTS[usize::from(*a)][usize::from(*b)], *count);
    add_rows(&mut costs, pairs.ascii.iter().map(row));
    let least = costs[..LANGUAGES.len()].iter().copied().min().unwrap_or(0);
    let high: u32 = pairs.next.iter().map(|(_, count)| count).sum();
    let most = ASCII_LIMIT + high.saturating_mul(ASCII_LIMIT_FOR_A_BYTE);
    for (cost, language) in costs.iter_mut().zip(LANGUAGES.iter()) {
        let script = if language.is_latin { 0 } else { few };
        *cost = ((*cost - least) * ASCII_WEIGHT / 16).min(most) + script;
    }
    costs
}
