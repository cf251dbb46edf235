//! Globs over the names of files in a corpus; `codex.data.listing` says what they mean.

/// Names and the folders above them that match any of some globs.
///
/// ```
/// use codex_records::ingest::Globs;
///
/// let globs = Globs::new(&["*.py", "docs/**/old"])?;
/// let matched = ["a/b.py", "docs/x/y/old/z.txt", "more/docs/old"].map(|name| globs.matches(name));
/// assert_eq!(matched, [true, true, false]);
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug)]
pub struct Globs(Vec<Glob>);

#[derive(Clone, Debug)]
enum Glob {
    All,
    /// A name without wildcards, at any depth.
    Part(String),
    Pattern(Vec<Token>),
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// This character.
    One(char),
    /// Any but `/`.
    Any,
    /// One of some, or none of them, and never `/`.
    Choice(bool, Vec<(char, char)>),
    /// Any number but of `/`.
    Many,
    /// Any number.
    Deep,
    /// The token behind, or nothing instead of it.
    Perhaps,
    /// Any number with a `/` behind.
    Folders,
}

impl Globs {
    /// Reads them.
    ///
    /// # Errors
    /// If one is none: which, and why.
    pub fn new<S: AsRef<str>>(globs: &[S]) -> Result<Self, String> {
        let read = |glob: &S| {
            let glob = glob.as_ref();
            Glob::new(glob).map_err(|why| format!("`{glob}` is no glob: {why}"))
        };
        globs.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Whether `name`, or a folder above it, matches one.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.0.iter().any(|glob| glob.matches(name))
    }
}

impl Glob {
    fn new(glob: &str) -> Result<Self, String> {
        let body = glob.trim_matches('/');
        let is_anchored = glob.trim_end_matches('/').contains('/');
        if body == "**" {
            return Ok(Self::All);
        }
        if !is_anchored && !body.is_empty() && !body.contains(['*', '?', '[']) {
            return Ok(Self::Part(body.to_owned()));
        }
        let mut tokens = Vec::new();
        if !is_anchored {
            tokens.extend([Token::Perhaps, Token::Folders]);
        }
        let mut rest = body;
        while let Some(first) = rest.chars().next() {
            let (token, length) = if rest.starts_with("**/") {
                tokens.push(Token::Perhaps);
                (Token::Folders, 3)
            } else if rest.starts_with("**") {
                (Token::Deep, 2)
            } else if first == '*' {
                (Token::Many, 1)
            } else if first == '?' {
                (Token::Any, 1)
            } else if let Some((token, length)) = choice(rest)? {
                (token, length)
            } else {
                (Token::One(first), first.len_utf8())
            };
            tokens.push(token);
            rest = &rest[length..];
        }
        Ok(Self::Pattern(tokens))
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Part(wanted) => name.split('/').any(|part| part == wanted),
            Self::Pattern(tokens) => matches(tokens, name),
        }
    }
}

/// The `[...]` that `text` begins with, if it does, and its length.
fn choice(text: &str) -> Result<Option<(Token, usize)>, String> {
    let Some(inner) = text.strip_prefix('[') else {
        return Ok(None);
    };
    let is_negated = inner.starts_with('!');
    let inner = if is_negated { &inner[1..] } else { inner };
    // A bracket that comes first is one of the letters, if another closes them.
    let first = usize::from(inner.starts_with(']') && inner[1..].contains(']'));
    let Some(end) = inner[first..].find(']').map(|at| first + at) else {
        return Ok(None);
    };
    let letters: Vec<char> = inner[..end].chars().collect();
    if letters.is_empty() {
        return Err("nothing stands in its brackets".to_owned());
    }
    let mut ranges = Vec::new();
    let mut rest = &letters[..];
    while let [start, after @ ..] = rest {
        let (stop, after) = match after {
            ['-', stop, after @ ..] => (stop, after),
            _ => (start, after),
        };
        if stop < start {
            return Err(format!("bad character range {start}-{stop}"));
        }
        ranges.push((*start, *stop));
        rest = after;
    }
    let length = 1 + usize::from(is_negated) + end + 1;
    Ok(Some((Token::Choice(is_negated, ranges), length)))
}

/// Whether `tokens` give all of `name`, or all up to a `/`: every place they can have come to is followed at once.
fn matches(tokens: &[Token], name: &str) -> bool {
    let end = tokens.len();
    let mut places = vec![false; end + 1];
    let mut next = places.clone();
    places[0] = true;
    for character in name.chars() {
        pass(tokens, &mut places);
        if character == '/' && places[end] {
            return true;
        }
        next.fill(false);
        for (at, token) in tokens.iter().enumerate().filter(|(at, _)| places[*at]) {
            let (stays, goes) = match token {
                Token::One(wanted) => (false, character == *wanted),
                Token::Any => (false, character != '/'),
                Token::Choice(is_negated, ranges) => {
                    let is_in = ranges
                        .iter()
                        .any(|(start, stop)| (*start..=*stop).contains(&character));
                    (false, character != '/' && is_in != *is_negated)
                }
                Token::Many => (character != '/', false),
                Token::Deep => (true, false),
                Token::Perhaps => (false, false),
                Token::Folders => (true, character == '/'),
            };
            next[at] |= stays;
            next[at + 1] |= goes;
        }
        std::mem::swap(&mut places, &mut next);
    }
    pass(tokens, &mut places);
    places[end]
}

/// Goes on where a token may give nothing.
fn pass(tokens: &[Token], places: &mut [bool]) {
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Many | Token::Deep => places[at + 1] |= places[at],
            Token::Perhaps => {
                places[at + 1] |= places[at];
                places[at + 2] |= places[at];
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stop_at_folders_and_double_stars_do_not() {
        for (glob, yes, no) in [
            ("*.py", "x/a.py", "a.pyc"),
            ("/*.py", "a.py", "x/a.py"),
            ("docs/**", "docs/x/a.md", "docs"),
            ("a/**/b", "a/b", "a/xb"),
            ("a/**/b", "a/x/y/b/c", "ab"),
            ("build/", "a/build/x", "rebuild/x"),
            ("?.txt", "é.txt", ".txt"),
            ("a[!x-z]b", "aab", "a/b"),
            ("[", "x/[", "a"),
            ("**", "a/b", ""),
        ] {
            let globs = Globs::new(&[glob]).expect(glob);
            assert!(globs.matches(yes), "{glob} {yes}");
            assert!(no.is_empty() || !globs.matches(no), "{glob} {no}");
        }
    }

    #[test]
    fn what_is_no_glob_is_named() {
        for glob in ["[z-a]", "[]", "[!]"] {
            let error = Globs::new(&["*", glob]).expect_err(glob);
            assert!(error.starts_with(&format!("`{glob}` is no glob: ")), "{error}");
        }
    }
}
