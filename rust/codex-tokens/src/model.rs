//! What makes ids of a word: the symbols it begins as, and the merges that join them.
//!
//! A byte-level model begins with bytes, and nothing is unknown to it. A model of `SentencePiece`'s kind begins with characters;
//! one that the vocabulary lacks becomes its bytes, if the vocabulary has those, or the unknown token. So does a byte-level model that
//! lacks bytes, or whose symbols have affixes: its characters are the letters that spell bytes.

use crate::characters::{Characters, Symbol};
use crate::edges::{Junctions, joins_nothing_before};
use crate::error::Result;
use crate::lengths::{Length, lengths_of};
use crate::merge::{Merges, Pair, Short, merge_long, merge_short};
use crate::piecewise::Pieces;
use crate::settings::Affixes;
use crate::split::metaspace::MARK;
use crate::whole::{Lookup, WholeTokens};
use crate::word_table::Key;
use rustc_hash::FxHashMap;
use std::slice;
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
    /// In a byte-level model, words that the merges come to one token for.
    tokens: WholeTokens,
    /// Bytes of each id, once they have been asked for.
    lengths: OnceLock<Vec<u32>>,
    /// Where words of characters may be cut, once a long one has been met; `None` if that is not certain.
    junctions: OnceLock<Option<Junctions>>,
}

impl Model {
    /// A byte-level model: the merges in the order of learning, with what they make, and the ids of the bytes. A merge makes the
    /// token that its parts spell. Under `ignore_merges` a word that is one of `tokens` becomes its id whatever the merges would
    /// make of it.
    ///
    /// # Errors
    /// If there are more merges, or larger ids, than a table of merges can hold.
    pub(crate) fn byte_level<'a>(
        merges: &[(Pair, u32)],
        byte_ids: &[u32; 256],
        tokens: impl Iterator<Item = (&'a [u8], u32)> + Clone,
        ignore_merges: bool,
    ) -> Result<Self> {
        let merges = Merges::of_bytes(merges, byte_ids)?;
        Ok(Self::of_merges(merges, None, tokens, ignore_merges))
    }

    /// A model whose words begin as `characters`; the rest as in [`Self::byte_level`].
    ///
    /// # Errors
    /// As [`Self::byte_level`].
    pub(crate) fn sentencepiece<'a>(
        merges: &[(Pair, u32)],
        characters: Characters,
        tokens: impl Iterator<Item = (&'a [u8], u32)> + Clone,
        ignore_merges: bool,
    ) -> Result<Self> {
        let merges = Merges::of_symbols(merges, &characters.all_ids())?;
        Ok(Self::of_merges(merges, Some(characters), tokens, ignore_merges))
    }

