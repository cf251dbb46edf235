//! East Asian encodings, by how common the characters are that the bytes stand for in each.

use super::model::{CHARACTERS, NAT};
use super::single::Reading;
use crate::codec::{Listed, multi_byte_codecs};

/// Nats that a sequence costs that stands for nothing.
const ERROR: u32 = 22 * NAT;
/// What the first byte of a sequence costs at the very end.
const CUT: u32 = 8 * NAT;
/// Fewer characters than this for an error, and it is not the encoding.
const CHARACTERS_FOR_AN_ERROR: u32 = 6;
/// Nats that the switch from ASCII to a character costs, or back.
const SWITCH: u32 = 2 * NAT;

/// The codecs tried, with the languages written in them; each holds whatever the smaller ones of its kind do.
const TRIED: [(&str, &[&str]); 6] = [
    ("cp932", &["ja"]),
    ("euc_jp", &["ja"]),
    ("gb18030", &["zh-cn", "zh-tw", "ja"]),
    ("cp949", &["ko"]),
    ("cp950", &["zh-tw"]),
    ("johab", &["ko"]),
];

pub(crate) fn codecs() -> impl Iterator<Item = (&'static Listed, &'static [&'static str])> {
    TRIED.iter().filter_map(|(name, languages)| {
        let listed = multi_byte_codecs().find(|listed| listed.name() == *name)?;
        Some((listed, *languages))
    })
}

/// The readings of the evidence that are mostly without errors.
pub(crate) fn rank(evidence: &[u8]) -> Vec<Reading> {
    let mut readings = Vec::new();
    let high = evidence.iter().filter(|byte| **byte >= 0x80).count();
    for (listed, languages) in codecs() {
        let Some(table) = listed.multi_byte() else {
            continue;
        };
        let mut costs = vec![0u32; languages.len()];
        let models: Vec<_> = CHARACTERS
            .iter()
            .filter(|model| languages.contains(&model.name))
            .collect();
        let (mut common, mut errors, mut characters) = (0u32, 0u32, 0u32);
        let mut was_ascii = true;
        let mut at = 0;
        while at < evidence.len() {
            let Some((character, length)) = table.first(&evidence[at..]) else {
                if at + 1 == evidence.len() {
                    common += CUT;
                } else {
                    errors += 1;
                }
                if errors as usize * (CHARACTERS_FOR_AN_ERROR as usize + 1) > high {
                    break; // the characters can no longer be enough
                }
                at += 1;
                continue;
            };
            at += length;
            let is_ascii = length == 1 && character.is_ascii();
            if is_ascii != was_ascii {
                common += SWITCH;
            }
            was_ascii = is_ascii;
            if !is_ascii {
                characters += 1;
                for (cost, model) in costs.iter_mut().zip(&models) {
                    *cost += model.cost(character);
                }
            }
        }
        if characters > 0 && errors * CHARACTERS_FOR_AN_ERROR <= characters {
            let (cost, language) = costs
                .iter()
                .zip(&models)
                .map(|(cost, model)| (*cost, model.name))
                .min()
                .unwrap_or_default();
            readings.push(Reading {
                name: listed.name(),
                language,
                cost: cost + common + errors * ERROR + NAT,
            });
        }
    }
    readings
}

/// Errors of `listed` in bytes that come in blocks.
#[derive(Debug)]
pub(crate) struct Errors {
    pub(crate) listed: &'static Listed,
    pub(crate) count: u64,
    pub(crate) first: Option<u64>,
    characters: u64,
    open: Vec<u8>,
    at: u64,
}

impl Errors {
    pub(crate) fn new(listed: &'static Listed, at: u64) -> Self {
        Self {
            listed,
            count: 0,
            first: None,
            characters: 0,
            open: Vec::new(),
            at,
        }
    }

    /// Counts over the next block; the last bytes of it wait for those after them.
    pub(crate) fn add(&mut self, block: &[u8], is_last: bool) {
        let Some(table) = self.listed.multi_byte() else {
            return;
        };
        if self.count > ENOUGH && self.count > self.characters {
            return; // it is not this encoding, and the count is a lower bound
        }
        self.open.extend_from_slice(block);
        let until = self.open.len() - if is_last { 0 } else { LONGEST.min(self.open.len()) };
        let mut at = 0;
        while at < until {
            if self.open[at] < 0x80 {
                at += 1;
            } else if let Some((_, length)) = table.first(&self.open[at..]) {
                at += length;
                self.characters += 1;
            } else {
                self.count += 1;
                self.first.get_or_insert(self.at + at as u64);
                at += 1;
            }
        }
        at = at.min(self.open.len());
        self.open.drain(..at);
        self.at += at as u64;
    }
}

/// Past so many errors, and fewer characters than errors, nothing more is counted.
const ENOUGH: u64 = 4096;
/// Bytes of the longest character, less one.
const LONGEST: usize = 3;
