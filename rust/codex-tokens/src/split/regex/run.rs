//! The states run over a text, in time proportional to its length whatever the pattern.
//!
//! A matcher that tries one choice after the other walks far and comes back, again and again. This one reads the text from its
//! end first: at each place, which states lead to a match from here? That follows from the same question at the next place and
//! the character between. Then it goes forward, and of every choice takes the first that leads to a match, once.
//! The answers for a place are one of few, met again and again, so they are numbered and the step from one to the
//! next is remembered. A text is read in stretches, the last first: of at most [`STRETCH`] characters, fewer where a pattern has
//! new answers again and again. All but the first are read once more on the way forward, so that memory is bounded.

#![expect(
    clippy::cast_possible_truncation,
    reason = "answers are forgotten long before 2^32 of them"
)]

use super::program::{Id, NO_SYMBOL, Program, State, has};
use rustc_hash::FxHashMap;
use std::ops::Range;

/// Characters whose answers are held at a time.
const STRETCH: usize = 1 << 16;

/// Answers that are remembered; with one more a new stretch begins without any.
const MOST_ANSWERS: usize = 4096;

/// A place where no state leads to a match.
const NOWHERE: Id = Id::MAX;

/// A step nobody has taken.
const UNKNOWN: u32 = u32::MAX;

/// Which states lead to a match from some place, and what follows.
#[derive(Debug)]
struct Answer {
    leads: Box<[bool]>,
    /// For every state that takes a character, and last for the start: the next such state, a match (0), or [`NOWHERE`].
    then: Box<[Id]>,
}

/// What has been found out about a program, to be used for the next text.
#[derive(Debug, Default)]
pub(super) struct Memory {
    answers: Vec<Answer>,
    numbers: FxHashMap<Box<[bool]>, u32>,
    /// For every answer the next, by [`Program::step`].
    steps: Vec<u32>,
}

impl Memory {
    fn number(&mut self, program: &Program, leads: Box<[bool]>) -> u32 {
        if let Some(&number) = self.numbers.get(&leads) {
            return number;
        }
        let number = self.answers.len() as u32;
        let then = program.states.iter().map(|state| match state {
            State::Take { next, .. } => resolved(program, &leads, *next),
            _ => NOWHERE,
        });
        let then = then.chain([resolved(program, &leads, program.start)]).collect();
        self.numbers.insert(leads.clone(), number);
        self.answers.push(Answer { leads, then });
        self.steps.resize(self.answers.len() * program.steps, UNKNOWN);
        number
    }

    /// The answer before the character `symbol`, which stands behind one of `before`, when that after it is `number`.
    #[inline]
    fn step(&mut self, program: &Program, number: u32, symbol: u8, before: u8) -> u32 {
        let step = number as usize * program.steps + program.step(symbol, before);
        if self.steps[step] == UNKNOWN {
            let leads = answer(
                program,
                Some((&self.answers[number as usize].leads, symbol)),
                before,
            );
            self.steps[step] = self.number(program, leads);
        }
        self.steps[step]
    }

    /// Forgets everything but one answer, if there is too much; the number of that answer.
    fn trimmed(&mut self, program: &Program, number: u32) -> u32 {
        if self.answers.len() <= MOST_ANSWERS {
            return number;
        }
        let leads = std::mem::take(&mut self.answers[number as usize].leads);
        *self = Self::default();
        self.number(program, leads)
    }
}

/// Which states lead to a match at a place whose next character, if it is not the end, leads with `symbol` to the answer given.
fn answer(program: &Program, next_place: Option<(&[bool], u8)>, before: u8) -> Box<[bool]> {
    let mut leads = vec![false; program.states.len()];
    for (id, state) in program.states.iter().enumerate() {
        leads[id] = match (state, next_place) {
            (State::Match, _) => true,
            (State::Take { symbols, next }, Some((after, symbol))) => {
                has(symbols, symbol) && after[usize::from(*next)]
            }
            _ => false,
        };
    }
    for &id in &program.order {
        leads[usize::from(id)] = match &program.states[usize::from(id)] {
            State::Choice(choices) => choices.iter().any(|&choice| leads[usize::from(choice)]),
            State::Ahead { holds, start, next } => {
                leads[usize::from(*start)] == *holds && leads[usize::from(*next)]
            }
            State::Behind { holds, symbols, next } => {
                (before != NO_SYMBOL && has(symbols, before)) == *holds && leads[usize::from(*next)]
            }
            State::Start { next } => before == NO_SYMBOL && leads[usize::from(*next)],
            State::End { next } => next_place.is_none() && leads[usize::from(*next)],
            State::Take { .. } | State::Match => leads[usize::from(id)],
        };
    }
    leads.into()
}

