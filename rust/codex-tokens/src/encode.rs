//! Text to ids, the fast way: words by the byte, those met before from a table, the others merged.
//!
//! [`crate::reference`] is the same by definition; tests hold the two equal.

use crate::model::Model;
use crate::split::Splitter;
use crate::word_table::{Key, LONGEST_WORD_BYTES, SLOT_IDS, USUAL_BYTES, WordTable};

/// Words looked up together, so that the memory of all is asked for before that of the first is needed.
const BATCH_WORDS: usize = 32;

/// What one thread needs to encode, handed from call to call so that the table stays warm.
#[derive(Debug)]
pub(crate) struct Worker {
    table: WordTable,
}

impl Default for Worker {
    fn default() -> Self {
        Self::with_memory(USUAL_BYTES)
    }
}

/// One word of a batch, as a place in the text.
#[derive(Clone, Copy)]
struct Word {
    start: usize,
    end: usize,
    key: Key,
}

const NO_WORD: Word = Word {
    start: 0,
    end: 0,
    key: Key::NONE,
};

impl Worker {
    /// A worker whose table of words takes `maximum_bytes` at most.
    pub(crate) fn with_memory(maximum_bytes: usize) -> Self {
        Self {
            table: WordTable::with_memory(maximum_bytes),
        }
    }

    /// Appends the ids of `text`, taken as ordinary text, to `out`.
    pub(crate) fn encode(&mut self, text: &str, splitter: &Splitter, model: &Model, out: &mut Vec<u32>) {
        let mut cut = splitter.cut(text);
        let mut ends = [0; BATCH_WORDS];
        let mut batch = [NO_WORD; BATCH_WORDS];
        let mut start = 0;
        loop {
            let words = cut.next_ends(&mut ends);
            if words == 0 {
                return;
            }
            for (word, &end) in batch[..words].iter_mut().zip(&ends) {
                let mut key = Key::NONE;
                if end - start <= LONGEST_WORD_BYTES {
                    key = Key::of(text.as_bytes(), start, end);
                    self.table.prefetch(key);
                }
                *word = Word { start, end, key };
                start = end;
            }
            self.append_batch(text, &batch[..words], model, out);
        }
    }

    /// Ids of words in one slot are collected, three at a time whatever their number, and appended together.
    fn append_batch(&mut self, text: &str, batch: &[Word], model: &Model, out: &mut Vec<u32>) {
        let mut ready = [0; BATCH_WORDS * SLOT_IDS];
        let mut count = 0;
        for word in batch {
            if let Some((ids, ids_count)) = self.table.find_in_slot(word.key) {
                ready[count..count + SLOT_IDS].copy_from_slice(ids);
                count += ids_count;
            } else {
                out.extend_from_slice(&ready[..count]);
                count = 0;
                self.append(word.key, &text[word.start..word.end], model, out);
            }
        }
        out.extend_from_slice(&ready[..count]);
    }

    fn append(&mut self, key: Key, word: &str, model: &Model, out: &mut Vec<u32>) {
        if word.len() > LONGEST_WORD_BYTES {
            model.append(word, out);
        } else if let Some(ids) = self.table.find(key, word.as_bytes()) {
            out.extend_from_slice(ids);
        } else {
            let known = out.len();
            model.append(word, out);
            self.table.keep(key, word.as_bytes(), &out[known..]);
        }
    }

    /// As [`Self::encode`]; the byte of `text` at which each id ends is appended to `ends`.
    pub(crate) fn encode_with_ends(
        &mut self,
        text: &str,
        splitter: &Splitter,
        model: &Model,
        out: &mut Vec<u32>,
        ends: &mut Vec<usize>,
    ) {
        let mut cut = splitter.cut(text);
        let mut word_ends = [0; BATCH_WORDS];
        let mut start = 0;
        loop {
            let words = cut.next_ends(&mut word_ends);
            if words == 0 {
                return;
            }
            for &end in &word_ends[..words] {
                let key = if end - start <= LONGEST_WORD_BYTES {
                    Key::of(text.as_bytes(), start, end)
                } else {
                    Key::NONE
                };
                let known = out.len();
                self.append(key, &text[start..end], model, out);
                model.append_ends(&text[start..end], start, &out[known..], ends);
                start = end;
            }
        }
    }
}
