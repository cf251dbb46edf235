"""Write `src/added/word.rs`: the scalars that `tokenizers` takes for part of a word beside a `single_word` token.

Run it with the version of `tokenizers` that the ids have to be those of: `python make_word.py > src/added/word.rs`.
"""

from __future__ import annotations

from tokenizers import AddedToken, Tokenizer
from tokenizers.models import BPE

HEADER = """//! What a letter, digit or mark beside a `single_word` token is: `\\w` of the regex that `tokenizers` asks.
//!
//! Written by `make_word.py`, which asks `tokenizers` 0.23.3 about every scalar.

use std::cmp::Ordering;
use std::ops::Range;

/// Whether no part of a word stands on either side of `text[range]`.
pub(super) fn stands_alone(text: &str, range: Range<usize>) -> bool {
    let before = text[..range.start].chars().next_back();
    let after = text[range.end..].chars().next();
    !before.is_some_and(is_of_word) && !after.is_some_and(is_of_word)
}

fn is_of_word(character: char) -> bool {
    let code = u32::from(character);
    let compared = |&(first, last): &(u32, u32)| match code {
        _ if last < code => Ordering::Less,
        _ if first > code => Ordering::Greater,
        _ => Ordering::Equal,
    };
    WORD.binary_search_by(compared).is_ok()
}

/// First and last scalar of each stretch.
#[rustfmt::skip]
const WORD: &[(u32, u32)] = &["""


def word_ranges() -> list[tuple[int, int]]:
    """First and last scalar of each stretch of word characters."""
    tokenizer = Tokenizer(BPE(vocab={"x": 0}, merges=[]))
    tokenizer.add_tokens([AddedToken("@", single_word=True, normalized=False)])
    ranges: list[tuple[int, int]] = []
    for code in [*range(0xD800), *range(0xE000, 0x110000)]:
        if chr(code) == "@" or 1 in tokenizer.encode(chr(code) + "@").ids:
            continue
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1] = (ranges[-1][0], code)
        else:
            ranges.append((code, code))
    return ranges


def main() -> None:
    """Print the file."""
    print(HEADER)
    line = "   "
    for first, last in word_ranges():
        entry = f" ({first:#x}, {last:#x}),"
        if len(line) + len(entry) > 110:
            print(line)
            line = "   "
        line += entry
    print(line)
    print("];")


if __name__ == "__main__":
    main()
