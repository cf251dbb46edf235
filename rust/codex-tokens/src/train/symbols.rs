//! The symbols that words begin as: an alphabet of bytes, and where asked for, of bytes that end a word.

use super::options::TrainOptions;
use super::words::Words;
use crate::alphabet;
use crate::error::Result;
use rustc_hash::FxHashMap;
use std::cmp::Reverse;

/// No symbol: the byte is dropped from its word.
const DROPPED: u32 = u32::MAX;

/// What stands at the first ids after the special tokens, and how a word is written with it.
#[derive(Debug)]
pub(super) struct Symbols {
    /// For each id from the first on, the byte and whether it ends a word.
    pub(super) listed: Vec<(u8, bool)>,
    ids: [u32; 256],
    last_ids: [u32; 256],
    /// Characters that learning looks at; all if there is no list.
    kept: Option<FxHashMap<char, u64>>,
}

/// How often each byte and character occurs.
struct Survey {
    bytes: [u64; 256],
    ends: [bool; 256],
    characters: FxHashMap<char, u64>,
}

impl Survey {
    fn of(words: &Words, characters: bool) -> Result<Self> {
        let mut survey = Self {
            bytes: [0; 256],
            ends: [false; 256],
            characters: FxHashMap::default(),
        };
        words.for_each(|word, count| {
            for &byte in word {
                survey.bytes[usize::from(byte)] += count;
            }
            if let Some(&last) = word.last() {
                survey.ends[usize::from(last)] = true;
            }
            if characters {
                for character in String::from_utf8_lossy(word).chars() {
                    *survey.characters.entry(character).or_default() += count;
                }
            }
            Ok(())
        })?;
        Ok(survey)
    }

    /// The most frequent characters that together are the share `coverage` of the text; of equals the smaller code points.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a count needs no more than 53 bits"
    )]
    fn covering(&self, coverage: f64) -> FxHashMap<char, u64> {
        let mut listed: Vec<(char, u64)> = self.characters.iter().map(|(&c, &count)| (c, count)).collect();
        listed.sort_unstable_by_key(|&(character, count)| (Reverse(count), character));
        let all: u64 = listed.iter().map(|(_, count)| count).sum();
        let wanted = (all as f64 * coverage).ceil() as u64;
        let mut covered = 0;
        listed
            .into_iter()
            .take_while(|(_, count)| {
                let is_wanted = covered < wanted;
                covered += count;
                is_wanted
            })
            .collect()
    }

    /// The bytes of the alphabet, in the order of their ids.
    fn alphabet(&self, options: &TrainOptions) -> Vec<u8> {
        let is_initial = |byte: u8| options.initial_alphabet.contains(&byte);
        let mut kept: Vec<u8> = (0..=u8::MAX)
            .filter(|&byte| is_initial(byte) || self.bytes[usize::from(byte)] > 0)
            .collect();
        kept.sort_unstable_by_key(|&byte| {
            (
                Reverse(is_initial(byte)),
                Reverse(self.bytes[usize::from(byte)]),
                alphabet::char_of(byte),
            )
        });
        kept.truncate(options.limit_alphabet.unwrap_or(usize::MAX));
        kept.sort_unstable_by_key(|&byte| alphabet::char_of(byte));
        kept
    }
}

impl Symbols {
    /// The symbols of `words`, with ids from `first_id` on: bytes in the order of their characters, then bytes that end a word.
    pub(super) fn of(words: &Words, options: &TrainOptions, first_id: u32) -> Result<Self> {
        let marks_ends = options.end_of_word_suffix.is_some();
        let counts_characters = options.character_coverage < 1.0;
        let mut listed: Vec<(u8, bool)> = Vec::new();
        let mut kept = None;
        if options.has_all_bytes() && !marks_ends && !counts_characters {
            listed.extend(
                alphabet::bytes_in_id_order()
                    .into_iter()
                    .map(|byte| (byte, false)),
            );
        } else {
            let survey = Survey::of(words, counts_characters)?;
            let bytes = survey.alphabet(options);
            listed.extend(bytes.iter().map(|&byte| (byte, false)));
            if marks_ends {
                let ends = bytes.iter().filter(|&&byte| survey.ends[usize::from(byte)]);
                listed.extend(ends.map(|&byte| (byte, true)));
            }
            kept = counts_characters.then(|| survey.covering(options.character_coverage));
        }
        let (mut ids, mut last_ids) = ([DROPPED; 256], [DROPPED; 256]);
        for (id, &(byte, is_last)) in (first_id..).zip(&listed) {
            last_ids[usize::from(byte)] = id;
            if !is_last {
                ids[usize::from(byte)] = id;
            }
        }
        Ok(Self {
            listed,
            ids,
            last_ids,
            kept,
        })
    }

    /// Hands the symbols of `word` to `take`, a stretch of covered characters at a time.
    pub(super) fn write(&self, word: &[u8], symbols: &mut Vec<u32>, mut take: impl FnMut(&[u32])) {
        let Some(kept) = &self.kept else {
            self.write_stretch(word, true, symbols);
            return take(symbols);
        };
        let mut start = 0;
        let mut at = 0;
        for character in String::from_utf8_lossy(word).chars() {
            let end = at + character.len_utf8();
            if !kept.contains_key(&character) {
                self.write_stretch(&word[start.min(word.len())..at.min(word.len())], false, symbols);
                take(symbols);
                start = end;
            }
            at = end;
        }
        self.write_stretch(&word[start.min(word.len())..], true, symbols);
        take(symbols);
    }

    fn write_stretch(&self, bytes: &[u8], ends_word: bool, symbols: &mut Vec<u32>) {
        symbols.clear();
        let last = bytes.len().wrapping_sub(1);
        symbols.extend(
            bytes
                .iter()
                .enumerate()
                .map(|(at, &byte)| {
                    let ids = if ends_word && at == last {
                        &self.last_ids
                    } else {
                        &self.ids
                    };
                    ids[usize::from(byte)]
                })
                .filter(|&id| id != DROPPED),
        );
    }
}
