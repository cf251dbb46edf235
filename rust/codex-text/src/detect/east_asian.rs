//! East Asian encodings, by how common the characters are that the bytes stand for in each.

use std::sync::{LazyLock, OnceLock};

use super::Limits;
use super::model::{CHARACTERS, NAT};
use super::passage::Passage;
use super::single::Reading;
use crate::codec::{Listed, multi_byte_codecs};

/// Nats that a sequence costs that stands for nothing.
const ERROR: u32 = 22 * NAT;
/// What the first byte of a sequence costs at the very end.
const CUT: u32 = 8 * NAT;
/// Fewer characters than this for an error, and it is not the encoding.
const CHARACTERS_FOR_AN_ERROR: u32 = 6;
/// Fewer than this, and it is not one that has more characters either.
const CHARACTERS_FOR_A_LACKING_ONE: u32 = 2;
/// Nats that the switch from ASCII to a character costs, or back.
const SWITCH: u32 = 2 * NAT;

/// The codecs tried, with the languages written in them, each of which holds whatever the smaller ones of its kind do; and for one that
/// has more characters than a better known one, which that is; those come last.
const TRIED: [(&str, &[&str], Option<&str>); 9] = [
    ("cp932", &["ja"], None),
    ("euc_jp", &["ja"], None),
    ("gb18030", &["zh-cn", "zh-tw", "ja"], None),
    ("cp949", &["ko"], None),
    ("cp950", &["zh-tw"], None),
    ("johab", &["ko"], None),
    ("shift_jis_2004", &["ja"], Some("cp932")),
    ("euc_jis_2004", &["ja"], Some("euc_jp")),
    ("big5hkscs", &["zh-tw"], Some("cp950")),
];
/// What one that has more characters costs besides: less than a place that stands for nothing in the other.
const WIDER: u32 = 8 * NAT;

/// A codec, and what its characters cost in each language written in it.
struct Tried {
    listed: &'static Listed,
    /// The one it has more characters than: it is read only where there are errors in that.
    narrower: Option<&'static str>,
    languages: &'static [&'static str],
    costs: OnceLock<Vec<Costs>>,
}

/// What characters cost in one language; 0 for what is no character.
struct Costs {
    /// Those of one byte, by that less 80.
    ones: [u8; 0x80],
    /// Those of two, by the first less 80 and the second.
    pairs: Box<[u8]>,
    /// What any of them costs at least for each of its bytes outside ASCII.
    least: u32,
}

