//! Files to counted words, a few megabytes of them in memory at a time.

use std::io::Read;
use std::num::NonZeroUsize;
use std::path::Path;

use codex_file::stream;

use super::WordCounts;
use crate::error::{Error, Result};
use crate::split::{Splitter, is_letter};

/// So much is read before it is counted, by all threads together.
const BLOCK_BYTES: usize = 4 << 20;

/// A text is cut into pieces of so many bytes where that can be done.
const PIECE_BYTES: usize = 1 << 18;

/// A file without any place to cut is held in memory as a whole, up to this size.
const MAXIMUM_UNCUT_BYTES: usize = 1 << 30;

/// What of a file is a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// All of it.
    File,
    /// Each line with its newline, as `tokenizers` reads files.
    Line,
}

impl WordCounts {
    /// Counts the words of a file of UTF-8, plain or compressed, exactly as it is; it is never in memory as a whole where its
    /// pattern says where a text may be cut. After each block `goes_on` is told the plain bytes read so far; if it answers
    /// false, counting ends there.
    ///
    /// # Errors
    /// If the file cannot be read or is no UTF-8; the error names it. Some of it may have been counted then.
    pub fn add_file(
        &mut self,
        path: &Path,
        unit: Unit,
        threads: Option<NonZeroUsize>,
        goes_on: &mut dyn FnMut(u64) -> bool,
    ) -> Result<()> {
        let mut source = stream::open(path)?;
        let mut block = Vec::with_capacity(BLOCK_BYTES);
        let mut wanted = BLOCK_BYTES;
        let mut before = 0;
        if unit == Unit::File {
            self.counters[0].texts += 1;
        }
        loop {
            let missing = wanted.saturating_sub(block.len()) as u64;
            let read = source
                .by_ref()
                .take(missing)
                .read_to_end(&mut block)
                .map_err(|error| codex_file::Error::io("read", path, error))?;
            let is_last = (read as u64) < missing;
            let text = readable(&block, is_last).map_err(|at| {
                let byte = block[at];
                let at = before + at as u64;
                Error::document(format!("not UTF-8: byte 0x{byte:02x} at {at}")).in_file(path)
            })?;
            let end = if is_last {
                text.len()
            } else if let Some(end) = last_cut(text, unit, &self.splitter) {
                end
            } else if block.len() < MAXIMUM_UNCUT_BYTES {
                wanted = block.len() * 2;
                continue;
            } else {
                let message =
                    format!("{MAXIMUM_UNCUT_BYTES} bytes without a place where the text can be cut");
                return Err(Error::document(message).in_file(path));
            };
            let pieces = pieces(&text[..end], unit, &self.splitter);
            if unit == Unit::Line {
                self.counters[0].texts += pieces.len() as u64;
            }
            self.count_pieces(&pieces, threads)?;
            before += end as u64;
            if !goes_on(before) || is_last {
                return Ok(());
            }
            block.drain(..end);
            wanted = BLOCK_BYTES;
        }
    }
}

/// The characters that are whole in `block`, or the place of the first byte that is none.
fn readable(block: &[u8], is_last: bool) -> std::result::Result<&str, usize> {
    match std::str::from_utf8(block) {
        Ok(text) => Ok(text),
        Err(error) if error.error_len().is_none() && !is_last => {
            Ok(std::str::from_utf8(&block[..error.valid_up_to()]).unwrap_or_default())
        }
        Err(error) => Err(error.valid_up_to()),
    }
}

/// `text` as lines, or as pieces whose words together are those of the whole.
fn pieces<'t>(text: &'t str, unit: Unit, splitter: &Splitter) -> Vec<&'t str> {
    if unit == Unit::Line {
        return text.split_inclusive('\n').collect();
    }
    let mut pieces = Vec::new();
    let mut rest = text;
    while rest.len() > PIECE_BYTES {
        let near = rest.floor_char_boundary(PIECE_BYTES);
        let Some(end) = last_cut(&rest[..near], unit, splitter) else {
            break;
        };
        let (piece, others) = rest.split_at(end);
        pieces.push(piece);
        rest = others;
    }
    pieces.push(rest);
    pieces
}

