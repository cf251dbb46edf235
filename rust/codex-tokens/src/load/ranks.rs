//! `tiktoken`'s form of a vocabulary: a line for each token, in base64, and its rank, which is its id and the order of merging.
//!
//! The merges are not written there. Each token is made by that one which the lower ranks leave to be done last.

use super::{base64, dialect};
use crate::added::AddedToken;
use crate::error::{Error, Result};
use crate::json::MAXIMUM_FILE_BYTES;
use crate::merge::Pair;
use crate::parts::Parts;
use crate::settings::{Decoder, Settings, Symbols};
use crate::split::{Behavior, GPT2, Pattern, Step};
use crate::tokenizer::Tokenizer;
use crate::vocabulary::{Index, Kind, Strings, Vocabulary};
use codex_file::stream;
use std::path::Path;

/// The longest token known has 128 bytes; the work for one grows with its square.
const LONGEST_TOKEN_BYTES: usize = 1024;

/// Special tokens may stand so far above the last rank.
const LARGEST_HOLE: u32 = 1 << 16;

/// A tokenizer as `tiktoken.Encoding` takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranks {
    /// The contents of a `.tiktoken` file.
    pub ranks: Vec<u8>,
    /// `pat_str`
    pub pattern: String,
    /// `special_tokens`
    pub special_tokens: Vec<(String, u32)>,
}

impl Tokenizer {
    /// Reads a vocabulary of `tiktoken`'s: its ranks, the pattern that cuts words, and the special tokens with their ids.
    ///
    /// # Errors
    /// If the file is missing or damaged, or a special token has the id or the text of another.
    pub fn from_tiktoken(ranks: &Path, pattern: &str, special_tokens: &[(String, u32)]) -> Result<Self> {
        let data = stream::read_all(ranks, MAXIMUM_FILE_BYTES)?;
        Self::from_ranks(&data, pattern, special_tokens).map_err(|error| error.in_file(ranks))
    }

    /// The same of the contents of the file.
    ///
    /// # Errors
    /// As [`Tokenizer::from_tiktoken`].
    pub fn from_ranks(data: &[u8], pattern: &str, special_tokens: &[(String, u32)]) -> Result<Self> {
        let strings = tokens_by_rank(data)?;
        let mut index = Index::default();
        let mut filled = Strings::default();
        for (rank, token) in strings.iter().enumerate() {
            filled.push(token);
            if let Some(first) = index.insert_last(&filled) {
                return Err(Error::tokenizer(
                    format!("ranks[{rank}]"),
                    format!("is the token of rank {first} again"),
                ));
            }
        }
        let mut merges = Vec::new();
        let mut ignore_merges = false;
        for (rank, token) in (0_u32..).zip(strings.iter()).filter(|(_, token)| token.len() > 1) {
            if let Some(pair) = last_merge(token, rank, &strings, &index) {
                merges.push((pair, rank));
            } else {
                // No one merge makes it: it is found as a whole word, and by whatever merge is at hand elsewhere.
                ignore_merges = true;
                merges.extend(every_merge(token, &strings, &index).map(|pair| (pair, rank)));
            }
        }
        let (vocabulary, added) = with_specials(&strings, special_tokens)?;
        let settings = Settings {
            steps: steps(pattern),
            decoders: vec![Decoder::ByteLevel],
            ignore_merges,
            ..Settings::default()
        };
        Self::from_parts(Parts {
            vocabulary,
            merges,
            added,
            settings,
        })
    }

