//! Words to merges: byte-pair encoding learnt from counted words.
//!
//! The most frequent pair of neighbours becomes a token, again and again. Pairs of equal count go by the smaller left id,
//! then the smaller right id, as in Hugging Face's trainer, so that merges and ids are the same as its. The order of the
//! texts does not matter: only the counts do.

use crate::alphabet;
use crate::error::{Error, Result};
use crate::learner::{Learner, id_of};
use crate::split::words;
use crate::tokenizer::{Token, Tokenizer};
use rustc_hash::{FxHashMap, FxHashSet};

/// How often each word occurs. It holds every distinct word, and nothing else of the texts.
///
/// ```
/// let mut counts = codex_tokens::WordCounts::default();
/// counts.add_text("low lower lowest");
/// let tokenizer = counts.train(260, &["<|endoftext|>"])?;
/// assert_eq!(tokenizer.vocabulary_size(), 260);
/// assert_eq!(tokenizer.token_bytes(258), Some(b"low".as_slice()));
/// # Ok::<(), codex_tokens::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct WordCounts {
    counts: FxHashMap<Box<str>, u64>,
}

impl WordCounts {
    /// Counts the words of one document.
    pub fn add_text(&mut self, text: &str) {
        for word in words(text) {
            self.add_word(word, 1);
        }
    }

    /// Counts `word`, taken as it is, `times` more.
    pub fn add_word(&mut self, word: &str, times: u64) {
        if let Some(count) = self.counts.get_mut(word) {
            *count += times;
        } else {
            self.counts.insert(word.into(), times);
        }
    }

    /// The number of distinct words.
    #[must_use]
    pub fn distinct_words(&self) -> usize {
        self.counts.len()
    }

    /// Learns a vocabulary: `special_tokens` in the given order, the 256 bytes, then the merges in the order of learning.
    ///
    /// The vocabulary is smaller than asked for when every word has become a single token before.
    ///
    /// # Errors
    /// If `vocabulary_size` has no room for the special tokens and the bytes, if a special token is empty or given twice,
    /// or if a merge spells a special token.
    pub fn train(&self, vocabulary_size: usize, special_tokens: &[&str]) -> Result<Tokenizer> {
        let smallest = special_tokens.len() + 256;
        if vocabulary_size < smallest || u32::try_from(vocabulary_size).is_err() {
            return Err(Error::vocabulary_size(vocabulary_size, smallest));
        }
        refuse_unusable(special_tokens)?;
        let mut tokens: Vec<Token> = special_tokens
            .iter()
            .map(|&text| Token::Special(text.to_owned()))
            .collect();
        tokens.extend(
            alphabet::bytes_in_id_order()
                .into_iter()
                .map(|byte| Token::Bytes(vec![byte])),
        );
        let spelt: FxHashSet<Vec<u8>> = special_tokens
            .iter()
            .filter_map(|text| alphabet::unspell(text))
            .collect();

        let mut learner = Learner::new(&self.counts, special_tokens.len());
        let mut merges = Vec::new();
        while tokens.len() < vocabulary_size
            && let Some(pair) = learner.most_frequent_pair()
        {
            let bytes = [token_bytes(&tokens, pair.0), token_bytes(&tokens, pair.1)].concat();
            if spelt.contains(&bytes) {
                return Err(Error::spelt_special(alphabet::spell(&bytes)));
            }
            let id = id_of(tokens.len());
            learner.merge(pair, id);
            tokens.push(Token::Bytes(bytes));
            merges.push((pair, id));
        }
        Tokenizer::new(tokens, merges)
    }
}

/// A special token needs a text of its own: not empty, not given twice, not that of a byte.
fn refuse_unusable(special_tokens: &[&str]) -> Result<()> {
    let mut seen = FxHashSet::default();
    for &text in special_tokens {
        if text.is_empty() {
            return Err(Error::usage("a special token is empty"));
        }
        if !seen.insert(text) {
            return Err(Error::usage(format!("special token `{text}` is given twice")));
        }
        if alphabet::unspell(text).is_some_and(|bytes| bytes.len() == 1) {
            return Err(Error::spelt_special(text.to_owned()));
        }
    }
    Ok(())
}

