//! The spellings of the patterns that are cut by hand.

use super::hand::{Known, cl100k, o200k};
use super::regex::Dialect;
use super::steps::{Behavior, GPT2, Pattern, Step};

const CL100K: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const O200K: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const DEEPSEEK: [&str; 3] = [
    r"\p{N}{1,3}",
    "[\u{4e00}-\u{9fa5}\u{3040}-\u{309f}\u{30a0}-\u{30ff}]+",
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
];

/// As tiktoken spells them, by rules of its own: `{1,3}+` gives nothing back there, and `\s++$` is white space at the end.
const TIKTOKEN_GPT2: &str =
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s";
const TIKTOKEN_CL100K: &str = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s";

/// Every known pattern with the rules it is known by.
#[cfg(test)]
pub(super) const ALL: &[(&[&str], Dialect)] = &[
    (&[GPT2], Dialect::Oniguruma),
    (&[CL100K], Dialect::Oniguruma),
    (&[QWEN], Dialect::Oniguruma),
    (&[O200K], Dialect::Oniguruma),
    (&[TEKKEN], Dialect::Oniguruma),
    (&DEEPSEEK, Dialect::Oniguruma),
    (&[TIKTOKEN_GPT2], Dialect::Tiktoken),
    (&[TIKTOKEN_CL100K], Dialect::Tiktoken),
];

/// The known pattern that `steps` are, if they are one.
pub(super) fn recognized(steps: &[Step]) -> Option<Known> {
    let thirds = Known::Cl100k(cl100k::Variant {
        cuts_each_digit: false,
        ends_whole: false,
    });
    let patterns: Vec<(&str, Dialect)> = steps.iter().map(isolated).collect::<Option<_>>()?;
    Some(match patterns[..] {
        [(GPT2, _) | (TIKTOKEN_GPT2, Dialect::Tiktoken)] => Known::Gpt2,
        [(CL100K, _)] => thirds,
        [(TIKTOKEN_CL100K, Dialect::Tiktoken)] => Known::Cl100k(cl100k::Variant {
            cuts_each_digit: false,
            ends_whole: true,
        }),
        [(QWEN, _)] => Known::Cl100k(cl100k::Variant {
            cuts_each_digit: true,
            ends_whole: false,
        }),
        [(O200K, _)] => Known::O200k(o200k::Variant {
            has_contractions: true,
            cuts_each_digit: false,
        }),
        [(TEKKEN, _)] => Known::O200k(o200k::Variant {
            has_contractions: false,
            cuts_each_digit: true,
        }),
        [(first, _), (second, _), (third, _)] if [first, second, third] == DEEPSEEK => Known::DeepSeek,
        _ => return None,
    })
}

/// The pattern of a step that leaves everything where it is.
fn isolated(step: &Step) -> Option<(&str, Dialect)> {
    match step {
        Step::Split {
            pattern: Pattern::Regex(pattern, dialect),
            behavior: Behavior::Isolated,
            invert: false,
        } => Some((pattern, *dialect)),
        Step::ByteLevel {
            use_regex: true,
            add_prefix_space: false,
        } => Some((GPT2, Dialect::Oniguruma)),
        _ => None,
    }
}