    /// The tokenizer as `tiktoken.Encoding` takes it.
    ///
    /// # Errors
    /// If it does what `tiktoken` does not: another kind of merging, ids that are not in the order of merging, normalizers, more than
    /// one pattern, or added tokens that are not special or have flags.
    pub fn to_ranks(&self) -> Result<Ranks> {
        let Parts {
            vocabulary,
            merges,
            added,
            settings,
        } = &self.parts;
        let refused = |what: &str| Err(Error::usage(format!("{what}, which tiktoken cannot say")));
        if settings.symbols != Symbols::Bytes {
            return refused("the vocabulary is one of characters");
        }
        if !settings.normalizers.is_empty() || settings.metaspace.is_some() {
            return refused("the text is normalized");
        }
        let is_plain =
            |token: &AddedToken| token.special && !token.single_word && !token.lstrip && !token.rstrip;
        if let Some(token) = added.iter().find(|token| !is_plain(token)) {
            return refused(&format!(
                "the added token `{}` is not special, or has flags",
                token.content
            ));
        }
        if let Some(pair) = merges.windows(2).find(|pair| pair[0].1 > pair[1].1) {
            return refused(&format!(
                "the merge that makes id {} comes after one that makes id {}",
                pair[1].1, pair[0].1
            ));
        }
        let Some(pattern) = pattern_of(&settings.steps) else {
            return refused("words are cut by more than one pattern");
        };
        let mut ranks = Vec::new();
        for (id, bytes) in vocabulary.of_kind(Kind::Ordinary) {
            base64::write(bytes, &mut ranks);
            ranks.extend_from_slice(format!(" {id}\n").as_bytes());
        }
        let special_tokens = added
            .iter()
            .map(|token| (token.content.clone(), token.id))
            .collect();
        Ok(Ranks {
            ranks,
            pattern,
            special_tokens,
        })
    }
}

/// The tokens, at their ranks.
fn tokens_by_rank(data: &[u8]) -> Result<Strings> {
    let mut tokens: Vec<Option<Vec<u8>>> = Vec::new();
    for (number, line) in (1..).zip(data.split(|&byte| byte == b'\n')) {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        let fails = |what: &str| Error::tokenizer(format!("line {number}"), what);
        let mut words = line.split(|&byte| byte == b' ');
        let (Some(token), Some(rank), None) = (words.next(), words.next(), words.next()) else {
            return Err(fails("is not a token in base64 and its rank"));
        };
        let token = base64::read(token).filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| fails("does not begin with a token in base64"))?;
        if token.len() > LONGEST_TOKEN_BYTES {
            return Err(fails(&format!(
                "has a token of {} bytes, expected at most {LONGEST_TOKEN_BYTES}",
                token.len()
            )));
        }
        let rank = std::str::from_utf8(rank)
            .ok()
            .and_then(|rank| rank.parse::<u32>().ok());
        let rank = rank
            .filter(|&rank| rank < 1 << 21)
            .ok_or_else(|| fails("does not end with a rank below 2097152"))?;
        let rank = rank as usize;
        if rank >= tokens.len() {
            tokens.resize(rank + 1, None);
        }
        if tokens[rank].replace(token).is_some() {
            return Err(fails(&format!("has the rank {rank}, which another line has too")));
        }
    }
    // Ranks may begin above special tokens, which stand there.
    let holes_end = tokens.iter().position(Option::is_some).unwrap_or(0);
    if let Some(hole) = tokens[holes_end..].iter().position(Option::is_none) {
        return Err(Error::tokenizer(
            "ranks",
            format!("have none with the rank {}", holes_end + hole),
        ));
    }
    Ok(tokens.into_iter().map(Option::unwrap_or_default).collect())
}

/// The two tokens that `token` is made of once all lower ranks have been merged.
fn last_merge(token: &[u8], rank: u32, strings: &Strings, index: &Index) -> Option<Pair> {
    // Where each part ends, and the rank of it joined with the one after it.
    let mut ends: Vec<usize> = (1..=token.len()).collect();
    let joined = |ends: &[usize], at: usize| -> u32 {
        let start = at.checked_sub(1).map_or(0, |before| ends[before]);
        let found = ends
            .get(at + 1)
            .and_then(|&end| index.get(strings, &token[start..end]));
        found
            .and_then(|place| u32::try_from(place).ok())
            .filter(|&other| other < rank)
            .unwrap_or(u32::MAX)
    };
    let mut ranks: Vec<u32> = (0..ends.len()).map(|at| joined(&ends, at)).collect();
    while ends.len() > 2 {
        let (at, &lowest) = ranks.iter().enumerate().min_by_key(|&(at, &rank)| (rank, at))?;
        if lowest == u32::MAX {
            return None;
        }
        ends.remove(at);
        ranks.remove(at + 1);
        ranks[at] = joined(&ends, at);
        if let Some(before) = at.checked_sub(1) {
            ranks[before] = joined(&ends, before);
        }
    }
    let id_of = |part: &[u8]| {
        index
            .get(strings, part)
            .and_then(|place| u32::try_from(place).ok())
    };
    Some((id_of(&token[..ends[0]])?, id_of(&token[ends[0]..])?))
}

