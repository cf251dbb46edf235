//! The tokenizer: text to ids and back.

use crate::encode::Worker;
use crate::error::{Error, Result};
use crate::merge::Pair;
use crate::model::Model;
use crate::split::Splitter;
use aho_corasick::{AhoCorasick, MatchKind};
use std::sync::{Mutex, OnceLock};

/// The special token that ends every document.
pub const END_OF_DOCUMENT: &str = "<|endoftext|>";

/// What an id stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// A mark with a text of its own, never made by a merge.
    Special(String),
    /// A stretch of bytes, not necessarily whole characters.
    Bytes(Vec<u8>),
}

impl Token {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Special(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// What to do where a text contains the text of a special token. There is no default: for training data it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Specials {
    /// Refuse the text.
    Forbid,
    /// Encode it as the ordinary text it is.
    Text,
    /// Encode it as the special token.
    Ids,
}

/// Byte-level byte-pair encoding with GPT-2's pattern. Immutable; any number of threads may use one at a time.
#[derive(Debug)]
pub struct Tokenizer {
    tokens: Vec<Token>,
    /// In the order of learning, which is the order they are applied in.
    merges: Vec<(Pair, u32)>,
    model: Model,
    splitter: Splitter,
    special_ids: Vec<u32>,
    special_finder: Option<AhoCorasick>,
    idle: Mutex<Vec<Worker>>,
    pub(crate) fingerprint: OnceLock<String>,
}

impl Tokenizer {
    /// The tokens by id, and the merges with what they make. The callers have checked that every byte has a token, that
    /// every id is one of `tokens`, and that no pair is merged twice.
    pub(crate) fn new(tokens: Vec<Token>, merges: Vec<(Pair, u32)>) -> Result<Self> {
        let mut byte_ids = [0; 256];
        let mut special_ids = Vec::new();
        let mut special_texts = Vec::new();
        for (id, token) in (0..).zip(&tokens) {
            match token {
                Token::Special(text) => {
                    special_ids.push(id);
                    special_texts.push(text.as_str());
                }
                Token::Bytes(bytes) => {
                    if let [byte] = bytes[..] {
                        byte_ids[usize::from(byte)] = id;
                    }
                }
            }
        }
        let special_finder = if special_texts.is_empty() {
            None
        } else {
            let built = AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostLongest)
                .build(&special_texts);
            Some(built.map_err(|error| Error::usage(format!("too many special tokens: {error}")))?)
        };
        let model = Model::byte_level(&merges, &byte_ids, [])?;
        let (idle, fingerprint) = (Mutex::default(), OnceLock::new());
        Ok(Self {
            tokens,
            merges,
            model,
            splitter: Splitter::default(),
            special_ids,
            special_finder,
            idle,
            fingerprint,
        })
    }

    /// Appends the ids of `text` to `out`.
    ///
    /// # Errors
    /// Under [`Specials::Forbid`], if the text contains a special token; `out` is then as it was.
    pub fn encode(&self, text: &str, specials: Specials, out: &mut Vec<u32>) -> Result<()> {
        self.with_worker(|worker| self.encode_with(worker, text, specials, out))
    }

    pub(crate) fn encode_with(
        &self,
        worker: &mut Worker,
        text: &str,
        specials: Specials,
        out: &mut Vec<u32>,
    ) -> Result<()> {
        let finder = self
            .special_finder
            .as_ref()
            .filter(|_| specials != Specials::Text);
        let mut done = 0;
        for found in finder.iter().flat_map(|finder| finder.find_iter(text)) {
            if specials == Specials::Forbid {
                return Err(Error::special_in_text(&text[found.range()], found.start()));
            }
            worker.encode(&text[done..found.start()], &self.splitter, &self.model, out);
            out.push(self.special_ids[found.pattern().as_usize()]);
            done = found.end();
        }
        worker.encode(&text[done..], &self.splitter, &self.model, out);
        Ok(())
    }

    /// Runs `work` with an idle worker or a new one. It never waits, so a fork at any moment leaves nothing locked.
    pub(crate) fn with_worker<T>(&self, work: impl FnOnce(&mut Worker) -> T) -> T {
        let mut worker = self
            .idle
            .try_lock()
            .ok()
            .and_then(|mut idle| idle.pop())
            .unwrap_or_default();
        let result = work(&mut worker);
        if let Ok(mut idle) = self.idle.try_lock() {
            idle.push(worker);
        }
        result
    }

