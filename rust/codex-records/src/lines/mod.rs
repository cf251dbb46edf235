//! Anyone's NDJSON: the wanted part of each line, every line checked whole, on several threads, in the order of the file.
//!
//! [`Batches`] is the type to start from; what it takes of a line is a [`Take`]: [`Texts`] one string, [`Rows`] any values,
//! [`Columns`] typed ones. A line that is none is a [`Bad`] and its neighbours are read all the same. The fast way over
//! a line (`walk`) knows only that it is bad; the slow one (`check`) then says where and why.

mod batches;
mod check;
mod columns;
mod keys;
mod literal;
mod rows;
mod texts;
mod walk;

#[cfg(test)]
mod tests;

use crate::Fault;
use crate::blocks::utf8;

pub use batches::{Bad, Batch, Batches, Take};
pub use columns::{Column, ColumnType, Columns, Values};
pub(crate) use literal::unescape;
pub use rows::{Rows, Token};
pub use texts::Texts;

/// No integer that is held has more digits: Python converts no longer ones, because that takes quadratic time.
pub(crate) const MAXIMUM_DIGITS: usize = 4300;

/// What is taken beyond RFC 8259, or refused within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Whether an object that has a key twice is refused; else the last of them counts.
    pub refuses_twins: bool,
    /// Whether `NaN`, `Infinity` and `-Infinity` are numbers.
    pub takes_nan: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            refuses_twins: true,
            takes_nan: false,
        }
    }
}

/// What is wrong with a line that [`Rows`] does not take.
#[must_use]
pub fn fault_of_row(line: &[u8], rules: Rules) -> Fault {
    let fault = match utf8(line) {
        Ok(text) => Rows::fault(text, &None, rules),
        Err(fault) => Some(fault),
    };
    fault.unwrap_or_else(batches::unknown)
}