/// The last place before the end of `text` where it can be cut and its words stay the same, whatever follows.
fn last_cut(text: &str, unit: Unit, splitter: &Splitter) -> Option<usize> {
    if unit == Unit::Line {
        return text.rfind('\n').map(|at| at + 1);
    }
    if !matches!(splitter, Splitter::Known(_)) {
        return None;
    }
    // Between a letter and white space a word always ends, and nothing before looks so far ahead.
    text.rmatch_indices([' ', '\n', '\t', '\r'])
        .map(|(at, _)| at)
        .find(|&at| text[..at].chars().next_back().is_some_and(is_letter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::TrainOptions;

    fn learnt(counts: WordCounts) -> Vec<u8> {
        let options = TrainOptions::new(600);
        counts
            .learn(options)
            .and_then(crate::Training::into_json)
            .expect("trains")
    }

    /// Several blocks of many scripts, white space of all kinds, and stretches without a place to cut.
    fn text() -> String {
        let parts = [
            "the cat's  sat\n\n",
            "\u{4e2d}\u{6587}\u{3002}\u{4e2d}",
            "  \t\r\n ",
            "1234 !?' ll",
            "\u{e9}t\u{e9} e\u{301} ",
        ];
        let mut text = String::new();
        for number in 0..BLOCK_BYTES / 4 {
            text.push_str(parts[number * number % 7 % 5]);
        }
        text.push_str(&"\u{4e2d}".repeat(BLOCK_BYTES));
        text + " end"
    }

    #[test]
    fn a_file_in_blocks_has_the_words_of_the_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("text.txt");
        let text = text();
        assert!(text.len() > 3 * BLOCK_BYTES);
        std::fs::write(&path, &text).expect("writes");

        let (mut streamed, mut whole) = (WordCounts::default(), WordCounts::default());
        streamed
            .add_file(&path, Unit::File, NonZeroUsize::new(3), &mut |_| true)
            .expect("counts");
        whole.add_text(&text);
        assert_eq!(streamed.counted(), whole.counted());
        assert_eq!(learnt(streamed), learnt(whole));

        let (mut streamed, mut lines) = (WordCounts::default(), WordCounts::default());
        streamed
            .add_file(&path, Unit::Line, NonZeroUsize::new(3), &mut |_| true)
            .expect("counts");
        text.split_inclusive('\n').for_each(|line| lines.add_text(line));
        assert_eq!(streamed.counted(), lines.counted());
        assert_eq!(learnt(streamed), learnt(lines));
    }

    #[test]
    fn what_is_no_utf8_is_named_with_its_place() {
        let folder = tempfile::tempdir().expect("a folder");
        for (bytes, message) in [
            (&b"ab\xff"[..], "not UTF-8: byte 0xff at 2"),
            (b"ab \xe4\xb8", "not UTF-8: byte 0xe4 at 3"),
        ] {
            let path = folder.path().join("text.txt");
            std::fs::write(&path, bytes).expect("writes");
            let error = WordCounts::default()
                .add_file(&path, Unit::File, None, &mut |_| true)
                .expect_err(message);
            assert_eq!(error.to_string(), format!("`{}`: {message}", path.display()));
        }
        let path = folder.path().join("late.txt");
        std::fs::write(&path, [text().as_bytes(), b"\xc3("].concat()).expect("writes");
        let error = WordCounts::default()
            .add_file(&path, Unit::File, None, &mut |_| true)
            .expect_err("no UTF-8");
        assert!(
            error
                .to_string()
                .ends_with(&format!("byte 0xc3 at {}", text().len())),
            "{error}"
        );
    }
}