    /// The bytes that `ids` stand for, special tokens as their text.
    ///
    /// # Errors
    /// If an id is not of this vocabulary.
    pub fn decode_bytes(&self, ids: &[u32]) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(ids.len() * 4);
        for (place, &id) in ids.iter().enumerate() {
            let token = self
                .token_bytes(id)
                .ok_or_else(|| Error::unknown_id(id, place, self.tokens.len()))?;
            bytes.extend_from_slice(token);
        }
        Ok(bytes)
    }

    /// The text that `ids` stand for; bytes that are not UTF-8 become U+FFFD.
    ///
    /// # Errors
    /// If an id is not of this vocabulary.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        let bytes = self.decode_bytes(ids)?;
        Ok(String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    /// The number of ids: 0 up to it, without a hole.
    #[must_use]
    pub fn vocabulary_size(&self) -> usize {
        self.tokens.len()
    }

    /// The bytes that `id` stands for (the text, for a special token), or `None` if there is no such id.
    #[must_use]
    pub fn token_bytes(&self, id: u32) -> Option<&[u8]> {
        self.tokens.get(id as usize).map(Token::bytes)
    }

    /// The id of [`END_OF_DOCUMENT`], if the vocabulary has it.
    #[must_use]
    pub fn end_of_document_id(&self) -> Option<u32> {
        self.special_tokens()
            .find_map(|(id, text)| (text == END_OF_DOCUMENT).then_some(id))
    }

    /// The special tokens by id.
    pub fn special_tokens(&self) -> impl Iterator<Item = (u32, &str)> {
        self.special_ids
            .iter()
            .filter_map(|&id| match &self.tokens[id as usize] {
                Token::Special(text) => Some((id, text.as_str())),
                Token::Bytes(_) => None,
            })
    }

    /// The merges in the order of learning: left id, right id, and the id they make.
    pub fn merges(&self) -> impl ExactSizeIterator<Item = (u32, u32, u32)> {
        self.merges.iter().map(|&((left, right), id)| (left, right, id))
    }

    pub(crate) fn byte_id(&self, byte: u8) -> u32 {
        self.model.byte_id(byte)
    }

    pub(crate) fn tokens(&self) -> &[Token] {
        &self.tokens
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::WordCounts;

    fn tokenizer() -> Tokenizer {
        let mut counts = WordCounts::default();
        counts.add_text("the cat sat on the mat and the cat sat");
        counts
            .train(300, &[END_OF_DOCUMENT, "<|end|>", "<|end|>of"])
            .expect("trains")
    }

    fn encoded(text: &str, specials: Specials) -> Vec<u32> {
        let mut ids = Vec::new();
        tokenizer().encode(text, specials, &mut ids).expect("encodes");
        ids
    }

    #[test]
    fn every_text_comes_back() {
        let tokenizer = tokenizer();
        for text in [
            "",
            "the cat",
            "\0",
            "e\u{301}\r\n\t",
            "\u{10ffff}\u{1f600}",
            "<|endoftext|>",
            &"a".repeat(70_000),
        ] {
            let mut ids = Vec::new();
            tokenizer.encode(text, Specials::Text, &mut ids).expect("encodes");
            assert_eq!(tokenizer.decode(&ids).expect("decodes"), text);
        }
    }

    #[test]
    fn specials_are_refused_or_text_or_ids_as_asked() {
        assert_eq!(encoded("<|endoftext|>", Specials::Ids), [0]);
        assert_eq!(
            encoded("<|end|>of<|end|>", Specials::Ids),
            [2, 1],
            "the longest at the leftmost place"
        );
        assert!(!encoded("<|endoftext|>", Specials::Text).contains(&0));
        let mut ids = vec![7];
        let error = tokenizer()
            .encode("the <|end|>", Specials::Forbid, &mut ids)
            .expect_err("forbidden");
        assert_eq!(error.to_string(), "special token `<|end|>` in the text at byte 4");
        assert_eq!(ids, [7]);
    }

    #[test]
    fn white_space_before_a_special_token_ends_its_own_text() {
        // Between special tokens a text stands alone, so the white-space rule sees an end there.
        let alone = encoded("  ", Specials::Text);
        let before = encoded("  <|endoftext|>x", Specials::Ids);
        assert_eq!(before[..alone.len()], alone);
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
        let mut ids = encoded("\u{e9}", Specials::Text);
        ids.truncate(1);
        assert_eq!(tokenizer().decode(&ids).expect("decodes"), "\u{fffd}");
    }

    #[test]
    fn threads_share_one_tokenizer() {
        let tokenizer = tokenizer();
        let text = "the cat sat on the mat ".repeat(200);
        let mut expected = Vec::new();
        tokenizer
            .encode(&text, Specials::Text, &mut expected)
            .expect("encodes");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let (ids, offsets) = tokenizer
                            .encode_batch(&[&text, ""], Specials::Text, None)
                            .expect("encodes");
                        assert_eq!(ids, expected);
                        assert_eq!(offsets, [0, expected.len(), expected.len()]);
                    }
                });
            }
        });
    }
}
