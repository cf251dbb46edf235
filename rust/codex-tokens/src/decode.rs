//! Ids to bytes and text.
//!
//! A token of up to 15 bytes, as nearly all are, is one move of 16 whatever its length; [`Vocabulary::get`], which the others
//! go through, is the slow twin.

use crate::error::{Error, Result};
use crate::settings::byte_of;
use crate::tokenizer::Tokenizer;
use crate::vocabulary::{Strings, Vocabulary};

const SLOT_BYTES: usize = 16;

/// In place of a length: the token is longer than a slot, or the id stands for nothing.
const ELSEWHERE: u8 = u8::MAX;

/// Ids whose bytes are collected before they are appended together.
const BATCH_IDS: usize = 64;

/// The bytes of a token; the last says how many count.
#[derive(Clone, Copy, Debug)]
#[repr(align(16))]
struct Slot([u8; SLOT_BYTES]);

impl Slot {
    const NONE: Self = Self([ELSEWHERE; SLOT_BYTES]);

    fn of(token: Option<&[u8]>) -> Self {
        let mut slot = [0; SLOT_BYTES];
        match token {
            Some(token) if token.len() < SLOT_BYTES => {
                slot[..token.len()].copy_from_slice(token);
                #[expect(clippy::cast_possible_truncation, reason = "it is below the size of a slot")]
                let length = token.len() as u8;
                slot[SLOT_BYTES - 1] = length;
                Self(slot)
            }
            _ => Self::NONE,
        }
    }
}

/// The tokens of a vocabulary by id, each in a slot.
#[derive(Debug)]
pub(crate) struct Slots(Vec<Slot>);

impl Slots {
    fn of(vocabulary: &Vocabulary) -> Self {
        let ids = 0..u32::try_from(vocabulary.len()).unwrap_or(u32::MAX);
        Self(ids.map(|id| Slot::of(vocabulary.get(id))).collect())
    }

    /// Appends the bytes of `ids`, which are of the same `vocabulary`, to `out`.
    ///
    /// # Errors
    /// The place of the first id that stands for nothing.
    fn append(
        &self,
        ids: &[u32],
        vocabulary: &Vocabulary,
        out: &mut Vec<u8>,
    ) -> std::result::Result<(), usize> {
        let mut ready = [0; BATCH_IDS * SLOT_BYTES];
        for (batch, ids) in ids.chunks(BATCH_IDS).enumerate() {
            let mut count = 0;
            for (at, &id) in ids.iter().enumerate() {
                let Slot(slot) = self.0.get(id as usize).unwrap_or(&Slot::NONE);
                ready[count..count + SLOT_BYTES].copy_from_slice(slot);
                let length = slot[SLOT_BYTES - 1];
                if length == ELSEWHERE {
                    out.extend_from_slice(&ready[..count]);
                    count = 0;
                    out.extend_from_slice(vocabulary.get(id).ok_or(batch * BATCH_IDS + at)?);
                } else {
                    count += usize::from(length);
                }
            }
            out.extend_from_slice(&ready[..count]);
        }
        Ok(())
    }
}

impl Tokenizer {
    /// The bytes that `ids` stand for, special tokens as their text.
    ///
    /// # Errors
    /// If an id is not of this vocabulary.
    pub fn decode_bytes(&self, ids: &[u32]) -> Result<Vec<u8>> {
        let vocabulary = &self.parts.vocabulary;
        let slots = self.slots.get_or_init(|| Slots::of(vocabulary));
        let mut bytes = Vec::with_capacity(ids.len() * 4);
        slots
            .append(ids, vocabulary, &mut bytes)
            .map_err(|place| Error::unknown_id(ids[place], place, vocabulary.len()))?;
        self.strip_start(&mut bytes);
        Ok(bytes)
    }

    fn strip_start(&self, bytes: &mut Vec<u8>) {
        if let Some((mark, times)) = self.parts.settings.stripped_start() {
            let mut buffer = [0; 4];
            let mark = mark.encode_utf8(&mut buffer).as_bytes();
            let stripped = bytes
                .chunks(mark.len())
                .take(times)
                .take_while(|&chunk| chunk == mark)
                .count();
            bytes.drain(..stripped * mark.len());
        }
    }

