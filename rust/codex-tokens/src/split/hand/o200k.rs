//! o200k, and tekken, which has no contractions and cuts each digit:
//!
//! ```text
//! [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?
//! |[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?
//! |\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+
//! ```

use super::bits::{is_letter_or_mark, is_upper};
use super::cl100k::contraction;
use super::{Block, Past, behind, flooded, moved, places};

/// Where the spellings differ in what they mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Variant {
    /// `(?i:'s|'t|'re|'ve|'m|'ll|'d)?` behind the letters of a word.
    pub(in crate::split) has_contractions: bool,
    /// `\p{N}`: every character of a number is a word. Otherwise it is three.
    pub(in crate::split) cuts_each_digit: bool,
}

pub(super) fn starts(block: &Block, past: &mut Past, variant: Variant) -> u64 {
    let now = block.now;
    // A mark is a letter, but for those behind characters that are none and no single one before a word.
    let marks = match now.mark {
        0 => {
            past.marks_are_other = false;
            0
        }
        _ => marks_of_others(block, past),
    };
    let letter = (now.letter | now.mark) & !marks;
    let other = !(letter | now.number | now.space);
    let (absorbed, absorbs) = block.absorbed(other, past.other, now.slash, past);
    let other = other & !absorbed;
    let space = now.space & !absorbed;
    let newline = now.newline & !absorbed;
    let inline = space & !newline;
    let is_same = letter & moved(letter, past.letter)
        | now.number & moved(now.number, past.number)
        | space & moved(space, past.space)
        | other & moved(other, past.other)
        | absorbed & moved(absorbed | other, past.absorbed | past.other);
    let after_blank = moved(now.blank, past.blank);
    let is_glued = letter & moved(inline, past.inline) | other & after_blank;
    // A lone character before letters is theirs.
    let lone = other & now.lead & !moved(other, past.other) & !after_blank;
    let (after_lone, is_after_lone) = behind(lone << 1 | u64::from(past.is_after_lone), now.inner());

    let quotes = if variant.has_contractions {
        now.quote & moved(letter, past.letter)
    } else {
        0
    };
    let (cleared, set) = block.contractions(quotes, true, past, contraction);

    // Capitals start a word behind small letters of it, and behind what follows those without having a case.
    let lower = now.lower & !cleared;
    let caseless = letter & !(now.upper | now.lower);
    let seeds = caseless & moved(lower, past.lower) | caseless & u64::from(past.is_after_lower);
    let (after_lower, is_after_lower) = flooded(seeds, caseless);
    let capitals = now.upper & now.lead;
    let mut turns = capitals & moved(lower | after_lower, past.lower | past.after_lower);
    // Behind letters without case alone they do so only if nothing but capitals follows.
    let undecided = capitals & moved(caseless & !after_lower, past.caseless & !past.after_lower);
    for place in places(undecided) {
        turns |= u64::from(!leads_to_letters(&block.text[block.start + place..])) << place;
    }

    let starts = now.lead & !is_same & !is_glued & !(after_lone & letter)
        | turns
        | block.last_spaces(inline, (now.space, block.next.space))
        | block.after_last_newlines(inline, newline, past, false)
        | if variant.cuts_each_digit {
            now.number & now.lead
        } else {
            block.thirds(past)
        };
    *past = Past {
        lead: now.lead,
        letter,
        number: now.number,
        space,
        newline,
        inline,
        blank: now.blank,
        other,
        absorbed,
        lower,
        caseless,
        after_lower,
        absorbs,
        is_after_lone: is_after_lone || lone >> 63 == 1,
        is_after_lower,
        ..*past
    };
    starts & !cleared | set
}

/// Whether behind the capitals that begin `text` stands a letter or a mark.
fn leads_to_letters(text: &str) -> bool {
    text.chars()
        .find(|&scalar| !is_upper(scalar))
        .is_some_and(is_letter_or_mark)
}

/// The marks that `[^\s\p{L}\p{N}]+` takes: those behind two others or more, or behind a blank and another, up to the next
/// character that is no mark.
#[cold]
fn marks_of_others(block: &Block, past: &mut Past) -> u64 {
    let now = block.now;
    let run = |place: usize| {
        let length = (now.mark >> place).trailing_ones();
        (u64::MAX >> (64 - length)) << place
    };
    let mut taken = if past.marks_are_other && now.mark & 1 == 1 {
        run(0)
    } else {
        0
    };
    for place in places(now.mark & now.lead & !moved(now.mark, 0)) {
        let letter = (now.letter | now.mark) & !taken;
        let other = !(letter | now.number | now.space);
        let (absorbed, _) = block.absorbed(other, past.other, now.slash, past);
        // Two blocks side by side, the one at hand on top.
        let both = |now: u64, past: u64| u128::from(now) << 64 | u128::from(past);
        let others = both(other & !absorbed, past.other);
        let leads = both(now.lead, past.lead);
        let blanks = both(now.blank, past.blank);
        let is = |bits: u128, at: usize| bits >> at & 1 == 1;
        let mut before = place + 64 - 1;
        if !is(others, before) {
            continue;
        }
        while !is(leads, before) {
            before -= 1;
        }
        if is(others, before - 1) || is(blanks, before - 1) {
            taken |= run(place);
        }
    }
    past.marks_are_other = taken >> 63 == 1;
    taken
}
