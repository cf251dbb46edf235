//! `[...]`, `\...` and `\p{...}`.

use super::{Dialect, Escape, Node, Parser, Set, marked, of_category};
use crate::error::Result;

impl Parser<'_> {
    /// What stands between `[`, which has been read, and its `]`.
    pub(super) fn class(&mut self) -> Result<Set> {
        self.depth += 1;
        if self.depth > super::DEEPEST {
            return Err(self.refused(format!("has classes nested deeper than {}", super::DEEPEST)));
        }
        let is_negated = self.takes("^");
        if self.rest.peek() == Some(&']') {
            return Err(self.refused("has a `]` that is not escaped"));
        }
        let mut all: Option<Set> = None;
        let mut some = Set::default();
        loop {
            if self.takes("&&") {
                all = Some(all.map_or_else(|| some.clone(), |all| all.intersection(&some)));
                some = Set::default();
            } else if self.takes("]") {
                break;
            } else {
                some = some.union(&self.class_item()?);
            }
        }
        let set = all.map_or_else(|| some.clone(), |all| all.intersection(&some));
        self.depth -= 1;
        if is_negated && self.ignores_case {
            return Err(self.refused("ignores the case of a class that is negated"));
        }
        Ok(if is_negated { set.negated() } else { set })
    }

    fn class_item(&mut self) -> Result<Set> {
        if self.takes("[:") {
            return Err(self.refused("has a POSIX bracket, such as `[:alpha:]`"));
        }
        if self.dialect == Dialect::Tiktoken && (self.takes("--") || self.takes("~~")) {
            return Err(self.refused("has a difference of classes"));
        }
        let first = match self.class_scalar()? {
            Escape::Scalar(scalar) => scalar,
            Escape::Set(set) => return Ok(set),
            Escape::Node(_) => return Err(self.refused("has in a class what stands for no character")),
        };
        let mut ahead = self.rest.clone();
        let is_range = ahead.next() == Some('-') && ahead.next().is_some_and(|next| next != ']');
        if !is_range {
            return self.cased(Set::of_scalar(first));
        }
        self.rest.next();
        match self.class_scalar()? {
            Escape::Scalar(last) if first <= last => self.cased(Set::of([(first.into(), last.into())])),
            _ => Err(self.refused("has a range that is none")),
        }
    }

    fn class_scalar(&mut self) -> Result<Escape> {
        match self.rest.next() {
            None => Err(self.refused("has a `[` without its `]`")),
            Some('[') => Ok(Escape::Set(self.class()?)),
            Some('\\') => match self.escape(true)? {
                Escape::Set(set) => Ok(Escape::Set(self.caseless_only(set)?)),
                other => Ok(other),
            },
            Some(scalar) => Ok(Escape::Scalar(scalar)),
        }
    }

    /// What follows a backslash, which has been read.
    pub(super) fn escape(&mut self, is_in_class: bool) -> Result<Escape> {
        let is_ruby = self.dialect == Dialect::Oniguruma;
        let Some(letter) = self.rest.next() else {
            return Err(self.refused("ends in a backslash"));
        };
        let set = |kinds| Escape::Set(Set::of_kinds(kinds));
        let hex = || Set::of([(0x30, 0x39), (0x41, 0x46), (0x61, 0x66)]);
        Ok(match letter {
            't' => Escape::Scalar('\t'),
            'n' => Escape::Scalar('\n'),
            'r' => Escape::Scalar('\r'),
            'f' => Escape::Scalar('\x0c'),
            'v' => Escape::Scalar('\x0b'),
            'a' => Escape::Scalar('\x07'),
            'e' if is_ruby => Escape::Scalar('\x1b'),
            'x' | 'u' => Escape::Scalar(self.number_of_scalar(letter)?),
            's' => set(marked("space")),
            'S' => set(!marked("space")),
            'd' => set(of_category("Nd")),
            'D' => set(!of_category("Nd")),
            'w' if is_ruby && is_in_class => Escape::Set(word_in_class()),
            'W' if is_ruby && is_in_class => Escape::Set(word_in_class().negated()),
            'w' if is_ruby => set(marked("word")),
            'W' if is_ruby => set(!marked("word")),
            'h' if is_ruby => Escape::Set(hex()),
            'H' if is_ruby => Escape::Set(hex().negated()),
            'p' | 'P' => {
                let set = self.property()?;
                Escape::Set(if letter == 'P' { set.negated() } else { set })
            }
            'A' if !is_in_class => Escape::Node(Node::Start),
            'z' if !is_in_class => Escape::Node(Node::End),
            'Z' if !is_in_class && is_ruby => Escape::Node(Node::ahead(
                true,
                Node::Choice(vec![
                    Node::End,
                    Node::Sequence(vec![Node::Set(Set::of_scalar('\n')), Node::End]),
                ]),
            )),
            'b' | 'B' if !is_in_class && is_ruby => Escape::Node(word_edge(letter == 'b')),
            '1'..='9' | 'k' => return Err(self.refused("has a back-reference")),
            letter if letter.is_ascii_alphanumeric() => {
                return Err(self.refused(format!("needs `\\{letter}`")));
            }
            other => Escape::Scalar(other),
        })
    }

    /// `\xHH`, `\x{H...}`, `\uHHHH` or `\u{H...}`
    fn number_of_scalar(&mut self, letter: char) -> Result<char> {
        let is_open = self.takes("{");
        let most = match (is_open, letter) {
            (true, _) => 8,
            (false, 'x') => 2,
            _ => 4,
        };
        let mut digits = String::new();
        while digits.len() < most
            && let Some(digit) = self.rest.next_if(char::is_ascii_hexdigit)
        {
            digits.push(digit);
        }
        let is_whole = if is_open {
            self.takes("}")
        } else {
            digits.len() == most
        };
        u32::from_str_radix(&digits, 16)
            .ok()
            .filter(|&number| is_whole && (is_open || letter == 'u' || number < 0x80))
            .and_then(char::from_u32)
            .ok_or_else(|| self.refused("has a broken number of a character"))
    }

    /// `{Name}` or `{^Name}`: a general category, or one of the larger scripts.
    fn property(&mut self) -> Result<Set> {
        if !self.takes("{") {
            return Err(self.refused("has a `\\p` without its `{`"));
        }
        let is_negated = self.takes("^");
        let mut name = String::new();
        while let Some(scalar) = self
            .rest
            .next_if(|&scalar| scalar.is_ascii_alphanumeric() || "_ =-".contains(scalar))
        {
            name.push(scalar);
        }
        if !self.takes("}") {
            return Err(self.refused("has a `\\p{` without its `}`"));
        }
        let plain: String = name
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase();
        let set = category(&plain).map(|category| Set::of_kinds(of_category(category)));
        match set.or_else(|| Set::of_script(&plain)) {
            Some(set) => Ok(if is_negated { set.negated() } else { set }),
            None => Err(self.refused(format!("needs the property `{name}`"))),
        }
    }
}

