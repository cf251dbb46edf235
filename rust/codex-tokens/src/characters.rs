//! A word as characters: what a model of `SentencePiece`'s kind merges, and a byte-level one whose symbols are not just the 256 bytes.

use crate::alphabet;
use crate::lengths::Length;
use crate::settings::Affixes;
use rustc_hash::FxHashMap;
use std::borrow::Cow;

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
    /// What some symbols are written with.
    pub(crate) affixes: Affixes,
    /// The ids of the tokens that are one character with the prefix, the suffix, or both.
    pub(crate) affixed: FxHashMap<(char, bool, bool), u32>,
    /// Whether a word is bytes, and characters are the letters that spell them.
    pub(crate) spell_bytes: bool,
    /// Under `byte_fallback`, the ids of `<0x00>` to `<0xFF>`, as far as the vocabulary has them; otherwise all `None`.
    pub(crate) bytes: Option<Box<[Option<u32>; 256]>>,
    /// The id of the unknown token. Without one what is unknown is left out.
    pub(crate) unknown: Option<u32>,
    /// Whether unknown characters side by side are one unknown token.
    pub(crate) fuses_unknown: bool,
}

impl Characters {
    /// Notes the token `spelling`, if it is one character, with affixes or without.
    pub(crate) fn insert(&mut self, spelling: &str, id: u32) {
        if let Some(character) = only(spelling) {
            self.ids.insert(character, id);
        }
        let Affixes { prefix, suffix } = &self.affixes;
        for (begins, ends) in [(true, false), (false, true), (true, true)] {
            let (prefix, suffix) = (if begins { prefix } else { "" }, if ends { suffix } else { "" });
            let inside = spelling
                .strip_prefix(prefix)
                .and_then(|inside| inside.strip_suffix(suffix));
            if let Some(character) = inside.and_then(only)
                && begins != prefix.is_empty()
                && ends != suffix.is_empty()
            {
                self.affixed.insert((character, begins, ends), id);
            }
        }
    }

    /// The word that the token `spelling` is as it stands.
    pub(crate) fn unspelt<'s>(&self, spelling: &'s [u8]) -> Option<Cow<'s, [u8]>> {
        if self.spell_bytes {
            return alphabet::unspell(std::str::from_utf8(spelling).ok()?).map(Cow::Owned);
        }
        Some(Cow::Borrowed(spelling))
    }

    /// Hands `each` the symbols of `word`, in the order of `tokenizers` 0.23.3: an unknown token is written when the next known
    /// character is met, so bytes that stand between the two come before it.
    pub(crate) fn symbols(&self, word: &[u8], each: impl FnMut(Symbol)) {
        if self.spell_bytes {
            let letters = word.iter().map(|&byte| alphabet::char_of(byte));
            return self.symbols_of(letters.zip(1..), word.len(), each);
        }
        let text = match simdutf8::basic::from_utf8(word) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(word),
        };
        let characters = text
            .char_indices()
            .map(|(at, character)| (character, at + character.len_utf8()));
        self.symbols_of(characters, text.len(), each);
    }

    /// The same of characters and where each ends, of which the last ends at `whole`.
    fn symbols_of(
        &self,
        characters: impl Iterator<Item = (char, usize)>,
        whole: usize,
        mut each: impl FnMut(Symbol),
    ) {
        let mut unknown: Option<Symbol> = None;
        let mut start = 0;
        for (character, end) in characters {
            let prefix = if start > 0 { &*self.affixes.prefix } else { "" };
            let suffix = if end == whole { &*self.affixes.suffix } else { "" };
            let id = if prefix.is_empty() && suffix.is_empty() {
                self.ids.get(&character)
            } else {
                self.affixed
                    .get(&(character, !prefix.is_empty(), !suffix.is_empty()))
            };
            if let Some(&id) = id {
                unknown.take().into_iter().for_each(&mut each);
                each(Symbol { id, end });
            } else if let Some(bytes) =
                self.byte_symbols([prefix, character.encode_utf8(&mut [0; 4]), suffix])
            {
                for (id, byte_end) in bytes.zip(start + 1..) {
                    let end = byte_end.min(end);
                    each(Symbol { id, end });
                }
            } else if let Some(id) = self.unknown {
                if !self.fuses_unknown {
                    unknown.take().into_iter().for_each(&mut each);
                }
                unknown = Some(Symbol { id, end });
            }
            start = end;
        }
        unknown.into_iter().for_each(each);
    }

    /// The ids that a word can begin with.
    pub(crate) fn all_ids(&self) -> Vec<u32> {
        self.lengths().into_iter().map(|(id, _)| id).collect()
    }

    /// The number of bytes of each id that a word can begin with.
    pub(crate) fn lengths(&self) -> Vec<(u32, Length)> {
        let length = |character: char| match character.len_utf8() {
            bytes if !self.spell_bytes => Length::Bytes([1, 1, 2, 3, 4][bytes]),
            _ => Length::Bytes(1),
        };
        let characters = self.ids.iter().map(|(&character, &id)| (id, length(character)));
        let affixed = self
            .affixed
            .iter()
            .map(|(&(character, ..), &id)| (id, length(character)));
        let bytes = self.bytes.iter().flat_map(|ids| ids.iter().flatten());
        // Bytes of letters and affixes stand for bytes of a word or for nothing.
        let is_plain = !self.spell_bytes && self.affixes == Affixes::default();
        let byte = if is_plain { Length::Bytes(1) } else { Length::Many };
        characters
            .chain(affixed)
            .chain(bytes.map(|&id| (id, byte)))
            .chain(self.unknown.map(|id| (id, Length::Many)))
            .collect()
    }

    /// The ids of the bytes of what is spelt by `parts`, if the vocabulary has all of them.
    fn byte_symbols<'a>(&'a self, parts: [&'a str; 3]) -> Option<impl Iterator<Item = u32> + 'a> {
        let ids = self.bytes.as_deref()?;
        let found = move || {
            let bytes = parts.into_iter().flat_map(str::bytes);
            bytes.map(|byte| ids[usize::from(byte)])
        };
        found().all(|id| id.is_some()).then(|| found().flatten())
    }
}

/// The character that `text` is.
fn only(text: &str) -> Option<char> {
    let mut characters = text.chars();
    characters.next().filter(|_| characters.next().is_none())
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
            ..Characters::default()
        }
    }

    fn ids(characters: &Characters, word: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        characters.symbols(word.as_bytes(), |symbol| ids.push(symbol.id));
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
        bytes.symbols("aéxyb".as_bytes(), |symbol| ends.push(symbol.end));
        assert_eq!(ends, [1, 2, 3, 5, 6]);
    }

    #[test]
    fn symbols_say_where_in_a_word_they_stand() {
        let affixes = Affixes {
            prefix: "##".to_owned(),
            suffix: "</w>".to_owned(),
        };
        let mut both = Characters {
            affixes,
            unknown: Some(0),
            spell_bytes: true,
            ..Characters::default()
        };
        for (id, spelling) in (1..).zip(["a", "##a", "##a</w>", "a</w>", "##</w>", "\u{120}"]) {
            both.insert(spelling, id);
        }
        assert_eq!(ids(&both, "aaa"), [1, 2, 3]);
        assert_eq!(ids(&both, "a"), [4]);
        assert_eq!(ids(&both, " a"), [6, 3]);
        assert_eq!(ids(&both, "a a"), [1, 0, 3], "a space inside a word has no token");
        assert_eq!(ids(&both, "é"), [0, 0], "an unknown byte each");
        assert_eq!(both.unspelt("\u{120}a".as_bytes()).as_deref(), Some(&b" a"[..]));
    }
}
