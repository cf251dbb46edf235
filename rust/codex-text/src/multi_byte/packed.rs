//! Characters of a table, told by those before them where that is shorter: `tables/generate.py` says how.

use super::NOTHING;

/// Adds to `told` what the characters of a row stand for.
pub(super) fn tell(row: &str, told: &mut Vec<char>) {
    let mut rest = row;
    while let Some(sign) = rest.chars().next() {
        rest = &rest[sign.len_utf8()..];
        match sign {
            '.' => {
                let count = number(&mut rest).unwrap_or(1);
                told.extend(std::iter::repeat_n(NOTHING, count));
            }
            '*' => {
                let last = told.last().map_or(0, |last| u32::from(*last));
                let following = (last + 1..).map_while(char::from_u32);
                told.extend(following.take(number(&mut rest).unwrap_or(0)));
            }
            '@' => {
                let place = number(&mut rest).unwrap_or(0);
                rest = rest.strip_prefix('+').unwrap_or(rest);
                let count = number(&mut rest).unwrap_or(0);
                told.extend_from_within(place..place + count);
            }
            character => told.push(character),
        }
    }
}

/// The number that `rest` begins with, which is taken off it.
fn number(rest: &mut &str) -> Option<usize> {
    let end = rest
        .find(|sign: char| !sign.is_ascii_digit())
        .unwrap_or(rest.len());
    let (digits, later) = rest.split_at(end);
    *rest = later;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_shorter_stands_for_the_same() {
        for (rows, wanted) in [
            (&["あ.う"][..], "あ.う"),
            (&["あ.3う"], "あ...う"),
            (&["あ*3う"], "あぃいぅう"),
            (&["abcdef.2", "z@1+7"], "abcdef..zbcdef.."),
            (
                &["\u{4dff}*1", "@0+2@0+1"],
                "\u{4dff}\u{4e00}\u{4dff}\u{4e00}\u{4dff}",
            ),
        ] {
            let mut told = Vec::new();
            for row in rows {
                tell(row, &mut told);
            }
            let written = String::from_iter(told).replace(NOTHING, ".");
            assert_eq!(written, wanted, "{rows:?}");
        }
    }
}
