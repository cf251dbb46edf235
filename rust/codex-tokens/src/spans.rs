//! Where in a text its ids come from, and how many there are.

use crate::added::Piece;
use crate::error::Result;
use crate::json::spelling;
use crate::tokenizer::{Specials, Tokenizer};
use crate::trim::Trim;

impl Tokenizer {
    /// Appends the ids of `text` to `ids`, and to `spans` the bytes of `text` that each comes from. Two ids that share a
    /// character may begin or end inside it. What a normalizer has made of a character comes from it, and what the file's
    /// post-processor trims is left out, both as `tokenizers` has it.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn encode_with_spans(
        &self,
        text: &str,
        specials: Specials,
        ids: &mut Vec<u32>,
        spans: &mut Vec<(usize, usize)>,
    ) -> Result<()> {
        let known = (ids.len(), spans.len());
        let mut places = Vec::new();
        let trim = Trim::of(&self.parts.settings.processors);
        let done = self.with_worker(|worker| {
            self.pieces(text, specials, true, |piece| match piece {
                Piece::Text(piece) => {
                    let first = ids.len();
                    worker.encode_with_spans(&piece.text, &self.splitter, &self.model, ids, &mut places);
                    spans.extend((first..).zip(places.drain(..)).map(|(at, place)| {
                        let span = piece.origin().of(place);
                        let span = (span.start, span.end);
                        if trim.is_empty() {
                            return span;
                        }
                        trim.narrow(text, &spelling(self, ids[at] as usize), at == known.0, span)
                    }));
                }
                Piece::Added { mark, range } => {
                    let token = &text[range.clone()];
                    spans.push(trim.narrow(text, token, ids.len() == known.0, (range.start, range.end)));
                    ids.push(mark.id);
                }
            })
        });
        if done.is_err() {
            ids.truncate(known.0);
            spans.truncate(known.1);
        }
        done
    }

    /// The number of ids of `text`, of which no row is made.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn count(&self, text: &str, specials: Specials) -> Result<usize> {
        let mut count = 0;
        self.with_worker(|worker| {
            self.pieces(text, specials, false, |piece| match piece {
                Piece::Text(text) => count += worker.count(&text.text, &self.splitter, &self.model),
                Piece::Added { .. } => count += 1,
            })
        })?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{END_OF_DOCUMENT, WordCounts};

    fn tokenizer() -> Tokenizer {
        let mut counts = WordCounts::default();
        counts.add_text("the cat sat on the mat and the cat sat");
        counts.train(300, &[END_OF_DOCUMENT]).expect("trains")
    }

    #[test]
    fn spans_lie_side_by_side_and_are_what_their_ids_decode_to() {
        let tokenizer = tokenizer();
        let long = "the cat ".repeat(300);
        for text in [
            "",
            "the cat",
            "é<|endoftext|> the\u{1f600}mat  sat",
            &long,
            &"at".repeat(100),
        ] {
            let (mut ids, mut spans, mut alone) = (vec![7], vec![(3, 4)], vec![]);
            tokenizer
                .encode_with_spans(text, Specials::Ids, &mut ids, &mut spans)
                .expect("encodes");
            tokenizer
                .encode(text, Specials::Ids, &mut alone)
                .expect("encodes");
            assert_eq!((ids[0], spans[0]), (7, (3, 4)));
            assert_eq!(ids[1..], alone);
            assert_eq!(tokenizer.count(text, Specials::Ids).expect("counts"), alone.len());
            let mut done = 0;
            for (&id, &(start, end)) in alone.iter().zip(&spans[1..]) {
                assert_eq!(start, done);
                assert_eq!(
                    &text.as_bytes()[start..end],
                    tokenizer.token_bytes(id).expect("known")
                );
                done = end;
            }
            assert_eq!((spans.len(), done), (ids.len(), text.len()));
        }
    }

    #[test]
    fn a_forbidden_token_leaves_all_as_it_was() {
        let (mut ids, mut spans) = (vec![7], vec![(3, 4)]);
        let text = "the <|endoftext|>";
        let tokenizer = tokenizer();
        let done = tokenizer.encode_with_spans(text, Specials::Forbid, &mut ids, &mut spans);
        assert!(done.is_err() && tokenizer.count(text, Specials::Forbid).is_err());
        assert_eq!((ids, spans), (vec![7], vec![(3, 4)]));
    }
}