fn token_bytes(tokens: &[Token], id: u32) -> &[u8] {
    tokens[id as usize].bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cmp::Reverse;

    fn learnt(counts: &WordCounts, vocabulary_size: usize) -> Vec<Vec<u8>> {
        let tokenizer = counts.train(vocabulary_size, &["<|endoftext|>"]).expect("trains");
        tokenizer.tokens()[257..]
            .iter()
            .map(|token| token.bytes().to_vec())
            .collect()
    }

    /// The definition: count all pairs anew for every merge.
    fn by_definition(counts: &WordCounts, merges: usize) -> Vec<Vec<u8>> {
        let mut tokens: Vec<Vec<u8>> = vec![vec![]];
        tokens.extend(alphabet::bytes_in_id_order().into_iter().map(|byte| vec![byte]));
        let id = |byte: u8| tokens.iter().position(|token| *token == [byte]).expect("a byte");
        let mut words: Vec<(Vec<usize>, u64)> = counts
            .counts
            .iter()
            .map(|(word, &count)| (word.bytes().map(id).collect(), count))
            .collect();
        for _ in 0..merges {
            let mut pairs: FxHashMap<(usize, usize), u64> = FxHashMap::default();
            for (word, count) in &words {
                for pair in word.windows(2) {
                    *pairs.entry((pair[0], pair[1])).or_default() += count;
                }
            }
            let Some((&(left, right), _)) =
                pairs.iter().max_by_key(|&(&pair, &count)| (count, Reverse(pair)))
            else {
                break;
            };
            let new = tokens.len();
            tokens.push([tokens[left].as_slice(), &tokens[right]].concat());
            for (word, _) in &mut words {
                let mut at = 0;
                while at + 1 < word.len() {
                    if word[at] == left && word[at + 1] == right {
                        word.splice(at..at + 2, [new]);
                    }
                    at += 1;
                }
            }
        }
        tokens.split_off(257)
    }

    #[test]
    fn incremental_counts_learn_what_counting_anew_learns() {
        let texts = [
            "aaaa aaaaa aaaaaaa aaa aa a",
            "abab ababab bababa abba baab",
            "the cat sat on the mat, the rat sat on the cat; that's that",
            "a b c d e f g h i j k l m",
            "\u{e9}\u{e9}\u{e9} \u{4e2d}\u{6587}\u{4e2d}\u{6587} \u{1f600}\u{1f600}\u{1f600}",
        ];
        for text in texts {
            let mut counts = WordCounts::default();
            counts.add_text(text);
            assert_eq!(learnt(&counts, 257 + 40), by_definition(&counts, 40), "{text:?}");
        }
    }

    #[test]
    fn the_order_of_texts_does_not_matter() {
        let texts = ["one two three", "two three", "three four five one"];
        let mut there = WordCounts::default();
        let mut back = WordCounts::default();
        for text in texts {
            there.add_text(text);
        }
        for text in texts.iter().rev() {
            back.add_text(text);
        }
        assert_eq!(learnt(&there, 300), learnt(&back, 300));
    }

    #[test]
    fn counts_pass_two_to_the_31_and_two_to_the_32() {
        let mut counts = WordCounts::default();
        counts.add_word("ab", (1 << 31) + 1);
        counts.add_word("cd", (1 << 32) + 7);
        counts.add_word("ef", 1 << 31);
        assert_eq!(learnt(&counts, 260), [b"cd", b"ab", b"ef"]);
    }

    #[test]
    fn a_vocabulary_larger_than_reachable_ends_early() {
        let mut counts = WordCounts::default();
        counts.add_text("abc");
        assert_eq!(learnt(&counts, 4096), [b"ab".to_vec(), b"abc".to_vec()]);
        assert_eq!(learnt(&WordCounts::default(), 4096), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn a_vocabulary_without_room_for_the_bytes_is_refused() {
        let error = WordCounts::default()
            .train(256, &["<|endoftext|>"])
            .expect_err("too small");
        assert_eq!(
            error.to_string(),
            "`vocabulary_size` is 256, expected at least 257: every byte and special token has an id"
        );
    }

    #[test]
    fn a_special_token_that_a_merge_spells_is_refused() {
        let mut counts = WordCounts::default();
        counts.add_text("the the the");
        let error = counts.train(300, &["the"]).expect_err("spelt by a merge");
        assert_eq!(
            error.to_string(),
            "special token `the` is also spelt by ordinary text"
        );
        assert!(counts.train(300, &["a"]).is_err(), "a byte of the alphabet");
        assert!(counts.train(300, &["<x>", "<x>"]).is_err(), "given twice");
        assert!(counts.train(300, &[""]).is_err(), "empty");
    }
}