static CODECS: LazyLock<Vec<Tried>> = LazyLock::new(|| {
    let find = |name: &str| multi_byte_codecs().find(|listed| listed.name() == name);
    TRIED
        .iter()
        .filter_map(|(name, languages, narrower)| {
            Some(Tried {
                listed: find(name)?,
                narrower: *narrower,
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

/// The codec that has more characters than the one of that name, if there is one.
pub(crate) fn wider(name: &str) -> Option<&'static Listed> {
    CODECS
        .iter()
        .find(|tried| tried.narrower == Some(name))
        .map(|tried| tried.listed)
}

/// The better known codec that lacks some of the characters of the one of that name.
pub(crate) fn narrower(name: &str) -> Option<&'static str> {
    let found = CODECS.iter().find(|tried| tried.listed.name() == name);
    found.and_then(|tried| tried.narrower)
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

/// A passage, and what its beginning costs in each codec that is not wider than another; `u32::MAX` if it is none of that codec's.
pub(crate) struct Probed<'a> {
    passage: &'a Passage<'a>,
    beginning: Passage<'a>,
    costs: Vec<u32>,
}

impl<'a> Probed<'a> {
    pub(crate) fn of(passage: &'a Passage) -> Self {
        let beginning = Passage::of(&passage.bytes[..passage.bytes.len().min(PROBE)]);
        let known = CODECS.iter().filter(|tried| tried.narrower.is_none());
        let costs = known.map(|tried| tried.cost(&beginning)).collect();
        Self {
            passage,
            beginning,
            costs,
        }
    }

    /// Whether the beginning reads like East Asian text; what is made of it only saves time.
    pub(crate) fn is_likely(&self) -> bool {
        let most = self.beginning.high * LIKELY_FOR_A_BYTE;
        self.costs.iter().any(|cost| *cost <= most)
    }

    /// The readings in the encodings allowed that are mostly without errors, cost no more than `most`, and no more than the best of them
    /// and `margin`.
    pub(crate) fn rank(&self, limits: &Limits, most: u32, margin: u32) -> Vec<Reading> {
        // What is wider than one of those read is read after it, and only if there are errors in that.
        let is_wider = |tried: &Tried| tried.narrower.is_some_and(|name| limits.allows(name));
        let is_allowed = |tried: &Tried| limits.allows(tried.listed.name());
        let allowed = CODECS.iter().enumerate().filter(|(_, tried)| is_allowed(tried));
        let (wider, mut tried): (Vec<_>, Vec<_>) = allowed.partition(|(_, tried)| is_wider(tried));
        tried.sort_by_cached_key(|(place, tried)| {
            let known = self.costs.get(*place).copied();
            let cost = known.unwrap_or_else(|| tried.cost(&self.beginning));
            if cost <= most { cost } else { u32::MAX }
        });
        let mut readings: Vec<Reading> = Vec::new();
        let mut damaged = Vec::new();
        let mut most = most;
        for (_, tried) in tried.into_iter().chain(wider) {
            if is_wider(tried) && !damaged.contains(&tried.narrower) {
                continue;
            }
            let besides = self.passage.few + if tried.narrower.is_some() { WIDER } else { 0 };
            let (reading, has_few_errors) = tried.read(self.passage, most.saturating_sub(besides));
            if let Some(reading) = reading {
                let cost = reading.cost + besides;
                most = most.min(cost.saturating_add(margin));
                readings.push(Reading { cost, ..reading });
            }
            if has_few_errors {
                damaged.push(Some(tried.listed.name()));
            }
        }
        readings.retain(|reading| reading.cost <= most);
        readings
    }
}

/// Characters read before their cost is compared with the most it may be.
const STRIDE: u32 = 32;

impl Tried {
    /// What the passage costs; `u32::MAX` if it is none of this codec's.
    fn cost(&self, passage: &Passage) -> u32 {
        self.read(passage, u32::MAX)
            .0
            .map_or(u32::MAX, |reading| reading.cost)
    }

    /// The reading, unless it has many errors or costs more than `most`; and whether there are errors, as far as it was read, and so few
    /// that they may be characters which this one lacks.
    fn read(&self, passage: &Passage, most: u32) -> (Option<Reading>, bool) {
        let costs = self
            .costs
            .get_or_init(|| self.languages.iter().map(|name| self.costs_in(name)).collect());
        match &costs[..] {
            [one] => self.read_in([one], passage, most),
            [one, two, three] => self.read_in([one, two, three], passage, most),
            _ => (None, false),
        }
    }

    fn read_in<const N: usize>(
        &self,
        languages: [&Costs; N],
        passage: &Passage,
        most: u32,
    ) -> (Option<Reading>, bool) {
        let Some(table) = self.listed.multi_byte() else {
            return (None, false);
        };
        let has_wider = wider(self.listed.name()).is_some();
        let least = if has_wider {
            CHARACTERS_FOR_A_LACKING_ONE
        } else {
            CHARACTERS_FOR_AN_ERROR
        };
        let bytes = passage.bytes;
        // What the characters cost in each language, and what all else does in any.
        let mut costs = [0; N];
        let mut common = NAT;
        let (mut errors, mut characters) = (0u32, 0u32);
        let mut was_ascii = true;
        let mut at = 0;
        while let Some(first) = bytes.get(at) {
            let Some(row) = first.checked_sub(0x80).map(usize::from) else {
                common += if was_ascii { 0 } else { SWITCH };
                was_ascii = true;
                at = passage.next_high(at);
                continue;
            };
            let second = bytes.get(at + 1).copied().unwrap_or(0);
            let place = row << 8 | usize::from(second);
            let length = if languages[0].pairs[place] != 0 {
                for (sum, language) in costs.iter_mut().zip(languages) {
                    *sum += u32::from(language.pairs[place]);
                }
                2
            } else if languages[0].ones[row] != 0 {
                for (sum, language) in costs.iter_mut().zip(languages) {
                    *sum += u32::from(language.ones[row]);
                }
                1
            } else if table.may_be_longer(*first, second)
                && let Some((character, length)) = table.first(&bytes[at..])
            {
                for (sum, language) in costs.iter_mut().zip(self.languages) {
                    *sum += cost_of(language, character);
                }
                length
            } else {
                at += 1;
                if at == bytes.len() {
                    common += CUT;
                } else {
                    errors += 1;
                    common += ERROR;
                }
                // There cannot be more characters than bytes that no error took.
                if errors * (least + 1) > passage.high {
                    return (None, false);
                }
                continue;
            };
            at += length;
            common += if was_ascii { SWITCH } else { 0 };
            was_ascii = false;
            characters += 1;
            if characters.is_multiple_of(STRIDE) {
                // Whether there are errors before it costs too much is told of those that have a wider one: that far they are read.
                let left = if has_wider { 0 } else { passage.high_from(at) };
                let of_left = |language: &Costs| language.least * left;
                if costs
                    .iter()
                    .zip(languages)
                    .all(|(cost, language)| cost + common + of_left(language) > most)
                {
                    return (None, errors > 0);
                }
            }
        }
        let cheapest = costs.into_iter().zip(self.languages).min();
        let (cost, language) = cheapest.map_or((u32::MAX / 2, ""), |(cost, language)| (cost, *language));
        let is_read = characters > 0 && errors * CHARACTERS_FOR_AN_ERROR <= characters;
        let reading = Reading {
            name: self.listed.name(),
            language,
            cost: cost + common,
        };
        let reading = (is_read && reading.cost <= most).then_some(reading);
        (reading, errors > 0 && errors * least <= characters)
    }

    fn costs_in(&self, language: &str) -> Costs {
        let mut costs = Costs {
            ones: [0; 0x80],
            pairs: vec![0; 0x8000].into_boxed_slice(),
            least: 0,
        };
        let model = CHARACTERS.iter().find(|model| model.name == language);
        if let Some((table, model)) = self.listed.multi_byte().zip(model) {
            costs.least = u32::from(model.least) / table.most_high_bytes();
            let cost = |character| u8::try_from(model.cost(character)).unwrap_or(u8::MAX);
            for (lead, one) in (0x80..=u8::MAX).zip(&mut costs.ones) {
                *one = table.first(&[lead]).map_or(0, |(character, _)| cost(character));
            }
            for (pair, place) in (0x8000..=u16::MAX).zip(&mut costs.pairs[..]) {
                if let Some((character, 2)) = table.first(&pair.to_be_bytes()) {
                    *place = cost(character);
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
