//! `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`

use super::{Block, Past, moved};

pub(super) fn starts(block: &Block, past: &mut Past) -> u64 {
    let now = block.now;
    let other = !(now.letter | now.number | now.space);
    let is_same = now.letter & moved(now.letter, past.letter)
        | now.number & moved(now.number, past.number)
        | now.space & moved(now.space, past.space)
        | other & moved(other, past.other);
    let is_glued = !now.space & moved(now.blank, past.blank);
    let last_spaces = block.last_spaces(now.space, (now.space, block.next.space));
    let starts = now.lead & !is_same & !is_glued | last_spaces;
    let (cleared, set) = block.contractions(now.quote & starts, false, past, contraction);
    (past.letter, past.number, past.space, past.blank, past.other) =
        (now.letter, now.number, now.space, now.blank, other);
    starts & !cleared | set
}

/// `'s|'t|'re|'ve|'m|'ll|'d`
fn contraction(text: &[u8]) -> Option<usize> {
    match text {
        [b'\'', b's' | b't' | b'm' | b'd', ..] => Some(2),
        [b'\'', b'r' | b'v', b'e', ..] | [b'\'', b'l', b'l', ..] => Some(3),
        _ => None,
    }
}
