//! A tree as states that lead to one another, and the characters as the few symbols that the states tell apart.

#![expect(
    clippy::cast_possible_truncation,
    reason = "states and symbols are counted before they are numbered"
)]

use super::parse::Node;
use super::set::Set;
use crate::error::{Error, Result};

/// States of one pattern; the time for a character is at worst proportional to them.
const MOST_STATES: usize = 2000;

/// What can come next and stand behind; the memory for an answer is proportional to it.
const MOST_STEPS: usize = 1024;

/// A place in [`Program::states`].
pub(super) type Id = u16;

/// A set of symbols, a bit for each.
pub(super) type Symbols = [u64; 4];

/// The symbol before the first character.
pub(super) const NO_SYMBOL: u8 = u8::MAX;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// A character of the set, then `next`.
    Take {
        symbols: Symbols,
        next: Id,
    },
    /// The first of these that leads to a match.
    Choice(Vec<Id>),
    /// `next`, if from `start` a match begins (or none does).
    Ahead {
        holds: bool,
        start: Id,
        next: Id,
    },
    /// `next`, if the character before is (or is not) of the set.
    Behind {
        holds: bool,
        symbols: Symbols,
        next: Id,
    },
    Start {
        next: Id,
    },
    End {
        next: Id,
    },
    Match,
}

#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) states: Vec<State>,
    pub(super) start: Id,
    /// The states that take no character, each after those it leads to.
    pub(super) order: Vec<Id>,
    /// For every symbol what looks behind can tell of it, as a small number; last for no symbol, at the start of the text.
    pub(super) seen_behind: Box<[u8; 256]>,
    symbols: usize,
    /// Pairs of a symbol and what is seen behind it.
    pub(super) steps: usize,
    /// Ranges of scalars and their symbols, ascending, without a gap.
    ranges: Vec<(u32, u8)>,
    /// The symbols of the first 65,536 scalars.
    near: Box<[u8]>,
}

pub(super) fn has(symbols: &Symbols, symbol: u8) -> bool {
    symbols[usize::from(symbol >> 6)] >> (symbol & 63) & 1 == 1
}

impl Program {
    pub(super) fn new(node: &Node) -> Result<Self> {
        let mut sets = Vec::new();
        collect(node, &mut sets);
        let ranges = symbols_of(&sets)?;
        let symbols = ranges
            .iter()
            .map(|&(_, symbol)| usize::from(symbol) + 1)
            .max()
            .unwrap_or(1);
        let mut program = Self {
            states: vec![State::Match],
            start: 0,
            order: vec![],
            seen_behind: Box::new([0; 256]),
            symbols,
            steps: 0,
            ranges,
            near: Box::default(),
        };
        program.near = (0..1 << 16).map(|scalar| program.find_symbol(scalar)).collect();
        program.start = program.add(node, 0)?;
        program.look_behind()?;
        let mut is_done = vec![false; program.states.len()];
        for id in 0..program.states.len() {
            program.put_in_order(id as Id, &mut is_done);
        }
        Ok(program)
    }

    #[inline]
    pub(super) fn symbol(&self, scalar: char) -> u8 {
        match self.near.get(scalar as usize) {
            Some(&symbol) => symbol,
            None => self.find_symbol(scalar.into()),
        }
    }

    fn find_symbol(&self, scalar: u32) -> u8 {
        let after = self.ranges.partition_point(|&(first, _)| first <= scalar);
        self.ranges[after - 1].1
    }

    fn symbols(&self, set: &Set) -> Symbols {
        let mut symbols = [0; 4];
        for &(first, symbol) in &self.ranges {
            if set
                .ranges()
                .binary_search_by(|&(a, b)| {
                    if b < first {
                        std::cmp::Ordering::Less
                    } else if a > first {
                        std::cmp::Ordering::Greater
                    } else {
                        std::cmp::Ordering::Equal
                    }
                })
                .is_ok()
            {
                symbols[usize::from(symbol >> 6)] |= 1 << (symbol & 63);
            }
        }
        symbols
    }

    fn push(&mut self, state: State) -> Result<Id> {
        if self.states.len() == MOST_STATES {
            return Err(Error::tokenizer(
                "pre_tokenizer",
                format!("has a pattern of more than {MOST_STATES} states"),
            ));
        }
        self.states.push(state);
        Ok((self.states.len() - 1) as Id)
    }

