//! DeepSeek-V3: three patterns, each cutting the pieces of the one before it.
//!
//! ```text
//! \p{N}{1,3}
//! [一-龥぀-ゟ゠-ヿ]+
//! [!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
//! ```
//! A number, or Han and kana, stand alone: for what is before them the text is at its end. What nothing matches is a piece, too.

use super::{Block, Past, behind, moved, places};

pub(super) fn starts(block: &Block, past: &mut Past) -> u64 {
    let now = block.now;
    let letter = now.letter | now.mark;
    let (absorbed, absorbs) = block.absorbed(now.symbol & !now.han, past.symbol & !past.han, 0, past);
    let space = now.space & !absorbed;
    let newline = now.newline & !absorbed;
    let inline = space & !newline;
    let other = !(letter | now.number | now.space | now.symbol);
    let same_piece = !(now.han ^ moved(now.han, past.han));
    let is_same = letter & moved(letter, past.letter)
        | now.number & moved(now.number, past.number)
        | space & moved(space, past.space)
        | now.symbol & moved(now.symbol, past.symbol)
        | other & moved(other, past.other)
        | absorbed & moved(absorbed | now.symbol, past.absorbed | past.symbol);
    let last_others = last_others(block, other, letter);
    let is_glued = same_piece
        & (letter & moved(inline | other, past.inline | past.other)
            | now.symbol & moved(now.blank, past.blank));
    let changes = now.lead & !(is_same & same_piece) & !is_glued;

    // One symbol of ASCII takes the letters of ASCII behind it, and no other letters.
    let plain = now.letter & !now.high;
    let symbols = changes & now.symbol & !now.high;
    let taken = (symbols << 1 | u64::from(past.is_after_lone)) & plain;
    let (ends, goes_on) = behind(taken | u64::from(past.is_after_lower), plain);

    let next = block.next;
    let stops = (
        now.space | now.number | now.han,
        next.space | next.number | next.han,
    );
    let starts = changes & !taken
        | ends & letter
        | last_others
        | block.last_spaces(inline, stops)
        | block.after_last_newlines(inline, newline, past, false)
        | block.thirds(past);
    *past = Past {
        letter,
        number: now.number,
        space,
        newline,
        inline,
        blank: now.blank,
        other,
        absorbed,
        symbol: now.symbol,
        han: now.han,
        absorbs,
        is_after_lone: symbols >> 63 == 1,
        is_after_lower: goes_on,
        ..*past
    };
    starts
}

/// Characters that are neither letters nor marks, numbers, space, punctuation or symbols, and stand before a letter: the last of
/// them goes with it.
#[inline]
fn last_others(block: &Block, other: u64, letter: u64) -> u64 {
    let (now, next) = (block.now, block.next);
    let next_letter = next.letter | next.mark;
    let mut last = other & !now.high & Block::moved_back(letter & !now.han, next_letter & !next.han);
    for place in places(other & now.high & now.lead) {
        let mut end = place + 1;
        while end < 64 && now.lead >> end & 1 == 0 {
            end += 1;
        }
        let (letter, han) = if end < 64 {
            (letter >> end, now.han >> end)
        } else {
            let end = next.lead.trailing_zeros();
            (next_letter >> end, next.han >> end)
        };
        let is_last = letter & !(han ^ now.han >> place) & 1 == 1;
        last |= u64::from(is_last) << place;
    }
    last
}
