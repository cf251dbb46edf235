//! What makes ids of a word: the symbols it begins as, and the merges that join them.
//!
//! A byte-level model begins with bytes, and nothing is unknown to it. A model of `SentencePiece`'s kind begins with characters;
//! one that the vocabulary lacks becomes its bytes, if the vocabulary has those, or the unknown token.

use crate::characters::{Characters, Symbol};
use crate::edges::joins_nothing_before;
use crate::error::Result;
use crate::lengths::{Length, lengths_of};
use crate::merge::{LONGEST_SHORT_WORD, Merges, Pair, Short, merge_long};
use crate::split::metaspace::MARK;
use rustc_hash::FxHashMap;
use std::sync::OnceLock;

/// From a word to its ids. Immutable; shared by all threads.
#[derive(Debug)]
pub(crate) struct Model {
    merges: Merges,
    /// `None` in a byte-level model.
    characters: Option<Characters>,
    /// Under `ignore_merges`, the words that are tokens as they stand, in a byte-level model those alone that no merges come
    /// to; otherwise empty.
    whole_words: FxHashMap<Box<[u8]>, u32>,
    /// Bytes of each id, once they have been asked for.
    lengths: OnceLock<Vec<u32>>,
}

impl Model {
    /// A byte-level model: the merges in the order of learning, with what they make, and the ids of the bytes. A word among
    /// `whole_words` becomes its id whatever the merges would make of it (`ignore_merges`). A merge makes the token that its
    /// parts spell.
    ///
    /// # Errors
    /// If there are more merges, or larger ids, than a table of merges can hold.
    pub(crate) fn byte_level<'a>(
        merges: &[(Pair, u32)],
        byte_ids: &[u32; 256],
        whole_words: impl IntoIterator<Item = (&'a [u8], u32)>,
    ) -> Result<Self> {
        Ok(Self::of_merges(
            Merges::of_bytes(merges, byte_ids)?,
            None,
            whole_words,
        ))
    }

    /// A model whose words begin as `characters`. `whole_words` as in [`Self::byte_level`].
    ///
    /// # Errors
    /// As [`Self::byte_level`].
    pub(crate) fn sentencepiece<'a>(
        merges: &[(Pair, u32)],
        characters: Characters,
        whole_words: impl IntoIterator<Item = (&'a [u8], u32)>,
    ) -> Result<Self> {
        let merges = Merges::of_symbols(merges, &characters.all_ids())?;
        Ok(Self::of_merges(merges, Some(characters), whole_words))
    }

    /// The same of merges that are ready, with the characters of a model that is not byte-level.
    pub(crate) fn of_merges<'a>(
        merges: Merges,
        characters: Option<Characters>,
        whole_words: impl IntoIterator<Item = (&'a [u8], u32)>,
    ) -> Self {
        let whole_words = whole_words
            .into_iter()
            .filter(|&(_, id)| characters.is_some() || !merges.comes_to(id))
            .map(|(word, id)| (word.into(), id))
            .collect();
        Self {
            merges,
            characters,
            whole_words,
            lengths: OnceLock::new(),
        }
    }

    /// The merges, to be kept for [`Self::of_merges`].
    pub(crate) fn merges(&self) -> &Merges {
        &self.merges
    }

    /// The id of a byte, which only a byte-level model has.
    pub(crate) fn byte_id(&self, byte: u8) -> u32 {
        self.merges.id(self.merges.byte_number(byte))
    }

    /// Appends the ids of `word` to `out`.
    pub(crate) fn append(&self, word: &[u8], out: &mut Vec<u32>) {
        if let Some(&id) = self.whole_words.get(word) {
            out.push(id);
        } else if let Some(characters) = &self.characters {
            let symbols = characters.symbols(&String::from_utf8_lossy(word));
            self.merge_symbols(&symbols, |number, _| {
                out.push(self.merges.id(number));
            });
        } else if let Some(numbers) = self.merges.characters(word) {
            self.merge_numbers(numbers.into_iter(), |number, _| {
                out.push(self.merges.id(number));
            });
        } else if word.len() <= LONGEST_SHORT_WORD {
            let short = Short::of_bytes(word, &self.merges);
            short.merge(&self.merges, |number, _| {
                out.push(self.merges.id(number));
            });
        } else {
            let numbers = word.iter().map(|&byte| self.merges.byte_number(byte));
            merge_long(numbers, &self.merges, |number, _| {
                out.push(self.merges.id(number));
            });
        }
    }

