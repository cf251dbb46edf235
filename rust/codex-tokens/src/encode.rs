//! Text to ids, the fast way: words by the byte, those met before from a table, the others merged.
//!
//! [`crate::reference`] is the same by definition; tests hold the two equal.

use crate::known::{BATCH_WORDS, Known, Word};
use crate::merge::{Short, TOGETHER};
use crate::model::Model;
use crate::split::Splitter;
use crate::word_table::{Key, LONGEST_WORD_BYTES, Shared, WordTable};
use std::ops::Range;
use std::sync::Arc;

/// What one thread needs to encode, handed from call to call.
#[derive(Debug)]
pub(crate) struct Worker {
    table: WordTable,
    known: Known,
    /// Words that are merged together, and a bit for each of [`TOGETHER`] words that is one of them.
    shorts: Vec<Short>,
    is_merged: u32,
}

impl Worker {
    /// A worker that knows the words of `shared`, and lets others know those it meets.
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            table: WordTable::new(shared),
            known: Known::new(),
            shorts: vec![Short::default(); TOGETHER],
            is_merged: 0,
        }
    }

    /// Appends the ids of `text`, taken as ordinary text, to `out`.
    pub(crate) fn encode(&mut self, text: &str, splitter: &Splitter, model: &Model, out: &mut Vec<u32>) {
        let mut cut = splitter.cut(text);
        let mut ends = [0; BATCH_WORDS];
        let mut start = 0;
        loop {
            let words = cut.next_ends(&mut ends);
            let Some(&end) = ends[..words].last() else {
                break;
            };
            self.table.renew();
            self.known
                .add(cut.bytes(), start, &ends[..words], model.tokens(), &self.table);
            start = end;
            if self.known.is_due() {
                self.append_known(cut.bytes(), model, out);
            }
        }
        self.known.settle(&self.table);
        self.append_known(cut.bytes(), model, out);
    }

    /// The number of ids of `text`; memory for those of a few words only.
    pub(crate) fn count(&mut self, text: &str, splitter: &Splitter, model: &Model) -> usize {
        let mut cut = splitter.cut(text);
        let mut ends = [0; BATCH_WORDS];
        let (mut start, mut count) = (0, 0);
        let mut ids = Vec::new();
        loop {
            let words = cut.next_ends(&mut ends);
            if words == 0 {
                return count;
            }
            self.table.renew();
            for &end in &ends[..words] {
                let key = Key::of(cut.bytes(), start, end);
                if model.token(key).is_some() {
                    count += 1;
                } else if let Some((_, ids_count)) = self.table.find_in_slot(key) {
                    count += ids_count;
                } else {
                    ids.clear();
                    self.append(key, &cut.bytes()[start..end], model, &mut ids);
                    count += ids.len();
                }
                start = end;
            }
        }
    }

    /// Appends the words that are known, and those between them once they are merged.
    fn append_known(&mut self, text: &[u8], model: &Model, out: &mut Vec<u32>) {
        let (mut done, mut at) = (0, 0);
        while at < self.known.parts().1.len() {
            let together = self.merge_missed(text, at, model);
            let mut merged = 0;
            for bit in 0..together {
                let (row, missed) = self.known.parts();
                let (before, word) = missed[at + bit];
                out.extend_from_slice(&row[done..before]);
                done = before;
                let bytes = &text[word.start..word.end];
                if self.is_merged >> bit & 1 == 0 {
                    self.append(word.key, bytes, model, out);
                } else {
                    let known = out.len();
                    out.extend(model.ids(&self.shorts[merged]));
                    merged += 1;
                    if bytes.len() <= LONGEST_WORD_BYTES {
                        self.table.keep(word.key, bytes, &out[known..]);
                    }
                }
            }
            at += together;
        }
        out.extend_from_slice(&self.known.parts().0[done..]);
        self.known.clear();
    }

    /// Merges those that have to be of [`TOGETHER`] words that are missed, from the one at `first` on, and says how many these are.
    fn merge_missed(&mut self, text: &[u8], first: usize, model: &Model) -> usize {
        let mut begun = 0;
        self.is_merged = 0;
        let missed = &self.known.parts().1[first..];
        let missed = &missed[..missed.len().min(TOGETHER)];
        for (bit, &(_, Word { start, end, key })) in missed.iter().enumerate() {
            if !self.table.has(key) && model.begin(&text[start..end], &mut self.shorts[begun]) {
                self.is_merged |= 1 << bit;
                begun += 1;
            }
        }
        model.merge(&mut self.shorts[..begun]);
        missed.len()
    }

    fn append(&mut self, key: Key, word: &[u8], model: &Model, out: &mut Vec<u32>) {
        if let Some(id) = model.token(key) {
            out.push(id);
        } else if word.len() > LONGEST_WORD_BYTES {
            model.append(word, out);
        } else if !self.table.append(key, word, out) {
            let known = out.len();
            model.append(word, out);
            self.table.keep(key, word, &out[known..]);
        }
    }

    /// As [`Self::encode`]; the bytes of `text` that each id comes from are appended to `spans`.
    pub(crate) fn encode_with_spans(
        &mut self,
        text: &str,
        splitter: &Splitter,
        model: &Model,
        out: &mut Vec<u32>,
        spans: &mut Vec<Range<usize>>,
    ) {
        let mut cut = splitter.cut(text);
        let mut word_ends = [0; BATCH_WORDS];
        let mut ends = Vec::new();
        let mut start = 0;
        loop {
            let words = cut.next_ends(&mut word_ends);
            if words == 0 {
                return;
            }
            self.table.renew();
            for &word_end in &word_ends[..words] {
                let word = &cut.bytes()[start..word_end];
                let known = out.len();
                self.append(Key::of(cut.bytes(), start, word_end), word, model, out);
                model.append_ends(word, start, &out[known..], &mut ends);
                for end in ends.drain(..) {
                    spans.push(cut.source(start..end));
                    start = end;
                }
                start = word_end;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::characters::Characters;
    use crate::merge::Pair;
    use crate::random::random;

    /// Vocabularies of a few symbols: where a text may be cut at its marks, the ids are those of the text in one piece.
    #[test]
    fn a_text_cut_at_its_marks_has_the_ids_of_the_whole() {
        let mut random = random::<u32>(11);
        let mut cut = 0;
        for _ in 0..2000 {
            let mut merges: Vec<(Pair, u32)> = Vec::new();
            for made in 3..3 + random(8) {
                let pair = (random(made), random(made));
                if merges.iter().all(|&(other, _)| other != pair) {
                    merges.push((pair, made));
                }
            }
            let characters = Characters {
                ids: "\u{2581}ab".chars().zip(0..).collect(),
                unknown: Some(99),
                fuses_unknown: true,
                ..Characters::default()
            };
            let model = Model::sentencepiece(&merges, characters, std::iter::empty(), false).expect("small");
            if model.cuts_at_marks() {
                cut += 1;
                let text: String = (0..300)
                    .map(|_| ['\u{2581}', '\u{2581}', 'a', 'b', '?'][random(5) as usize])
                    .collect();
                let encoded = |splitter: &Splitter| {
                    let (mut ids, mut spans) = (Vec::new(), Vec::new());
                    Worker::new(Arc::default())
                        .encode_with_spans(&text, splitter, &model, &mut ids, &mut spans);
                    (ids, spans)
                };
                assert_eq!(
                    encoded(&Splitter::RunsOfMarks),
                    encoded(&Splitter::Whole),
                    "{text} {merges:?}"
                );
            }
        }
        assert!((500..1900).contains(&cut), "{cut} of 2000 could be cut");
    }
}