    /// The text that `ids` stand for; bytes that are not UTF-8 become U+FFFD.
    ///
    /// # Errors
    /// If an id is not of this vocabulary.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        let bytes = match String::from_utf8(self.decode_bytes(ids)?) {
            Ok(text) => return Ok(text),
            Err(error) => error.into_bytes(),
        };
        let bytes = match &self.parts.vocabulary.spellings {
            Some(spellings) if self.replaces_runs() => self.replace_broken_runs(ids, spellings),
            _ => bytes,
        };
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Whether U+FFFD stands for each byte of a run of byte tokens that is broken, and not as Unicode recommends it.
    #[must_use]
    pub fn replaces_runs(&self) -> bool {
        self.parts.vocabulary.spellings.is_some() && self.parts.settings.falls_back()
    }

    /// As [`Tokenizer::decode_bytes`], with U+FFFD for every byte of a run of byte tokens that is not UTF-8 as a whole: so
    /// `tokenizers` has it.
    fn replace_broken_runs(&self, ids: &[u32], spellings: &Strings) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut run = Vec::new();
        let end_run = |run: &mut Vec<u8>, bytes: &mut Vec<u8>| {
            if std::str::from_utf8(run).is_ok() {
                bytes.extend_from_slice(run);
            } else {
                bytes.extend(run.iter().flat_map(|_| "\u{FFFD}".bytes()));
            }
            run.clear();
        };
        for &id in ids {
            let spelling = spellings.get(id as usize).unwrap_or_default();
            if let Some(byte) = std::str::from_utf8(spelling).ok().and_then(byte_of) {
                run.push(byte);
                continue;
            }
            end_run(&mut run, &mut bytes);
            bytes.extend_from_slice(self.token_bytes(id).unwrap_or_default());
        }
        end_run(&mut run, &mut bytes);
        self.strip_start(&mut bytes);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::Kind;
    use crate::{END_OF_DOCUMENT, Specials, WordCounts};

    fn tokenizer() -> Tokenizer {
        let mut counts = WordCounts::default();
        counts.add_text("the cat sat on the mat and the cat sat");
        counts.train(300, &[END_OF_DOCUMENT]).expect("trains")
    }

    /// Tokens of 0 to 40 bytes, and a hole behind every seventh: rows of every length around that of a batch.
    #[test]
    fn slots_give_what_the_vocabulary_holds() {
        let mut vocabulary = Vocabulary::default();
        for length in 0..=40_u8 {
            let token: Vec<u8> = (0..length).map(|at| at ^ length).collect();
            vocabulary.push(&token, Kind::Ordinary);
            if length % 7 == 6 {
                vocabulary.push(b"", Kind::Unused);
            }
        }
        let slots = Slots::of(&vocabulary);
        let known: Vec<u32> = (0..u32::try_from(vocabulary.len()).expect("small"))
            .filter(|&id| vocabulary.get(id).is_some())
            .collect();
        let row: Vec<u32> = (0..300).map(|at| known[at * 17 % known.len()]).collect();
        for start in 0..20 {
            for end in (start..start + 140).chain([row.len()]) {
                let row = &row[start..end];
                let expected: Vec<u8> = row
                    .iter()
                    .filter_map(|&id| vocabulary.get(id))
                    .collect::<Vec<_>>()
                    .concat();
                let mut bytes = b"before".to_vec();
                assert_eq!(slots.append(row, &vocabulary, &mut bytes), Ok(()));
                assert_eq!(bytes, [b"before", expected.as_slice()].concat());
            }
        }
        for (bad, place) in [(7, 0), (7, 63), (7, 64), (u32::MAX, 65), (48, 139)] {
            let mut row = row[..140].to_vec();
            row[place] = bad;
            let found = slots.append(&row, &vocabulary, &mut Vec::new());
            assert_eq!(found, Err(place), "{bad}");
        }
    }

    #[test]
    fn an_unknown_id_is_an_error_that_says_where() {
        let error = tokenizer().decode_bytes(&[0, 1, 9999]).expect_err("unknown");
        let size = tokenizer().vocabulary_size();
        assert_eq!(
            error.to_string(),
            format!("unknown id `9999` at place 2, expected below {size}")
        );
    }

    #[test]
    fn broken_characters_decode_to_the_replacement_character() {
        let mut ids = Vec::new();
        tokenizer()
            .encode("\u{e9}", Specials::Text, &mut ids)
            .expect("encodes");
        ids.truncate(1);
        assert_eq!(tokenizer().decode(&ids).expect("decodes"), "\u{fffd}");
    }
}
