//! East Asian encodings, by how common the characters are that the bytes stand for in each.

use std::sync::{LazyLock, OnceLock};

use super::Limits;
use super::model::{CHARACTERS, NAT};
use super::single::{Reading, cost_of_few};
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

/// A codec, and what its pairs of bytes cost in each language written in it.
struct Tried {
    listed: &'static Listed,
    languages: &'static [&'static str],
    costs: OnceLock<Vec<Pairs>>,
}

/// By the first byte less 80 and the second; 0 for a pair that is no character.
type Pairs = Box<[u8]>;

static CODECS: LazyLock<Vec<Tried>> = LazyLock::new(|| {
    let find = |name: &str| multi_byte_codecs().find(|listed| listed.name() == name);
    TRIED
        .iter()
        .filter_map(|(name, languages)| {
            Some(Tried {
                listed: find(name)?,
                languages,
                costs: OnceLock::new(),
            })
        })
        .collect()
});

/// The codec of that name, if it is one of those tried.
pub(crate) fn listed(name: &str) -> Option<&'static Listed> {
    CODECS
        .iter()
        .map(|tried| tried.listed)
        .find(|listed| listed.name() == name)
}

/// How many bytes are of characters outside ASCII, or of none; the second byte of one may be ASCII.
pub(crate) fn bytes_of_characters(listed: &Listed, evidence: &[u8]) -> usize {
    let (mut at, mut bytes) = (0, 0);
    while at < evidence.len() {
        let first = listed.multi_byte().and_then(|table| table.first(&evidence[at..]));
        let length = first.map_or(1, |(_, length)| length);
        bytes += if evidence[at].is_ascii() { 0 } else { length };
        at += length;
    }
    bytes
}

/// Bytes of the beginning that tell what to read first, and what each that is not ASCII costs at most in East Asian text.
const PROBE: usize = 256;
const LIKELY_FOR_A_BYTE: u32 = 6 * NAT;

/// Whether the beginning of the evidence reads like East Asian text; what is made of it only saves time.
pub(crate) fn is_likely(evidence: &[u8]) -> bool {
    let beginning = &evidence[..evidence.len().min(PROBE)];
    let most = u32::try_from(count_high(beginning)).unwrap_or(u32::MAX) * LIKELY_FOR_A_BYTE;
    CODECS.iter().any(|tried| tried.read(beginning, most).is_some())
}

fn count_high(evidence: &[u8]) -> usize {
    evidence.iter().filter(|byte| **byte >= 0x80).count()
}

/// The readings of the evidence in the encodings allowed that are mostly without errors, cost no more than `most`, and no more than the
/// best of them and `margin`.
pub(crate) fn rank(evidence: &[u8], limits: &Limits, most: u32, margin: u32) -> Vec<Reading> {
    let beginning = &evidence[..evidence.len().min(PROBE)];
    let mut tried: Vec<&Tried> = CODECS
        .iter()
        .filter(|tried| limits.allows(tried.listed.name()))
        .collect();
    tried.sort_by_cached_key(|tried| {
        tried
            .read(beginning, most)
            .map_or(u32::MAX, |reading| reading.cost)
    });
    let few = cost_of_few(evidence);
    let mut readings: Vec<Reading> = Vec::new();
    let mut most = most;
    for tried in tried {
        let reading = tried
            .read(evidence, most.saturating_sub(few))
            .map(|reading| Reading {
                cost: reading.cost + few,
                ..reading
            });
        if let Some(reading) = reading {
            most = most.min(reading.cost.saturating_add(margin));
            readings.push(reading);
        }
    }
    readings.retain(|reading| reading.cost <= most);
    readings
}

/// Characters read before their cost is compared with the most it may be.
const STRIDE: u32 = 32;

impl Tried {
    fn read(&self, evidence: &[u8], most: u32) -> Option<Reading> {
        let table = self.listed.multi_byte()?;
        let pairs = self
            .costs
            .get_or_init(|| self.languages.iter().map(|name| self.pairs(name)).collect());
        let high = count_high(evidence);
        // What the characters cost in each language, and what all else does in any.
        let mut costs = vec![0; pairs.len()];
        let mut common = NAT;
        let (mut errors, mut characters) = (0u32, 0u32);
        let mut was_ascii = true;
        let mut at = 0;
        while let Some(first) = evidence.get(at) {
            if first.is_ascii() {
                common += if was_ascii { 0 } else { SWITCH };
                was_ascii = true;
                at += 1;
                continue;
            }
            let second = evidence.get(at + 1).copied().unwrap_or(0);
            let place = usize::from(first - 0x80) << 8 | usize::from(second);
            if pairs[0][place] != 0 {
                for (sum, pairs) in costs.iter_mut().zip(pairs) {
                    *sum += u32::from(pairs[place]);
                }
                at += 2;
            } else if let Some((character, length)) = table.first(&evidence[at..]) {
                for (sum, language) in costs.iter_mut().zip(self.languages) {
                    *sum += cost_of(language, character);
                }
                at += length;
            } else {
                at += 1;
                if at == evidence.len() {
                    common += CUT;
                } else {
                    errors += 1;
                    common += ERROR;
                }
                // There cannot be more characters than bytes that no error took.
                if errors as usize * (CHARACTERS_FOR_AN_ERROR as usize + 1) > high {
                    return None;
                }
                continue;
            }
            common += if was_ascii { SWITCH } else { 0 };
            was_ascii = false;
            characters += 1;
            if characters.is_multiple_of(STRIDE) && costs.iter().all(|cost| cost + common > most) {
                return None;
            }
        }
        let (cost, language) = costs.into_iter().zip(self.languages).min()?;
        let is_read = characters > 0 && errors * CHARACTERS_FOR_AN_ERROR <= characters;
        (is_read && cost + common <= most).then_some(Reading {
            name: self.listed.name(),
            language,
            cost: cost + common,
        })
    }

    fn pairs(&self, language: &str) -> Pairs {
        let mut costs = vec![0; 1 << 15].into_boxed_slice();
        let model = CHARACTERS.iter().find(|model| model.name == language);
        if let Some((table, model)) = self.listed.multi_byte().zip(model) {
            for (pair, place) in (0x8000..=u16::MAX).zip(&mut costs) {
                if let Some((character, 2)) = table.first(&pair.to_be_bytes()) {
                    *place = u8::try_from(model.cost(character)).unwrap_or(u8::MAX);
                }
            }
        }
        costs
    }
}

fn cost_of(language: &str, character: char) -> u32 {
    let model = CHARACTERS.iter().find(|model| model.name == language);
    model.map_or(u32::MAX, |model| model.cost(character))
}