/// All pairs of tokens that spell `token`, the lower ranks first.
fn every_merge(token: &[u8], strings: &Strings, index: &Index) -> impl Iterator<Item = Pair> {
    let id_of = |part: &[u8]| {
        index
            .get(strings, part)
            .and_then(|place| u32::try_from(place).ok())
    };
    let pairs = (1..token.len()).filter_map(|cut| Some((id_of(&token[..cut])?, id_of(&token[cut..])?)));
    let mut pairs: Vec<Pair> = pairs.collect();
    pairs.sort_unstable();
    pairs.into_iter()
}

/// All tokens by id. The special ones stand in the vocabulary, so that `tokenizers` gives them their ids whatever holes there are.
fn with_specials(
    strings: &Strings,
    special_tokens: &[(String, u32)],
) -> Result<(Vocabulary, Vec<AddedToken>)> {
    let mut specials: Vec<AddedToken> = special_tokens
        .iter()
        .map(|(text, id)| AddedToken::special(*id, text.clone()))
        .collect();
    specials.sort_by_key(|token| token.id);
    let mut by_id = specials.iter().peekable();
    let mut vocabulary = Vocabulary::default();
    let count = u32::try_from(strings.len()).unwrap_or(u32::MAX);
    let end = specials
        .last()
        .map_or(count, |last| count.max(last.id.saturating_add(1)));
    if end - count > LARGEST_HOLE {
        return Err(Error::usage(format!(
            "the largest special id is {}, expected below {}",
            end - 1,
            count + LARGEST_HOLE
        )));
    }
    for id in 0..end {
        let bytes = strings.get(id as usize).filter(|bytes| !bytes.is_empty());
        match (bytes, by_id.next_if(|token| token.id == id)) {
            (Some(_), Some(special)) => {
                return Err(Error::usage(format!(
                    "special token `{}` has the id {id}, which is a rank too",
                    special.content
                )));
            }
            (Some(bytes), None) => vocabulary.push(bytes, Kind::Ordinary),
            (None, Some(special)) if special.content.is_empty() => {
                return Err(Error::usage("a special token is empty"));
            }
            (None, Some(special)) => vocabulary.push(special.content.as_bytes(), Kind::Text),
            (None, None) => vocabulary.push(b"", Kind::Unused),
        }
    }
    let mut texts: Vec<&str> = specials.iter().map(|token| token.content.as_str()).collect();
    texts.sort_unstable();
    if let Some([twice, _]) = texts.array_windows().find(|[one, next]| one == next) {
        return Err(Error::usage(format!("special token `{twice}` is given twice")));
    }
    if let Some(left) = by_id.next() {
        return Err(Error::usage(format!(
            "special token `{}` has the id {} of another",
            left.content, left.id
        )));
    }
    Ok((vocabulary, specials))
}

fn steps(pattern: &str) -> Vec<Step> {
    if pattern == GPT2 {
        return Settings::gpt2().steps;
    }
    vec![
        Step::Split {
            pattern: dialect::from_tiktoken(pattern),
            behavior: Behavior::Isolated,
            invert: false,
        },
        Step::ByteLevel {
            use_regex: false,
            add_prefix_space: false,
        },
    ]
}

/// The one pattern that `steps` cut by.
fn pattern_of(steps: &[Step]) -> Option<String> {
    match steps {
        [
            Step::ByteLevel {
                use_regex: true,
                add_prefix_space: false,
            },
        ] => Some(GPT2.to_owned()),
        [
            Step::Split {
                pattern: Pattern::Regex(pattern, _),
                behavior: Behavior::Isolated,
                invert: false,
            },
            Step::ByteLevel {
                use_regex: false,
                add_prefix_space: false,
            },
        ] => Some(pattern.clone()),
        _ => None,
    }
}
