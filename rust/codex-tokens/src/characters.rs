//! A word as characters: what a model of `SentencePiece`'s kind merges.

use crate::lengths::Length;
use rustc_hash::FxHashMap;

/// What a word begins as: an id, and where in the word its bytes end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Symbol {
    pub(crate) id: u32,
    pub(crate) end: usize,
}

/// The characters of a vocabulary, and what becomes of those it lacks.
#[derive(Debug, Default)]
pub(crate) struct Characters {
    /// The ids of the tokens that are one character.
    pub(crate) ids: FxHashMap<char, u32>,
    /// Under `byte_fallback`, the ids of `<0x00>` to `<0xFF>`, as far as the vocabulary has them; otherwise all `None`.
    pub(crate) bytes: Option<Box<[Option<u32>; 256]>>,
    /// The id of the unknown token. Without one what is unknown is left out.
    pub(crate) unknown: Option<u32>,
    /// Whether unknown characters side by side are one unknown token.
    pub(crate) fuses_unknown: bool,
}

impl Characters {
    /// Hands `each` the symbols of `word`, in the order of `tokenizers` 0.23.3: an unknown token is written when the next known
    /// character is met, so bytes that stand between the two come before it.
    pub(crate) fn symbols(&self, word: &str, mut each: impl FnMut(Symbol)) {
        let mut unknown: Option<Symbol> = None;
        for (start, character) in word.char_indices() {
            let end = start + character.len_utf8();
            if let Some(&id) = self.ids.get(&character) {
                unknown.take().into_iter().for_each(&mut each);
                each(Symbol { id, end });
            } else if let Some(bytes) = self.byte_symbols(&word.as_bytes()[start..end], start) {
                bytes.for_each(&mut each);
            } else if let Some(id) = self.unknown {
                if !self.fuses_unknown {
                    unknown.take().into_iter().for_each(&mut each);
                }
                unknown = Some(Symbol { id, end });
            }
        }
        unknown.into_iter().for_each(each);
    }

    /// The ids that a word can begin with.
    pub(crate) fn all_ids(&self) -> Vec<u32> {
        self.lengths().into_iter().map(|(id, _)| id).collect()
    }

    /// The number of bytes of each id that a word can begin with.
    pub(crate) fn lengths(&self) -> Vec<(u32, Length)> {
        let length = |character: char| [1, 1, 2, 3, 4][character.len_utf8()];
        let characters = self
            .ids
            .iter()
            .map(|(&character, &id)| (id, Length::Bytes(length(character))));
        let bytes = self.bytes.iter().flat_map(|ids| ids.iter().flatten());
        characters
            .chain(bytes.map(|&id| (id, Length::Bytes(1))))
            .chain(self.unknown.map(|id| (id, Length::Many)))
            .collect()
    }

    /// The bytes of a character that start at `start`, if the vocabulary has all of them.
    fn byte_symbols(&self, bytes: &[u8], start: usize) -> Option<impl Iterator<Item = Symbol>> {
        let ids = self.bytes.as_deref()?;
        let mut symbols = [None; 4];
        for ((symbol, &byte), end) in symbols.iter_mut().zip(bytes).zip(start + 1..) {
            let id = ids[usize::from(byte)]?;
            *symbol = Some(Symbol { id, end });
        }
        Some(symbols.into_iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn characters(bytes: &[u8], unknown: Option<u32>, fuses_unknown: bool) -> Characters {
        let mut byte_ids = Box::new([None; 256]);
        for &byte in bytes {
            byte_ids[usize::from(byte)] = Some(1000 + u32::from(byte));
        }
        Characters {
            ids: ('a'..='e').zip(1..).collect(),
            bytes: (!bytes.is_empty()).then_some(byte_ids),
            unknown,
            fuses_unknown,
        }
    }

    fn ids(characters: &Characters, word: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        characters.symbols(word, |symbol| ids.push(symbol.id));
        ids
    }

    #[test]
    fn unknown_characters_are_one_token_or_one_each_or_left_out() {
        assert_eq!(ids(&characters(&[], Some(0), true), "axyb"), [1, 0, 2]);
        assert_eq!(ids(&characters(&[], Some(0), false), "axyb"), [1, 0, 0, 2]);
        assert_eq!(ids(&characters(&[], None, true), "axyb"), [1, 2]);
        assert_eq!(ids(&characters(&[], Some(0), true), "xy"), [0]);
    }

    #[test]
    fn a_character_becomes_its_bytes_only_if_all_of_them_are_known() {
        let both = characters(&[0xc3, 0xa9], Some(0), true);
        assert_eq!(ids(&both, "aéb"), [1, 1195, 1169, 2]);
        let first = characters(&[0xc3], Some(0), true);
        assert_eq!(ids(&first, "aéb"), [1, 0, 2]);
    }

    #[test]
    fn bytes_come_before_an_unknown_token_that_waits() {
        let bytes = characters(&[0xc3, 0xa9], Some(0), true);
        assert_eq!(ids(&bytes, "xéxa"), [1195, 1169, 0, 1]);
    }

    #[test]
    fn a_symbol_ends_where_its_bytes_end() {
        let bytes = characters(&[0xc3, 0xa9], Some(0), true);
        let mut ends = Vec::new();
        bytes.symbols("aéxyb", |symbol| ends.push(symbol.end));
        assert_eq!(ends, [1, 2, 3, 5, 6]);
    }
}
