//! The tokenizer: text to ids and back.

use crate::added::{Piece, Round, Stretch};
use crate::decode::Slots;
use crate::encode::Worker;
use crate::error::{Error, Result};
use crate::merge::Merges;
use crate::model::Model;
use crate::normalize::{Text, Unicode};
use crate::parts::Parts;
use crate::split::Splitter;
use crate::template::Around;
use crate::word_table::Shared;
use std::sync::{Arc, Mutex, OnceLock};

/// The special token that ends every document.
pub const END_OF_DOCUMENT: &str = "<|endoftext|>";

/// What other vocabularies call it, the most telling first.
const OTHER_ENDS: [&str; 4] = [
    "<|end_of_text|>",
    "<\u{ff5c}end\u{2581}of\u{2581}sentence\u{ff5c}>",
    "</s>",
    "<|eot_id|>",
];

/// What to do where a text contains the text of a special token. There is no default: for training data it matters.
///
/// An added token that is not special is found in every text, as `tokenizers` finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Specials {
    /// Refuse the text.
    Forbid,
    /// Encode it as the ordinary text it is.
    Text,
    /// Encode it as the special token.
    Ids,
}

/// Byte-pair encoding. Immutable; any number of threads may use one at a time.
#[derive(Debug)]
pub struct Tokenizer {
    pub(crate) parts: Parts,
    pub(crate) model: Model,
    pub(crate) splitter: Splitter,
    /// The added tokens that are looked for in the text as it stands, and those looked for in the normalized text.
    raw: Round,
    normalized: Round,
    around: Around,
    idle: Mutex<Vec<Worker>>,
    /// The words that the workers have met.
    words: Arc<Shared>,
    /// What ids decode to, once they have been asked for.
    pub(crate) slots: OnceLock<Slots>,
    pub(crate) fingerprint: OnceLock<String>,
}

impl Tokenizer {
    /// The parts, which fit together: every id is one of the vocabulary.
    ///
    /// # Errors
    /// If the vocabulary lacks a byte, the pattern cannot be used, or something is too large.
    pub(crate) fn from_parts(parts: Parts) -> Result<Self> {
        Self::with_merges(parts, None)
    }

    /// The same, with the tables of these merges if they are at hand.
    pub(crate) fn with_merges(parts: Parts, ready: Option<Merges>) -> Result<Self> {
        let model = parts.model(ready)?;
        let splitter = parts.splitter(&model)?;
        let [raw, normalized] = parts.rounds()?;
        let around = parts.around()?;
        Ok(Self {
            model,
            splitter,
            raw,
            normalized,
            around,
            idle: Mutex::default(),
            words: Arc::default(),
            slots: OnceLock::new(),
            fingerprint: OnceLock::new(),
            parts,
        })
    }

    /// The same tokenizer by another edition of Unicode. It is another tokenizer, with another fingerprint, where it normalizes.
    ///
    /// # Errors
    /// If that edition leaves nothing of an added token.
    pub fn with_unicode(&self, unicode: Unicode) -> Result<Self> {
        let mut parts = self.parts.clone();
        parts.settings.unicode = unicode;
        Self::from_parts(parts)
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
        let known = out.len();
        let done = self.pieces(text, specials, false, |piece| match piece {
            Piece::Text(text) => worker.encode(&text.text, &self.splitter, &self.model, out),
            Piece::Added { mark, .. } => out.push(mark.id),
        });
        if done.is_err() {
            out.truncate(known);
        }
        done
    }

    /// Hands `each` the pieces of `text` in order: added tokens, and normalized text between them. Where each byte of a piece
    /// comes from is known if it is `aligned`, or if nothing has been normalized.
    pub(crate) fn pieces<'t>(
        &self,
        text: &'t str,
        specials: Specials,
        aligned: bool,
        mut each: impl FnMut(Piece<'t>),
    ) -> Result<()> {
        let mut forbidden = None;
        self.raw.cut(
            text,
            specials != Specials::Text,
            |Stretch { range, token }| match token {
                Some(mark) if mark.special && specials == Specials::Forbid => {
                    forbidden.get_or_insert(mark.at..range.end);
                }
                Some(mark) => each(Piece::Added { mark, range }),
                None => self.normalized_pieces(
                    &text[range.clone()],
                    range.start,
                    specials,
                    aligned,
                    &mut forbidden,
                    &mut each,
                ),
            },
        );
        match forbidden {
            None => Ok(()),
            Some(range) => Err(Error::special_in_text(
                text[range.clone()].trim_end(),
                range.start,
            )),
        }
    }