    /// The state from which `node` is matched and then `next` goes on.
    fn add(&mut self, node: &Node, next: Id) -> Result<Id> {
        match node {
            Node::Set(set) => {
                let symbols = self.symbols(set);
                self.push(State::Take { symbols, next })
            }
            Node::Sequence(nodes) => nodes
                .iter()
                .rev()
                .try_fold(next, |next, node| self.add(node, next)),
            Node::Choice(nodes) => {
                let choices = nodes
                    .iter()
                    .map(|node| self.add(node, next))
                    .collect::<Result<_>>()?;
                self.push(State::Choice(choices))
            }
            Node::Repeat {
                node,
                min,
                max,
                is_lazy,
            } => self.add_repeat(node, *min, *max, *is_lazy, next),
            Node::Ahead { holds, node } => {
                let start = self.add(node, 0)?;
                self.push(State::Ahead {
                    holds: *holds,
                    start,
                    next,
                })
            }
            Node::Behind { holds, set } => {
                let symbols = self.symbols(set);
                self.push(State::Behind {
                    holds: *holds,
                    symbols,
                    next,
                })
            }
            Node::Start => self.push(State::Start { next }),
            Node::End => self.push(State::End { next }),
        }
    }

    fn add_repeat(&mut self, node: &Node, min: u32, max: Option<u32>, is_lazy: bool, next: Id) -> Result<Id> {
        let choice = |again, next| {
            State::Choice(if is_lazy {
                vec![next, again]
            } else {
                vec![again, next]
            })
        };
        let mut start = next;
        if let Some(max) = max {
            for _ in min..max {
                let again = self.add(node, start)?;
                start = self.push(choice(again, next))?;
            }
        } else {
            start = self.push(State::Match)?;
            let again = self.add(node, start)?;
            self.states[usize::from(start)] = choice(again, next);
        }
        for _ in 0..min {
            start = self.add(node, start)?;
        }
        Ok(start)
    }

    /// Fills in what looks behind tell apart.
    fn look_behind(&mut self) -> Result<()> {
        let mut kinds: Vec<Vec<bool>> = Vec::new();
        for symbol in 0..=NO_SYMBOL {
            let seen = self.states.iter().filter_map(|state| match state {
                State::Behind { symbols, .. } => Some(symbol != NO_SYMBOL && has(symbols, symbol)),
                State::Start { .. } => Some(symbol == NO_SYMBOL),
                _ => None,
            });
            let seen: Vec<bool> = seen.collect();
            let kind = kinds.iter().position(|kind| *kind == seen).unwrap_or(kinds.len());
            if kind == kinds.len() {
                kinds.push(seen);
            }
            self.seen_behind[usize::from(symbol)] = kind as u8;
        }
        self.steps = self.symbols * kinds.len();
        if self.steps > MOST_STEPS {
            return Err(Error::tokenizer(
                "pre_tokenizer",
                "has a pattern that tells too many kinds of characters apart",
            ));
        }
        Ok(())
    }

    /// The place of a step, below [`Program::steps`]: over `symbol`, with `before` behind it.
    #[inline]
    pub(super) fn step(&self, symbol: u8, before: u8) -> usize {
        usize::from(self.seen_behind[usize::from(before)]) * self.symbols + usize::from(symbol)
    }

    /// A state that takes no character leads back to itself only through one that does: what could be empty is not repeated.
    fn put_in_order(&mut self, id: Id, is_done: &mut [bool]) {
        if std::mem::replace(&mut is_done[usize::from(id)], true) {
            return;
        }
        let leads_to = match &self.states[usize::from(id)] {
            State::Take { .. } | State::Match => return,
            State::Choice(choices) => choices.clone(),
            State::Ahead { start, next, .. } => vec![*start, *next],
            State::Behind { next, .. } | State::Start { next } | State::End { next } => vec![*next],
        };
        for id in leads_to {
            self.put_in_order(id, is_done);
        }
        self.order.push(id);
    }
}

fn collect<'n>(node: &'n Node, sets: &mut Vec<&'n Set>) {
    match node {
        Node::Set(set) | Node::Behind { set, .. } => sets.push(set),
        Node::Sequence(nodes) | Node::Choice(nodes) => nodes.iter().for_each(|node| collect(node, sets)),
        Node::Repeat { node, .. } | Node::Ahead { node, .. } => collect(node, sets),
        Node::Start | Node::End => {}
    }
}

/// Scalars that are in the same sets have the same symbol.
fn symbols_of(sets: &[&Set]) -> Result<Vec<(u32, u8)>> {
    let mut edges = vec![0];
    for set in sets {
        edges.extend(set.ranges().iter().flat_map(|&(first, last)| [first, last + 1]));
    }
    edges.sort_unstable();
    edges.dedup();
    let mut known: rustc_hash::FxHashMap<Vec<bool>, u8> = rustc_hash::FxHashMap::default();
    let mut ranges = Vec::with_capacity(edges.len());
    for first in edges {
        let member: Vec<bool> = sets
            .iter()
            .map(|set| {
                let after = set.ranges().partition_point(|&(start, _)| start <= first);
                after > 0 && first <= set.ranges()[after - 1].1
            })
            .collect();
        let fresh = known.len();
        let symbol = *known.entry(member).or_insert(fresh as u8);
        if fresh >= usize::from(NO_SYMBOL) {
            return Err(Error::tokenizer(
                "pre_tokenizer",
                "has a pattern that tells more than 255 kinds of characters apart",
            ));
        }
        ranges.push((first, symbol));
    }
    Ok(ranges)
}
