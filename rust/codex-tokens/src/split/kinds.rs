//! The kind of every scalar, unpacked from the tables of [`crate::unicode`].

use crate::unicode::{KINDS, RUNS};
use std::sync::LazyLock;

/// Some of the [`KINDS`], a bit for each.
pub(super) type KindSet = u64;

const _: () = assert!(KINDS.len() < 64);

/// [`RUNS`] as inclusive ranges of scalars, each with its place in [`KINDS`].
#[expect(clippy::cast_possible_truncation, reason = "there are fewer than 64 kinds")]
pub(super) static KIND_RUNS: LazyLock<Vec<(u32, u32, u8)>> = LazyLock::new(|| {
    let place = |letter| KINDS.iter().position(|&(code, ..)| code == letter).unwrap_or(0) as u8;
    let mut ranges = Vec::new();
    let mut next = 0;
    let mut runs = RUNS.chars().peekable();
    while let Some(letter) = runs.next() {
        let mut count = 0;
        while let Some(digit) = runs.peek().and_then(|digit| digit.to_digit(10)) {
            count = count * 10 + digit;
            runs.next();
        }
        if next == 0xd800 {
            next = 0xe000; // surrogates are no scalars, and no run goes on across them
        }
        let end = next + count.max(1);
        ranges.push((next, end - 1, place(letter)));
        next = end;
    }
    ranges
});

/// The place in [`KINDS`] of every scalar; 1.1 MB, of which a text touches only the pages of its scripts.
pub(super) static KIND_OF: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut kinds = vec![0; 0x11_0000];
    for &(first, last, kind) in KIND_RUNS.iter() {
        kinds[first as usize..=last as usize].fill(kind);
    }
    kinds
});

/// The kinds whose general category is `category` or, where that is one letter, begins with it.
pub(super) fn of_category(category: &str) -> KindSet {
    kinds_that(|&(_, name, _)| name.starts_with(category))
}

/// The kinds that are marked `mark`.
pub(super) fn marked(mark: &str) -> KindSet {
    kinds_that(|&(.., marks)| marks.contains(&mark))
}

fn kinds_that(holds: impl Fn(&(char, &str, &[&str])) -> bool) -> KindSet {
    KINDS
        .iter()
        .enumerate()
        .filter(|(_, kind)| holds(kind))
        .fold(0, |set, (place, _)| set | 1 << place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(set: KindSet) -> usize {
        (0..=0x10_ffff)
            .filter_map(char::from_u32)
            .filter(|&scalar| set >> KIND_OF[scalar as usize] & 1 == 1)
            .count()
    }

    /// The counts are those of `tokenizers` 0.23.3, asked once more than by `make_unicode.py`.
    #[test]
    fn every_scalar_has_the_kind_it_was_asked_for() {
        assert_eq!(KIND_OF.len(), 0x11_0000);
        for (category, scalars) in [
            ("L", 141_028),
            ("Lu", 1858),
            ("N", 1911),
            ("M", 2501),
            ("P", 855),
            ("S", 8514),
        ] {
            assert_eq!(counted(of_category(category)), scalars, "{category}");
        }
        for (mark, scalars) in [
            ("space", 25),
            ("word", 144_671),
            ("punctuation", 726),
            ("digit", 1924),
        ] {
            assert_eq!(counted(marked(mark)), scalars, "{mark}");
        }
        for (scalar, category) in [
            ('a', "Ll"),
            ('\u{4e2d}', "Lo"),
            ('\u{301}', "Mn"),
            ('\u{1f600}', "So"),
            ('\u{10ffff}', "Cn"),
        ] {
            assert!(
                of_category(category) >> KIND_OF[scalar as usize] & 1 == 1,
                "{scalar:?}"
            );
        }
    }
}