    /// The second round, in a stretch that begins at byte `start` of the text.
    fn normalized_pieces<'t>(
        &self,
        stretch: &'t str,
        start: usize,
        specials: Specials,
        aligned: bool,
        forbidden: &mut Option<std::ops::Range<usize>>,
        each: &mut impl FnMut(Piece<'t>),
    ) {
        let settings = &self.parts.settings;
        let mut text = Text::plain(stretch, start);
        if aligned {
            text = text.aligned();
        }
        let text = text.normalized(&settings.normalizers, settings.unicode);
        let marked = |text: Text<'t>, is_first| match &settings.metaspace {
            Some(metaspace) => metaspace.apply(text, is_first),
            None => text,
        };
        if self.normalized.is_empty() {
            if !text.text.is_empty() {
                each(Piece::Text(marked(text, start == 0)));
            }
            return;
        }
        self.normalized.cut(
            &text.text,
            specials != Specials::Text,
            |Stretch { range, token }| {
                let origin = text.origin().of(range.clone());
                match token {
                    Some(mark) if mark.special && specials == Specials::Forbid => {
                        let own = text.origin().of(mark.at..range.end);
                        forbidden.get_or_insert(own);
                    }
                    Some(mark) => each(Piece::Added { mark, range: origin }),
                    None => each(Piece::Text(marked(text.part(range), origin.start == 0))),
                }
            },
        );
    }

    /// Runs `work` with an idle worker or a new one. It never waits, so a fork at any moment leaves nothing locked.
    pub(crate) fn with_worker<T>(&self, work: impl FnOnce(&mut Worker) -> T) -> T {
        let mut worker = self
            .idle
            .try_lock()
            .ok()
            .and_then(|mut idle| idle.pop())
            .unwrap_or_else(|| self.worker());
        let result = work(&mut worker);
        if let Ok(mut idle) = self.idle.try_lock() {
            idle.push(worker);
        }
        result
    }

    /// A new worker.
    pub(crate) fn worker(&self) -> Worker {
        Worker::new(Arc::clone(&self.words))
    }

    /// Where the words of `text` end, before anything is merged: of a text that has been normalized and holds no added token.
    #[must_use]
    pub fn word_ends(&self, text: &str) -> Vec<usize> {
        let mut cut = self.splitter.cut(text);
        let (mut all, mut ends) = (Vec::new(), [0; 256]);
        loop {
            match cut.next_ends(&mut ends) {
                0 => return all,
                words => all.extend_from_slice(&ends[..words]),
            }
        }
    }

    /// The ids that the file's post-processor puts before and behind the ids of a text.
    #[must_use]
    pub fn ids_around(&self) -> (&[u32], &[u32]) {
        (&self.around.before, &self.around.behind)
    }

    /// The number of ids: 0 up to it. Published vocabularies have holes below their special tokens; they count.
    #[must_use]
    pub fn vocabulary_size(&self) -> usize {
        self.parts.vocabulary.len()
    }

    /// The bytes that `id` stands for (the text, for a special token), or `None` if it stands for nothing.
    #[must_use]
    pub fn token_bytes(&self, id: u32) -> Option<&[u8]> {
        self.parts.vocabulary.get(id)
    }

    /// The id of [`END_OF_DOCUMENT`], if the vocabulary has it as a special token, otherwise of what other vocabularies end a
    /// text with.
    #[must_use]
    pub fn end_of_document_id(&self) -> Option<u32> {
        let id_of = |name: &str| {
            self.special_tokens()
                .find_map(|(id, text)| (text == name).then_some(id))
        };
        id_of(END_OF_DOCUMENT).or_else(|| OTHER_ENDS.into_iter().find_map(id_of))
    }

    /// The special tokens with their ids, in the order of the file.
    pub fn special_tokens(&self) -> impl Iterator<Item = (u32, &str)> {
        self.added_tokens()
            .filter_map(|(id, text, special)| special.then_some((id, text)))
    }

    /// The added tokens in the order of the file: id, text, and whether it is a special token.
    pub fn added_tokens(&self) -> impl Iterator<Item = (u32, &str, bool)> {
        self.parts
            .added
            .iter()
            .map(|token| (token.id, token.content.as_str(), token.special))
    }

    /// The merges in the order of learning: left id, right id, and the id they make.
    pub fn merges(&self) -> impl ExactSizeIterator<Item = (u32, u32, u32)> {
        self.parts
            .merges
            .iter()
            .map(|&((left, right), id)| (left, right, id))
    }

    pub(crate) fn byte_id(&self, byte: u8) -> u32 {
        self.model.byte_id(byte)
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