/// The first state reached from `id` that takes a character, or a match, by choices that lead to a match.
fn resolved(program: &Program, leads: &[bool], mut id: Id) -> Id {
    if !leads[usize::from(id)] {
        return NOWHERE;
    }
    loop {
        id = match &program.states[usize::from(id)] {
            State::Choice(choices) => match choices.iter().find(|&&choice| leads[usize::from(choice)]) {
                Some(&choice) => choice,
                None => return NOWHERE,
            },
            State::Ahead { next, .. }
            | State::Behind { next, .. }
            | State::Start { next }
            | State::End { next } => *next,
            State::Take { .. } => return id,
            State::Match => return 0,
        };
    }
}

/// The matches of `program` in `text`, one after the other. An empty one is not taken right behind another match.
pub(super) fn find_all(
    program: &Program,
    memory: &mut Memory,
    text: &str,
    mut found: impl FnMut(Range<usize>),
) {
    let symbols: Vec<u8> = text.chars().map(|scalar| program.symbol(scalar)).collect();
    let before = |place: usize| place.checked_sub(1).map_or(NO_SYMBOL, |place| symbols[place]);
    let leads = answer(program, None, before(symbols.len()));
    let mut number = memory.number(program, leads);
    // The answers of a stretch from its end to its beginning, and the ends of those behind it, from the last to the first.
    let mut numbers = vec![number];
    let mut end = symbols.len();
    let mut behind = Vec::new();
    for place in (0..symbols.len()).rev() {
        if numbers.len() > STRETCH || memory.answers.len() > MOST_ANSWERS {
            behind.push((end, memory.answers[numbers[0] as usize].leads.clone()));
            number = memory.trimmed(program, number);
            numbers.clear();
            numbers.push(number);
            end = place + 1;
        }
        number = memory.step(program, number, symbols[place], before(place));
        numbers.push(number);
    }

    let mut walk = Walk {
        start: 0,
        state: None,
        last_end: None,
    };
    let mut lengths = text.chars().map(char::len_utf8);
    let mut at = 0;
    loop {
        // The answer at the end of a stretch is looked at with the next stretch, of which it is the first.
        for &number in numbers[1..].iter().rev() {
            walk.visit(&memory.answers[number as usize], at, &mut found);
            at += lengths.next().unwrap_or(0);
        }
        let Some((next_end, leads)) = behind.pop() else {
            break;
        };
        if memory.answers.len() > MOST_ANSWERS {
            *memory = Memory::default();
        }
        let mut number = memory.number(program, leads);
        numbers.clear();
        numbers.push(number);
        for place in (end..next_end).rev() {
            number = memory.step(program, number, symbols[place], before(place));
            numbers.push(number);
        }
        end = next_end;
    }
    walk.visit(&memory.answers[numbers[0] as usize], at, &mut found);
}

/// The way forward: between matches, or in one that began at `start`.
struct Walk {
    start: usize,
    state: Option<Id>,
    last_end: Option<usize>,
}

impl Walk {
    #[inline]
    fn visit(&mut self, answer: &Answer, at: usize, found: &mut impl FnMut(Range<usize>)) {
        let beginning = answer.then.len() - 1;
        if let Some(state) = self.state {
            match answer.then[usize::from(state)] {
                0 => {
                    found(self.start..at);
                    (self.state, self.last_end) = (None, Some(at));
                }
                next => {
                    self.state = Some(next);
                    return;
                }
            }
        }
        match answer.then[beginning] {
            NOWHERE => {}
            0 => {
                if self.last_end != Some(at) {
                    found(at..at);
                    self.last_end = Some(at);
                }
            }
            next => (self.start, self.state) = (at, Some(next)),
        }
    }
}
