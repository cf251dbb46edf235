//! `*`, `+`, `?`, `{n,m}`, lazy and possessive ones, and `(?>...)`.

use super::{Dialect, MOST_COPIES, Node, Parser};
use crate::error::Result;

impl Parser<'_> {
    /// `(?>X)` for an X that is one scalar, or a repeat of one.
    pub(super) fn once_matched(&self, node: &Node) -> Result<Node> {
        match node {
            Node::Repeat {
                node,
                min,
                max,
                is_lazy: false,
            } => self.possessive(node, *min, *max),
            node if node.as_set().is_some() => Ok(node.clone()),
            _ => Err(self.refused("has an atomic group of more than a repeated character")),
        }
    }

    /// A repeat of one scalar that gives nothing back, said with a look at the next scalar.
    fn possessive(&self, node: &Node, min: u32, max: Option<u32>) -> Result<Node> {
        let Some(set) = node.as_set() else {
            return Err(self.refused("has a possessive repeat of more than a character"));
        };
        let one = Node::Set(set);
        let ends = Node::ahead(false, one.clone());
        let greedy = |min, max| Node::Repeat {
            node: Box::new(one.clone()),
            min,
            max,
            is_lazy: false,
        };
        Ok(match max {
            None => Node::Sequence(vec![greedy(min, None), ends]),
            Some(max) if min >= max => greedy(min, Some(max)),
            Some(max) => Node::Choice(vec![
                greedy(max, Some(max)),
                Node::Sequence(vec![greedy(min, Some(max - 1)), ends]),
            ]),
        })
    }

    pub(super) fn repeats(&mut self, node: Node) -> Result<Node> {
        let is_ruby = self.dialect == Dialect::Oniguruma;
        let (min, max, is_interval) = match self.rest.peek() {
            Some('*') => (0, None, false),
            Some('+') => (1, None, false),
            Some('?') => (0, Some(1), false),
            Some('{') => match self.interval()? {
                Some((min, max)) => (min, max, true),
                None => return Ok(node),
            },
            _ => return Ok(node),
        };
        if !is_interval {
            self.rest.next();
        }
        if matches!(
            node,
            Node::Ahead { .. } | Node::Behind { .. } | Node::Start | Node::End
        ) {
            return Err(self.refused("repeats a look at what stands around"));
        }
        let repeated = if self.takes("?") {
            if is_ruby && is_interval && max == Some(min) {
                return Err(self.refused("has a lazy repeat of a fixed number"));
            }
            Node::Repeat {
                node: Box::new(node),
                min,
                max,
                is_lazy: true,
            }
        } else if (!is_ruby || !is_interval) && self.takes("+") {
            self.possessive(&node, min, max)?
        } else {
            Node::Repeat {
                node: Box::new(node),
                min,
                max,
                is_lazy: false,
            }
        };
        if let Node::Repeat { node, max: None, .. } = &repeated
            && node.can_be_empty()
        {
            return Err(self.refused("repeats without end what can be empty"));
        }
        match self.rest.peek() {
            // In Ruby's syntax `{n,m}+` is a repeat of a repeat, and no possessive one.
            Some('+') if is_ruby && is_interval => self.repeats(repeated),
            Some('*' | '+' | '?') => Err(self.refused("has a repeat of a repeat")),
            _ => Ok(repeated),
        }
    }

    /// `{n}`, `{n,}`, `{n,m}` or `{,m}`; anything else is taken as it stands by Ruby's syntax.
    fn interval(&mut self) -> Result<Option<(u32, Option<u32>)>> {
        let start = self.rest.clone();
        self.rest.next();
        let min = self.number();
        let max = if self.takes(",") { self.number() } else { min };
        let is_open = max.is_none();
        let is_read = self.takes("}") && (min.is_some() || max.is_some());
        if !is_read {
            self.rest = start;
            return if self.dialect == Dialect::Oniguruma {
                Ok(None)
            } else {
                Err(self.refused("has a broken `{`"))
            };
        }
        let min = min.unwrap_or(0);
        if min.max(max.unwrap_or(0)) > MOST_COPIES || max.is_some_and(|max| max < min) {
            return Err(self.refused(format!("repeats more than {MOST_COPIES} times, or backwards")));
        }
        Ok(Some((min, if is_open { None } else { max })))
    }

    fn number(&mut self) -> Option<u32> {
        let mut number = None;
        while let Some(digit) = self.rest.peek().and_then(|scalar| scalar.to_digit(10)) {
            number = Some(number.unwrap_or(0_u32).saturating_mul(10).saturating_add(digit));
            self.rest.next();
        }
        number
    }
}
