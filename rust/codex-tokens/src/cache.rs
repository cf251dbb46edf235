//! Words met before, with their ids: text repeats itself, so most words are merged once.

use rustc_hash::FxHashMap;
use std::ops::Range;

/// Longer words are not kept; they hardly ever come back.
const LONGEST_WORD_BYTES: usize = 64;

/// A full cache is emptied rather than pruned: refilling it costs one merge per word.
const MAXIMUM_WORDS: usize = 1 << 16;

/// Word to ids, of bounded size. It changes how long encoding takes and never what comes out.
#[derive(Debug, Default)]
pub(crate) struct WordCache {
    spans: FxHashMap<Box<[u8]>, Range<usize>>,
    ids: Vec<u32>,
}

impl WordCache {
    /// Appends the ids of `word` to `out`, asking `merge` to do so if the word is new.
    pub(crate) fn append(&mut self, word: &[u8], out: &mut Vec<u32>, merge: impl FnOnce(&mut Vec<u32>)) {
        if let Some(span) = self.spans.get(word) {
            out.extend_from_slice(&self.ids[span.clone()]);
            return;
        }
        let start = out.len();
        merge(out);
        if word.len() <= LONGEST_WORD_BYTES {
            self.keep(word, &out[start..]);
        }
    }

    fn keep(&mut self, word: &[u8], ids: &[u32]) {
        if self.spans.len() == MAXIMUM_WORDS {
            self.spans.clear();
            self.ids.clear();
        }
        let start = self.ids.len();
        self.ids.extend_from_slice(ids);
        self.spans.insert(word.into(), start..self.ids.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_merged_once_and_a_full_cache_starts_again() {
        let mut cache = WordCache::default();
        let mut merged = 0;
        for round in 0..2 {
            for number in 0..u32::try_from(MAXIMUM_WORDS).expect("fits") {
                let mut out = vec![9];
                cache.append(&number.to_le_bytes(), &mut out, |out| {
                    merged += 1;
                    out.extend([number, number]);
                });
                assert_eq!(out, [9, number, number], "round {round}");
            }
        }
        assert_eq!(merged, MAXIMUM_WORDS);
        cache.append(b"one more", &mut Vec::new(), |out| out.push(1));
        assert_eq!(cache.spans.len(), 1);
    }

    #[test]
    fn long_words_are_not_kept() {
        let mut cache = WordCache::default();
        cache.append(&[b'a'; LONGEST_WORD_BYTES + 1], &mut Vec::new(), |out| {
            out.push(1);
        });
        assert!(cache.spans.is_empty());
    }
}
