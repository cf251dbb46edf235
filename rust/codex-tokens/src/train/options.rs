//! What can be asked of training, and what is refused before any work.

use crate::alphabet;
use crate::error::{Error, Result};
use rustc_hash::FxHashSet;

/// What a vocabulary is to be. The options of Hugging Face's `BpeTrainer` that change the result, under their names.
///
/// ```
/// use codex_tokens::{TrainOptions, WordCounts};
///
/// let mut counts = WordCounts::default();
/// counts.add_text("low lower lowest");
/// let options = TrainOptions { min_frequency: 3, ..TrainOptions::new(300) };
/// assert_eq!(counts.learn(options)?.finish()?.vocabulary_size(), 256 + 2); // `lo` and `low`
/// # Ok::<(), codex_tokens::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TrainOptions {
    /// Special tokens, alphabet and merges together; there may be fewer when the text has no more pairs.
    pub vocab_size: usize,
    /// They have the first ids, in this order.
    pub special_tokens: Vec<String>,
    /// Pairs that occur less often are not merged.
    pub min_frequency: u64,
    /// Tokens are shorter than it in bytes, save those of two bytes; that is what `tokenizers` makes of it.
    pub max_token_length: Option<usize>,
    /// Bytes that have an id even if the text does not hold them; all 256 unless said otherwise.
    pub initial_alphabet: Vec<u8>,
    /// Bytes that have an id at most: those of the initial alphabet first, then the most frequent. Others are dropped.
    pub limit_alphabet: Option<usize>,
    /// The share of the text's characters that learning looks at, the most frequent first; a merge never holds a rarer one,
    /// which stays the bytes it is. Between 0 and 1, which is all.
    pub character_coverage: f64,
    /// What the last symbol of a word is marked with, such as `</w>`.
    pub end_of_word_suffix: Option<String>,
}

impl TrainOptions {
    /// As `tokenizers` does unasked, on all 256 bytes, and without special tokens.
    #[must_use]
    pub fn new(vocab_size: usize) -> Self {
        Self {
            vocab_size,
            special_tokens: Vec::new(),
            min_frequency: 0,
            max_token_length: None,
            initial_alphabet: (0..=u8::MAX).collect(),
            limit_alphabet: None,
            character_coverage: 1.0,
            end_of_word_suffix: None,
        }
    }

    /// Whether every byte has an id of its own, and no more than that.
    pub(super) fn has_all_bytes(&self) -> bool {
        let listed: FxHashSet<u8> = self.initial_alphabet.iter().copied().collect();
        listed.len() == 256 && self.limit_alphabet.is_none_or(|limit| limit >= 256)
    }

    /// Refuses what cannot be, before a byte is read.
    ///
    /// # Errors
    /// If the size has no room for the special tokens and the alphabet that is known, or is beyond 32 bits; if a special token
    /// is empty, given twice or spells a byte; if the coverage is no share.
    pub fn check(&self) -> Result<()> {
        let mut listed = self.initial_alphabet.clone();
        listed.sort_unstable();
        listed.dedup();
        let alphabet = listed.len().min(self.limit_alphabet.unwrap_or(usize::MAX));
        let smallest = self.special_tokens.len() + alphabet;
        if self.vocab_size < smallest {
            return Err(Error::vocabulary_size(self.vocab_size, smallest));
        }
        if u32::try_from(self.vocab_size).is_err() {
            return Err(Error::usage(format!(
                "`vocabulary_size` is {}, expected at most {}: an id has 32 bits",
                self.vocab_size,
                u32::MAX
            )));
        }
        if !(self.character_coverage > 0.0 && self.character_coverage <= 1.0) {
            return Err(Error::usage(format!(
                "`character_coverage` is {}, expected above 0 and at most 1",
                self.character_coverage
            )));
        }
        if self.end_of_word_suffix.as_deref() == Some("") {
            return Err(Error::usage(
                "`end_of_word_suffix` is empty, expected a mark such as `</w>`",
            ));
        }
        let mut seen = FxHashSet::default();
        for text in &self.special_tokens {
            if text.is_empty() {
                return Err(Error::usage("a special token is empty"));
            }
            if !seen.insert(text) {
                return Err(Error::usage(format!("special token `{text}` is given twice")));
            }
            if alphabet::unspell(text).is_some_and(|bytes| bytes.len() == 1) {
                return Err(Error::spelt_special(text.clone()));
            }
        }
        Ok(())
    }
}