/// `\w` between brackets, where Oniguruma takes no superscript and no fraction of Latin-1 for part of a word.
fn word_in_class() -> Set {
    let left_out = Set::of([(0xb2, 0xb3), (0xb9, 0xb9), (0xbc, 0xbe)]);
    Set::of_kinds(marked("word")).intersection(&left_out.negated())
}

/// `\b`: a character of a word on one side, none on the other.
fn word_edge(holds: bool) -> Node {
    let word = || Set::of_kinds(marked("word"));
    let both = |before, after| {
        Node::Sequence(vec![
            Node::Behind {
                holds: before,
                set: word(),
            },
            Node::ahead(after, Node::Set(word())),
        ])
    };
    Node::Choice(vec![both(true, !holds), both(false, holds)])
}

/// The short name of a general category.
fn category(name: &str) -> Option<&'static str> {
    const NAMES: &[(&str, &str)] = &[
        ("L", "letter"),
        ("Lu", "uppercaseletter"),
        ("Ll", "lowercaseletter"),
        ("Lt", "titlecaseletter"),
        ("Lm", "modifierletter"),
        ("Lo", "otherletter"),
        ("M", "mark"),
        ("Mn", "nonspacingmark"),
        ("Mc", "spacingmark"),
        ("Me", "enclosingmark"),
        ("N", "number"),
        ("Nd", "decimalnumber"),
        ("Nl", "letternumber"),
        ("No", "othernumber"),
        ("P", "punctuation"),
        ("Pc", "connectorpunctuation"),
        ("Pd", "dashpunctuation"),
        ("Ps", "openpunctuation"),
        ("Pe", "closepunctuation"),
        ("Pi", "initialpunctuation"),
        ("Pf", "finalpunctuation"),
        ("Po", "otherpunctuation"),
        ("S", "symbol"),
        ("Sm", "mathsymbol"),
        ("Sc", "currencysymbol"),
        ("Sk", "modifiersymbol"),
        ("So", "othersymbol"),
        ("Z", "separator"),
        ("Zs", "spaceseparator"),
        ("Zl", "lineseparator"),
        ("Zp", "paragraphseparator"),
        ("C", "other"),
        ("Cc", "control"),
        ("Cf", "format"),
        ("Cn", "unassigned"),
        ("Co", "privateuse"),
    ];
    NAMES
        .iter()
        .find(|(short, long)| short.eq_ignore_ascii_case(name) || *long == name)
        .map(|(short, _)| *short)
}
