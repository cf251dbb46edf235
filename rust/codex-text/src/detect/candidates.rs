//! The single-byte encodings, with what scoring asks of their bytes.

use std::sync::LazyLock;

use super::alphabet::{ALPHABET, Symbol};
use super::priors;
use crate::codec::{Listed, single_byte_codecs};

/// An encoding with what scoring asks of its bytes.
pub(crate) struct Candidate {
    pub(crate) name: &'static str,
    pub(crate) family: Family,
    pub(crate) prior: u32,
    /// The regions it is of, as bits.
    pub(crate) regions: u8,
    /// Code points, all of them below 10000; 0 for none.
    pub(crate) characters: [u16; 256],
    pub(crate) symbols: [Symbol; 256],
    /// 0 neither of them, 1 a lower letter, 2 an upper one, 3 a sign that no language has for its own.
    pub(crate) case: [u8; 256],
    /// The bytes that stand for nothing, zero among them.
    pub(crate) holes: Vec<u8>,
}

const EBCDIC: [&str; 7] = ["cp037", "cp1026", "cp1140", "cp273", "cp424", "cp500", "cp875"];
/// Told by the scan alone.
const LEFT_OUT: &str = "ascii";

/// The better known first.
pub(crate) static CANDIDATES: LazyLock<Vec<Candidate>> = LazyLock::new(|| {
    let mut candidates: Vec<Candidate> = single_byte_codecs()
        .filter(|listed| listed.name() != LEFT_OUT)
        .map(Candidate::new)
        .collect();
    candidates.sort_by_key(|candidate| candidate.prior);
    candidates
});

/// The bytes that stand for nothing in the encoding of that name, if it is a single-byte one.
pub(crate) fn holes(name: &str) -> impl Iterator<Item = u8> {
    let candidate = CANDIDATES.iter().find(|candidate| candidate.name == name);
    let holes = candidate.map_or(&[][..], |candidate| &candidate.holes);
    holes.iter().copied().filter(|byte| *byte != 0)
}

/// Which encodings are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// Those in which ASCII bytes are ASCII.
    Ascii,
    Ebcdic,
}

impl Family {
    /// The first byte that its encodings read differently.
    pub(crate) fn first(self) -> u8 {
        match self {
            Self::Ascii => 0x80,
            Self::Ebcdic => 0,
        }
    }
}

impl Candidate {
    fn new(listed: &'static Listed) -> Self {
        let characters = *listed.single_byte_characters();
        let family = if EBCDIC.contains(&listed.name()) {
            Family::Ebcdic
        } else {
            Family::Ascii
        };
        let mut symbols = characters.map(|character| ALPHABET.symbol(character));
        if family == Family::Ebcdic {
            for (symbol, character) in symbols.iter_mut().zip(&characters) {
                if character.is_control() && !NEWLINES.contains(character) {
                    *symbol = ALPHABET.stranger('\u{80}');
                }
            }
        } else {
            // `mac-arabic` has ASCII's signs twice: no one means a plain space by a0.
            for (symbol, character) in symbols[0x80..].iter_mut().zip(&characters[0x80..]) {
                if character.is_ascii() {
                    *symbol = ALPHABET.stranger(*character);
                }
            }
        }
        Self {
            name: listed.name(),
            family,
            prior: priors::of(listed.name()),
            regions: priors::regions(listed.name()),
            characters: characters.map(|character| u16::try_from(u32::from(character)).unwrap_or_default()),
            symbols,
            case: characters.map(case),
            holes: (0..=u8::MAX)
                .filter(|byte| characters[usize::from(*byte)] == '\0')
                .collect(),
        }
    }
}

/// Controls that end a line, or part words, in EBCDIC.
const NEWLINES: [char; 4] = ['\t', '\n', '\r', '\u{85}'];
/// Signs that stand at words in many languages.
const SIGNS: &str = "\u{a0}\u{ad}§°·«»–—‘’‚“”„…•€";

fn case(character: char) -> u8 {
    if character.is_lowercase() {
        1
    } else if character.is_uppercase() {
        2
    } else if character.is_ascii() || character.is_alphanumeric() || SIGNS.contains(character) {
        0
    } else {
        3
    }
}