    /// The same of merges that are ready, with the characters of a model that is not byte-level.
    pub(crate) fn of_merges<'a>(
        merges: Merges,
        characters: Option<Characters>,
        tokens: impl Iterator<Item = (&'a [u8], u32)> + Clone,
        ignore_merges: bool,
    ) -> Self {
        let comes_to = |&(_, id): &(&[u8], u32)| characters.is_none() && merges.comes_to(id);
        let whole_words = tokens
            .clone()
            .filter(|token| ignore_merges && !comes_to(token))
            .map(|(word, id)| (word.into(), id))
            .collect();
        Self {
            tokens: WholeTokens::of(tokens.filter(comes_to)),
            merges,
            characters,
            whole_words,
            lengths: OnceLock::new(),
            junctions: OnceLock::new(),
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

    /// The id of the word that has `key`, if it is known without any merge that it comes to one.
    #[inline]
    pub(crate) fn token(&self, key: Key) -> Option<u32> {
        self.tokens.lookup().get(key)
    }

    /// The same of many words.
    #[inline]
    pub(crate) fn tokens(&self) -> Lookup<'_> {
        self.tokens.lookup()
    }

    /// Appends the ids of `word` to `out`.
    pub(crate) fn append(&self, word: &[u8], out: &mut Vec<u32>) {
        if let Some(&id) = self.whole_words.get(word) {
            out.push(id);
        } else if let Some(characters) = &self.characters {
            let mut pieces = Pieces::new(self, word.len(), |number, _| out.push(self.merges.id(number)));
            characters.symbols(word, |symbol| pieces.push(symbol.id));
            pieces.finish();
        } else {
            let mut short = Short::default();
            if self.begin_bytes(word, &mut short) {
                self.merge(slice::from_mut(&mut short));
                out.extend(self.ids(&short));
            } else {
                self.append_long(word, out);
            }
        }
    }

    /// The same of a word that begins as bytes.
    fn append_long(&self, word: &[u8], out: &mut Vec<u32>) {
        let mut numbers = Vec::new();
        if self.merges.has_characters(word) {
            self.merges.each_character(word, |number| numbers.push(number));
        } else {
            numbers.extend(word.iter().map(|&byte| self.merges.byte_number(byte)));
        }
        merge_long(numbers.into_iter(), &self.merges, |number, _| {
            out.push(self.merges.id(number));
        });
    }

    /// Begins `word` in `short`, if it can be merged together with others: a word of few symbols in a byte-level model.
    #[inline]
    pub(crate) fn begin(&self, word: &[u8], short: &mut Short) -> bool {
        let is_merged = self.characters.is_none()
            && (self.whole_words.is_empty() || !self.whole_words.contains_key(word));
        is_merged && self.begin_bytes(word, short)
    }

    #[inline]
    fn begin_bytes(&self, word: &[u8], short: &mut Short) -> bool {
        if self.merges.has_characters(word) {
            short.begin_characters(word, &self.merges)
        } else {
            short.begin_bytes(word, &self.merges)
        }
    }

    /// Merges words that have been begun.
    pub(crate) fn merge(&self, words: &mut [Short]) {
        merge_short(words, &self.merges);
    }

    /// The ids that a word has been merged to.
    #[inline]
    pub(crate) fn ids(&self, word: &Short) -> impl Iterator<Item = u32> {
        word.numbers().map(|(number, _)| self.merges.id(number))
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
        let mut symbols = Vec::new();
        let keep = |symbol| symbols.push(symbol);
        match &self.characters {
            _ if self.whole_words.contains_key(word) => {}
            Some(characters) => characters.symbols(word, keep),
            None => (1..)
                .zip(word)
                .map(|(end, &byte)| Symbol {
                    id: self.byte_id(byte),
                    end,
                })
                .for_each(keep),
        }
        let mut pieces = Pieces::new(self, symbols.len(), |_, place: usize| {
            // What begins here is where the one before it ends.
            ends.extend(place.checked_sub(1).map(|before| start + symbols[before].end));
        });
        for symbol in &symbols {
            pieces.push(symbol.id);
        }
        pieces.finish();
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
            && characters.affixes == Affixes::default()
            && mark.is_some_and(|&mark| {
                joins_nothing_before(mark, &characters.all_ids(), &self.merges.by_rank())
            })
    }

    /// Where words of characters may be cut; `None` if that is not certain.
    pub(crate) fn junctions(&self) -> Option<&Junctions> {
        let characters = self.characters.as_ref()?;
        let of = || Junctions::of(&characters.all_ids(), &self.merges.by_rank());
        self.junctions.get_or_init(of).as_ref()
    }

    /// The number of a symbol, which is an id.
    pub(crate) fn number(&self, symbol: u32) -> u32 {
        self.merges.number(symbol)
    }

    /// Gives the number of each id that the ids `symbols` are merged to, and the place of the first symbol in it; `short` is any
    /// word, made anew.
    #[inline]
    pub(crate) fn merge_piece(&self, symbols: &[u32], short: &mut Short, mut emit: impl FnMut(u32, usize)) {
        let numbers = symbols.iter().map(|&symbol| self.number(symbol));
        if short.begin_numbers(numbers.clone(), &self.merges) {
            self.merge(slice::from_mut(short));
            short.numbers().for_each(|(number, place)| emit(number, place));
        } else {
            merge_long(numbers, &self.merges, emit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::random;

    /// `a` to `e` are 1 to 5, `ab` is 6, `abab` 7; what is unknown is 0.
    fn model(whole_words: &[(&[u8], u32)]) -> Model {
        let characters = Characters {
            ids: ('a'..='e').zip(1..).collect(),
            unknown: Some(0),
            fuses_unknown: true,
            ..Characters::default()
        };
        let merges = [((1, 2), 6), ((6, 6), 7)];
        Model::sentencepiece(&merges, characters, whole_words.iter().copied(), true).expect("small")
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

    /// Vocabularies of a few characters, whose merges make each token in one way: long words, many of them with a place where
    /// no merge joins.
    #[test]
    fn a_long_word_cut_where_no_merge_joins_has_the_ids_of_the_whole() {
        let mut random = random::<u32>(5);
        let (mut cut, mut whole) = (0, 0);
        for _ in 0..300 {
            let mut merges: Vec<(Pair, u32)> = Vec::new();
            for made in 5..5 + random(12) {
                let pair = (random(made), random(made));
                let made = if random(20) == 0 { random(made) } else { made };
                if merges.iter().all(|&(other, _)| other != pair) {
                    merges.push((pair, made));
                }
            }
            let model = || {
                let characters = Characters {
                    ids: ('a'..='d').zip(0..).collect(),
                    unknown: Some(4),
                    fuses_unknown: merges.len().is_multiple_of(2),
                    ..Characters::default()
                };
                Model::sentencepiece(&merges, characters, std::iter::empty(), false).expect("small")
            };
            let (pieces, in_one) = (model(), model());
            in_one.junctions.get_or_init(|| None);
            let length = [200, 10_000][random(2) as usize];
            let word: String = (0..length)
                .map(|_| ['a', 'b', 'c', 'd', '?'][random(5) as usize])
                .collect();
            assert_eq!(
                ids_and_ends(&pieces, &word),
                ids_and_ends(&in_one, &word),
                "{merges:?}"
            );
            match pieces.junctions.get() {
                Some(Some(_)) => cut += 1,
                Some(None) => whole += 1,
                None => unreachable!("the word is long"),
            }
        }
        assert!(cut > 100 && whole > 20, "{cut} were cut, {whole} were not");
    }
}
