//! Text to ids by definition: no table of words, no threads, nothing packed. Slow, and what the fast way is held to.

use crate::split::words;
use crate::tokenizer::Tokenizer;
use rustc_hash::FxHashMap;

/// The ids of `text`, taken as ordinary text. O(n * n) in the length of a word.
///
/// ```
/// use codex_tokens::{Specials, WordCounts, reference};
///
/// let mut counts = WordCounts::default();
/// counts.add_text("low lower lowest");
/// let tokenizer = counts.train(260, &[])?;
/// let mut fast = Vec::new();
/// tokenizer.encode("the lowest", Specials::Text, &mut fast)?;
/// assert_eq!(reference::encode(&tokenizer, "the lowest"), fast);
/// # Ok::<(), codex_tokens::Error>(())
/// ```
#[must_use]
pub fn encode(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    let ranks: FxHashMap<(u32, u32), (usize, u32)> = tokenizer
        .merges()
        .enumerate()
        .map(|(rank, (left, right, id))| ((left, right), (rank, id)))
        .collect();
    words(text)
        .flat_map(|word| {
            let mut ids: Vec<u32> = word.bytes().map(|byte| tokenizer.byte_id(byte)).collect();
            join_all(&mut ids, &ranks);
            ids
        })
        .collect()
}

/// Finds the lowest rank, leftmost first, joins it, and begins again.
fn join_all(ids: &mut Vec<u32>, ranks: &FxHashMap<(u32, u32), (usize, u32)>) {
    while let Some(((_, at), id)) = ids
        .windows(2)
        .enumerate()
        .filter_map(|(at, pair)| ranks.get(&(pair[0], pair[1])).map(|&(rank, id)| ((rank, at), id)))
        .min()
    {
        ids.splice(at..at + 2, [id]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Specials, WordCounts};

    fn tokenizer(text: &str) -> Tokenizer {
        let mut counts = WordCounts::default();
        counts.add_text(text);
        counts.train(600, &["<|endoftext|>"]).expect("trains")
    }

    /// Words of every length around the edges of the table and of the merges, met once, twice and among others.
    #[test]
    fn the_fast_way_finds_what_the_definition_finds() {
        let source =
            "the cat sat on the mat; naïve 中文中文 déjà vu 12345 it's aaaa ababab \u{1f600}\u{1f600}\n";
        let tokenizer = tokenizer(&source.repeat(3));
        let mut texts = vec![source.repeat(20), source.chars().rev().collect()];
        for unit in ["a", "ab", "the", "é", "中", "\u{1f600}", " ", "=", "1", "cat"] {
            for times in [
                1, 2, 3, 4, 5, 7, 8, 14, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 300,
            ] {
                texts.push(format!("x {0} {0}, {0}", unit.repeat(times)));
            }
        }
        // All of them at once to begin with, so that many new words stand together.
        texts.insert(0, texts.concat());
        for text in &texts {
            let expected = encode(&tokenizer, text);
            for _ in 0..2 {
                let mut fast = Vec::new();
                tokenizer
                    .encode(text, Specials::Text, &mut fast)
                    .expect("encodes");
                assert_eq!(fast, expected, "{text:?}");
            }
        }
    }
}
