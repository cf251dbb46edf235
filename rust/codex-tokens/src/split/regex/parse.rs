//! A pattern as a tree. What cannot be run exactly and in linear time is refused here, by name.

mod class;
mod repeat;

use super::super::kinds::{marked, of_category};
use super::set::Set;
use crate::error::{Error, Result};
use std::iter::Peekable;
use std::str::Chars;

/// Whose rules a pattern follows: they differ in `^`, `$`, `{n,m}+`, flags and letters that fold into two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Dialect {
    /// Oniguruma with Ruby's syntax, as in `tokenizer.json`.
    Oniguruma,
    /// The `fancy-regex` of tiktoken.
    Tiktoken,
}

/// A pattern taken apart.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Set(Set),
    Sequence(Vec<Node>),
    Choice(Vec<Node>),
    /// At most one more than `min` where `max` says so; never of something that can be empty without a `max`.
    Repeat {
        node: Box<Node>,
        min: u32,
        max: Option<u32>,
        is_lazy: bool,
    },
    /// What comes next is (or is not) a match of `node`.
    Ahead {
        holds: bool,
        node: Box<Node>,
    },
    /// The scalar before is (or is not) one of `set`; at the start of the text there is none.
    Behind {
        holds: bool,
        set: Set,
    },
    Start,
    End,
}

impl Node {
    fn ahead(holds: bool, node: Self) -> Self {
        Self::Ahead {
            holds,
            node: Box::new(node),
        }
    }

    pub(super) fn can_be_empty(&self) -> bool {
        match self {
            Self::Set(_) => false,
            Self::Sequence(nodes) => nodes.iter().all(Self::can_be_empty),
            Self::Choice(nodes) => nodes.iter().any(Self::can_be_empty),
            Self::Repeat { node, min, .. } => *min == 0 || node.can_be_empty(),
            Self::Ahead { .. } | Self::Behind { .. } | Self::Start | Self::End => true,
        }
    }

    /// The set this is, if it is always one scalar of it.
    fn as_set(&self) -> Option<Set> {
        match self {
            Self::Set(set) => Some(set.clone()),
            Self::Sequence(nodes) => match &nodes[..] {
                [node] => node.as_set(),
                _ => None,
            },
            Self::Choice(nodes) => nodes
                .iter()
                .try_fold(Set::default(), |all, node| Some(all.union(&node.as_set()?))),
            _ => None,
        }
    }
}

/// Groups inside groups, and copies of what `{n,m}` repeats.
const DEEPEST: usize = 100;
const MOST_COPIES: u32 = 1000;

/// The tree of `pattern`.
///
/// # Errors
/// If the pattern is broken, or needs what is not supported.
pub(super) fn parse(pattern: &str, dialect: Dialect) -> Result<Node> {
    let mut parser = Parser {
        rest: pattern.chars().peekable(),
        pattern,
        dialect,
        ignores_case: false,
        dot_is_all: false,
        depth: 0,
    };
    let node = parser.choice()?;
    if parser.rest.peek().is_some() {
        return Err(parser.refused("has a `)` too many"));
    }
    Ok(node)
}

struct Parser<'p> {
    rest: Peekable<Chars<'p>>,
    pattern: &'p str,
    dialect: Dialect,
    ignores_case: bool,
    dot_is_all: bool,
    depth: usize,
}

/// What follows a backslash.
enum Escape {
    Scalar(char),
    Set(Set),
    Node(Node),
}

