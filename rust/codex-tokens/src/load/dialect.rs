//! Patterns from one engine to the other: `tiktoken`'s and that of `tokenizers` read some marks differently.

use crate::split::{Dialect, Pattern};

/// Patterns as `tiktoken` has them, and what `tokenizers` has to be given to cut alike: `{1,3}+` gives nothing back in one and
/// repeats in the other, `$` is the end of the text or of a line.
const TRANSLATED: [(&str, &str); 2] = [
    (
        r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s",
        r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++\z|\s+(?!\S)|\s",
    ),
    (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++\z|\s*[\r\n]|\s+(?!\S)|\s",
    ),
];

/// A pattern of `tiktoken`'s; one that both engines read alike is taken as that of `tokenizers`, which can be written.
pub(crate) fn from_tiktoken(pattern: &str) -> Pattern {
    let has_anchor = pattern.replace("[^", "[").contains(['^', '$']);
    let dialect = if has_anchor || has_possessive_interval(pattern) {
        Dialect::Tiktoken
    } else {
        Dialect::Oniguruma
    };
    Pattern::Regex(pattern.to_owned(), dialect)
}

/// Whether an interval such as `{1,3}` has a plus behind it; `\p{L}+` has none.
fn has_possessive_interval(pattern: &str) -> bool {
    let ends = pattern.match_indices("}+").map(|(end, _)| &pattern[..end]);
    let mut insides = ends.filter_map(|before| before.rsplit('{').next());
    insides.any(|inside| inside.bytes().all(|byte| byte.is_ascii_digit() || byte == b','))
}

/// A pattern out of a `tokenizer.json`.
pub(crate) fn from_json(pattern: String) -> Pattern {
    match TRANSLATED.iter().find(|(_, json)| *json == pattern) {
        Some((tiktoken, _)) => Pattern::Regex((*tiktoken).to_owned(), Dialect::Tiktoken),
        None => Pattern::Regex(pattern, Dialect::Oniguruma),
    }
}

/// What a `tokenizer.json` has to say for `pattern`, if that is known.
pub(crate) fn to_json(pattern: &str, dialect: Dialect) -> Option<&str> {
    match dialect {
        Dialect::Oniguruma => Some(pattern),
        Dialect::Tiktoken => TRANSLATED
            .iter()
            .find(|(tiktoken, _)| *tiktoken == pattern)
            .map(|&(_, json)| json),
    }
}
