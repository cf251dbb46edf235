//! Patterns that nobody has cut by hand: any regular expression, in time proportional to the text, without recursion over it.
//!
//! [`parse`] says what a pattern means and refuses what cannot be run exactly (back-references, atomic groups of more than a
//! repeated character, a longer look behind); [`program`] makes states of it; [`run`] finds the matches, which are those a
//! matcher that tries one choice after the other would find. [`naive`] is such a matcher; tests hold the two equal.

#[cfg(test)]
mod naive;
mod parse;
mod program;
mod run;
mod set;

use crate::error::Result;
pub(crate) use parse::Dialect;
use program::Program;
use run::Memory;
use std::ops::Range;
use std::sync::Mutex;

/// A pattern ready to be run. Immutable; threads that use it at the same time have a memory each.
#[derive(Debug)]
pub(crate) struct Regex {
    program: Program,
    idle: Mutex<Vec<Memory>>,
}

impl Regex {
    /// # Errors
    /// If the pattern is broken, or needs what is not supported; the message names it.
    pub(crate) fn new(pattern: &str, dialect: Dialect) -> Result<Self> {
        let program = Program::new(&parse::parse(pattern, dialect)?)?;
        Ok(Self {
            program,
            idle: Mutex::default(),
        })
    }

    /// Calls `found` with the matches in `text`, from the first to the last. It never waits, so a fork leaves nothing locked.
    pub(crate) fn find_all(&self, text: &str, found: impl FnMut(Range<usize>)) {
        let idle = self.idle.try_lock().ok().and_then(|mut idle| idle.pop());
        let mut memory = idle.unwrap_or_default();
        run::find_all(&self.program, &mut memory, text, found);
        if let Ok(mut idle) = self.idle.try_lock() {
            idle.push(memory);
        }
    }
}

#[cfg(test)]
mod tests;