impl Parser<'_> {
    fn refused(&self, what: impl std::fmt::Display) -> Error {
        let shown: String = self.pattern.chars().take(60).collect();
        let at = self.characters_read();
        Error::tokenizer(
            "pre_tokenizer",
            format!("has the pattern `{shown}`, which {what} (before character {at})"),
        )
    }

    fn characters_read(&self) -> usize {
        self.pattern.chars().count() - self.rest.clone().count()
    }

    fn takes(&mut self, expected: &str) -> bool {
        let mut ahead = self.rest.clone();
        if expected.chars().all(|scalar| ahead.next() == Some(scalar)) {
            self.rest = ahead;
            return true;
        }
        false
    }

    fn choice(&mut self) -> Result<Node> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.refused(format!("has groups nested deeper than {DEEPEST}")));
        }
        let mut nodes = vec![self.sequence()?];
        while self.takes("|") {
            nodes.push(self.sequence()?);
        }
        self.depth -= 1;
        Ok(if nodes.len() == 1 {
            nodes.swap_remove(0)
        } else {
            Node::Choice(nodes)
        })
    }

    fn sequence(&mut self) -> Result<Node> {
        let mut nodes = Vec::new();
        let mut before = None;
        while let Some(&scalar) = self.rest.peek() {
            if scalar == '|' || scalar == ')' {
                break;
            }
            let is_letter = self.ignores_case && scalar.is_ascii_alphabetic();
            if self.dialect == Dialect::Oniguruma && is_letter {
                let pair = (before, scalar.to_ascii_lowercase());
                if matches!(pair, (Some('s'), 's' | 't') | (Some('f'), 'f' | 'i' | 'l')) {
                    return Err(self.refused(
                        "ignores the case of letters that one character stands for, such as `\u{df}`",
                    ));
                }
            }
            before = is_letter.then(|| scalar.to_ascii_lowercase());
            let node = self.atom()?;
            nodes.push(self.repeats(node)?);
        }
        Ok(if nodes.len() == 1 {
            nodes.swap_remove(0)
        } else {
            Node::Sequence(nodes)
        })
    }

    fn atom(&mut self) -> Result<Node> {
        let Some(scalar) = self.rest.next() else {
            return Err(self.refused("ends too early"));
        };
        let is_ruby = self.dialect == Dialect::Oniguruma;
        let newline = Set::of_scalar('\n');
        Ok(match scalar {
            '(' => self.group()?,
            '[' => Node::Set(self.class()?),
            '\\' => match self.escape(false)? {
                Escape::Scalar(scalar) => Node::Set(self.cased(Set::of_scalar(scalar))?),
                Escape::Set(set) => Node::Set(self.caseless_only(set)?),
                Escape::Node(node) => node,
            },
            '.' if self.dot_is_all => Node::Set(Set::default().negated()),
            '.' => Node::Set(newline.negated()),
            '^' if is_ruby => Node::Choice(vec![
                Node::Start,
                Node::Sequence(vec![
                    Node::Behind {
                        holds: true,
                        set: newline,
                    },
                    Node::ahead(false, Node::End),
                ]),
            ]),
            '^' => Node::Start,
            '$' if is_ruby => Node::Choice(vec![Node::End, Node::ahead(true, Node::Set(newline))]),
            '$' => Node::End,
            '*' | '+' | '?' => return Err(self.refused("repeats nothing")),
            '{' if !is_ruby => return Err(self.refused("has a `{` that is not escaped")),
            scalar => Node::Set(self.cased(Set::of_scalar(scalar))?),
        })
    }

    fn group(&mut self) -> Result<Node> {
        let before = (self.ignores_case, self.dot_is_all);
        let node = if self.takes("?:") {
            self.choice()?
        } else if self.takes("?=") {
            Node::ahead(true, self.choice()?)
        } else if self.takes("?!") {
            Node::ahead(false, self.choice()?)
        } else if self.takes("?<=") {
            self.behind(true)?
        } else if self.takes("?<!") {
            self.behind(false)?
        } else if self.takes("?>") {
            let node = self.choice()?;
            self.once_matched(&node)?
        } else if self.takes("?<") || self.takes("?P<") {
            while self
                .rest
                .next_if(|&scalar| scalar.is_alphanumeric() || scalar == '_')
                .is_some()
            {}
            if !self.takes(">") {
                return Err(self.refused("has a group with a broken name"));
            }
            self.choice()?
        } else if self.takes("?") {
            let is_first = self.characters_read() == "(?".len();
            self.flags()?;
            if self.takes(")") {
                if self.dialect == Dialect::Tiktoken && !is_first {
                    return Err(self.refused("has flags in its midst"));
                }
                // The flags hold up to the end of the group around, whose other choices they reach into.
                let node = self.choice()?;
                (self.ignores_case, self.dot_is_all) = before;
                return Ok(node);
            }
            if !self.takes(":") {
                return Err(self.refused("has a group of a kind that is not supported"));
            }
            self.choice()?
        } else {
            self.choice()?
        };
        (self.ignores_case, self.dot_is_all) = before;
        if self.takes(")") {
            Ok(node)
        } else {
            Err(self.refused("has a `(` without its `)`"))
        }
    }

    fn flags(&mut self) -> Result<()> {
        let mut value = true;
        while let Some(flag) = self
            .rest
            .next_if(|&scalar| scalar == '-' || scalar.is_ascii_alphabetic())
        {
            match (flag, self.dialect) {
                ('-', _) => value = false,
                ('i', _) => self.ignores_case = value,
                ('m', Dialect::Oniguruma) | ('s', Dialect::Tiktoken) => self.dot_is_all = value,
                _ => return Err(self.refused(format!("needs the flag `{flag}`"))),
            }
        }
        Ok(())
    }

    fn behind(&mut self, holds: bool) -> Result<Node> {
        let node = self.choice()?;
        match node.as_set() {
            Some(set) => Ok(Node::Behind { holds, set }),
            None => Err(self.refused("looks behind itself further than one character")),
        }
    }

    /// A set as it is matched here: with the other case of its letters where case is ignored.
    fn cased(&self, set: Set) -> Result<Set> {
        if !self.ignores_case {
            return Ok(set);
        }
        if self.dialect == Dialect::Oniguruma && set.ranges().iter().any(|&(_, last)| last > 0x7f) {
            return Err(self.refused("ignores the case of characters outside of ASCII"));
        }
        set.without_case()
            .ok_or_else(|| self.refused("ignores the case of letters outside of ASCII"))
    }

    fn caseless_only(&self, set: Set) -> Result<Set> {
        if self.ignores_case {
            Err(self.refused("ignores the case of a property"))
        } else {
            Ok(set)
        }
    }
}
