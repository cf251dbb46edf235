//! What a tokenizer does besides merging: the parts of a file that are not its vocabulary.

use crate::alphabet;
use crate::normalize::{Metaspace, Normalizer, Prepend, Unicode};
use crate::split::{Behavior, Pattern, Step};
use crate::template::Processor;

/// Everything but tokens and merges.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) normalizers: Vec<Normalizer>,
    /// Which edition of Unicode the normalizers go by.
    pub(crate) unicode: Unicode,
    pub(crate) metaspace: Option<Metaspace>,
    pub(crate) steps: Vec<Step>,
    pub(crate) processors: Vec<Processor>,
    pub(crate) decoders: Vec<Decoder>,
    pub(crate) symbols: Symbols,
    /// A word that is a token is that token, whatever merges would make of it.
    pub(crate) ignore_merges: bool,
}

impl Settings {
    /// The steps that cut a text once its spaces are marked.
    pub(crate) fn cuts(&self) -> Vec<Step> {
        let marks = self.metaspace.iter().filter(|metaspace| metaspace.split);
        let at_marks = marks.map(|metaspace| Step::Split {
            pattern: Pattern::Literal(metaspace.replacement.to_string()),
            behavior: Behavior::MergedWithNext,
            invert: false,
        });
        at_marks.chain(self.steps.iter().cloned()).collect()
    }

    /// Those of GPT-2: what is trained here has them.
    pub(crate) fn gpt2() -> Self {
        let (use_regex, add_prefix_space) = (true, false);
        Self {
            steps: vec![Step::ByteLevel {
                use_regex,
                add_prefix_space,
            }],
            decoders: vec![Decoder::ByteLevel],
            ..Self::default()
        }
    }
}

/// What a word begins as.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Symbols {
    /// Bytes. All 256 have a token, so nothing is unknown.
    #[default]
    Bytes,
    Characters(Spelt),
}

/// How a vocabulary spells what words begin as: characters, and what becomes of those that it lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spelt {
    pub(crate) unknown: Option<String>,
    pub(crate) fuses_unknown: bool,
    pub(crate) falls_back_to_bytes: bool,
    /// The characters are letters that stand for bytes: a byte-level vocabulary that lacks some, or has affixes.
    pub(crate) is_of_bytes: bool,
    pub(crate) affixes: Affixes,
}

/// What a vocabulary writes around symbols to say where in a word they stand; mostly nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Affixes {
    /// Before each but the first (`continuing_subword_prefix`).
    pub(crate) prefix: String,
    /// Behind the last (`end_of_word_suffix`).
    pub(crate) suffix: String,
}

/// A step from the spelling of tokens to the text they stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decoder {
    ByteLevel,
    Replace {
        pattern: String,
        content: String,
    },
    ByteFallback,
    Fuse,
    Strip {
        content: char,
        start: usize,
        stop: usize,
    },
    Metaspace(Metaspace),
}

impl Settings {
    /// The bytes that a token stands for, however the others of a text are.
    pub(crate) fn decoded(&self, spelling: &str) -> Vec<u8> {
        let mut text = spelling.to_owned();
        for decoder in &self.decoders {
            match decoder {
                Decoder::Replace { pattern, content } => text = text.replace(pattern, content),
                Decoder::Metaspace(metaspace) => text = text.replace(metaspace.replacement, " "),
                Decoder::ByteFallback => {
                    if let Some(byte) = byte_of(&text) {
                        return vec![byte];
                    }
                }
                Decoder::ByteLevel => {
                    if let Some(bytes) = alphabet::unspell(&text) {
                        return bytes;
                    }
                }
                Decoder::Fuse | Decoder::Strip { .. } => {}
            }
        }
        text.into_bytes()
    }

    /// Whether a vocabulary with `has_byte` is one of bytes and nothing else, so that each token is the bytes its spelling says.
    pub(crate) fn is_plainly_of_bytes(&self, has_byte: impl Fn(u8) -> bool) -> bool {
        match &self.symbols {
            Symbols::Bytes => true,
            Symbols::Characters(spelt) => {
                let has_affixes = spelt.affixes != Affixes::default();
                spelt.is_of_bytes
                    && !has_affixes
                    && self.decoders == [Decoder::ByteLevel]
                    && (0..=u8::MAX).all(has_byte)
            }
        }
    }

    /// Whether tokens such as `<0x0A>` are decoded as bytes.
    pub(crate) fn falls_back(&self) -> bool {
        self.decoders.contains(&Decoder::ByteFallback)
    }

    /// What is left out at the start of a decoded text, and how often at most.
    pub(crate) fn stripped_start(&self) -> Option<(char, usize)> {
        self.decoders.iter().find_map(|decoder| match decoder {
            Decoder::Strip { content, start, .. } => Some((*content, *start)),
            Decoder::Metaspace(metaspace) if metaspace.prepend != Prepend::Never => Some((' ', 1)),
            _ => None,
        })
    }
}

/// The byte that a token such as `<0x0A>` stands for.
pub(crate) fn byte_of(spelling: &str) -> Option<u8> {
    let digits = spelling.strip_prefix("<0x")?.strip_suffix('>')?;
    let is_plain = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    u8::from_str_radix(digits, 16).ok().filter(|_| is_plain)
}

/// How a vocabulary of characters spells a byte.
pub(crate) fn byte_spelling(byte: u8) -> String {
    format!("<0x{byte:02X}>")
}