    /// Appends where each of `ids`, which are those of `word`, ends; `start` is where the word begins.
    pub(crate) fn append_ends(&self, word: &[u8], start: usize, ids: &[u32], ends: &mut Vec<usize>) {
        let lengths = self.lengths.get_or_init(|| {
            let known = match &self.characters {
                Some(characters) => characters.lengths(),
                None => (0..=u8::MAX)
                    .map(|byte| (self.byte_id(byte), Length::Bytes(1)))
                    .collect(),
            };
            lengths_of(known, &self.merges.by_rank())
        });
        if ids.is_empty() {
            return;
        }
        let known = ends.len();
        let mut end = start;
        ends.extend(ids.iter().map(|&id| {
            end += lengths.get(id as usize).copied().unwrap_or(0) as usize;
            end
        }));
        if end != start + word.len() {
            // The length of an unknown token differs from place to place: merge again, and look where the symbols are.
            ends.truncate(known);
            self.append_ends_by_merging(word, start, ends);
        }
    }

    fn append_ends_by_merging(&self, word: &[u8], start: usize, ends: &mut Vec<usize>) {
        let symbols = match &self.characters {
            _ if self.whole_words.contains_key(word) => Vec::new(),
            Some(characters) => characters.symbols(&String::from_utf8_lossy(word)),
            None => (1..)
                .zip(word.iter())
                .map(|(end, &byte)| Symbol {
                    id: self.byte_id(byte),
                    end,
                })
                .collect(),
        };
        self.merge_symbols(&symbols, |_, place| {
            // What begins here is where the one before it ends.
            ends.extend(place.checked_sub(1).map(|before| start + symbols[before].end));
        });
        ends.push(start + word.len());
    }

    /// Whether a text may be cut before every run of marks (`▁`) without any id changing: if the mark is a token, so that
    /// nothing unknown reaches across it, and no merge joins it to anything else before it.
    pub(crate) fn cuts_at_marks(&self) -> bool {
        let Some(characters) = &self.characters else {
            return false;
        };
        let mark = characters.ids.get(&MARK);
        self.whole_words.is_empty()
            && mark.is_some_and(|&mark| {
                joins_nothing_before(mark, &characters.all_ids(), &self.merges.by_rank())
            })
    }

    /// Gives the number of each id that `symbols` are merged to, and the place of the first symbol in it.
    fn merge_symbols(&self, symbols: &[Symbol], emit: impl FnMut(u32, usize)) {
        self.merge_numbers(symbols.iter().map(|symbol| self.merges.number(symbol.id)), emit);
    }

    fn merge_numbers(&self, numbers: impl ExactSizeIterator<Item = u32>, emit: impl FnMut(u32, usize)) {
        if numbers.len() <= LONGEST_SHORT_WORD {
            Short::of_numbers(numbers, &self.merges).merge(&self.merges, emit);
        } else {
            merge_long(numbers, &self.merges, emit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a` to `e` are 1 to 5, `ab` is 6, `abab` 7; what is unknown is 0.
    fn model(whole_words: &[(&[u8], u32)]) -> Model {
        let characters = Characters {
            ids: ('a'..='e').zip(1..).collect(),
            unknown: Some(0),
            fuses_unknown: true,
            ..Characters::default()
        };
        let merges = [((1, 2), 6), ((6, 6), 7)];
        Model::sentencepiece(&merges, characters, whole_words.iter().copied()).expect("small")
    }

    fn ids_and_ends(model: &Model, word: &str) -> (Vec<u32>, Vec<usize>) {
        let (mut ids, mut ends) = (Vec::new(), Vec::new());
        model.append(word.as_bytes(), &mut ids);
        model.append_ends(word.as_bytes(), 0, &ids, &mut ends);
        if !ids.is_empty() {
            let mut merged = vec![];
            model.append_ends_by_merging(word.as_bytes(), 100, &mut merged);
            assert!(merged.iter().zip(&ends).all(|(merged, end)| *merged == end + 100));
        }
        (ids, ends)
    }

    #[test]
    fn ids_end_where_their_last_character_ends() {
        assert_eq!(
            ids_and_ends(&model(&[]), "abababéxc"),
            (vec![7, 6, 0, 3], vec![4, 6, 9, 10])
        );
        let long = "abab".repeat(40);
        let ends: Vec<usize> = (1..=40).map(|times| times * 4).collect();
        assert_eq!(ids_and_ends(&model(&[]), &long), (vec![7; 40], ends));
        assert_eq!(ids_and_ends(&model(&[]), ""), (vec![], vec![]));
    }

    #[test]
    fn a_whole_word_is_a_token_whatever_the_merges_say() {
        let model = model(&[(b"abc", 9)]);
        assert_eq!(ids_and_ends(&model, "abc"), (vec![9], vec![3]));
        assert_eq!(ids_and_ends(&model, "abcd"), (vec![6, 3, 4], vec![2, 3, 4]));
    }
}
