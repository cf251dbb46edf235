//! One string of each line.

use super::check::{self, Wanted};
use super::keys::Keys;
use super::walk::Walker;
use super::{Rules, Take};
use crate::Fault;

/// The strings under one key, one behind the other. A line without it is bad.
#[derive(Debug, Default)]
pub struct Texts {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    keys: Keys,
}

impl Texts {
    /// The strings in order, as UTF-8.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        let mut start = 0;
        self.ends
            .iter()
            .map(move |&end| &self.bytes[std::mem::replace(&mut start, end)..end])
    }

    fn take(&mut self, line: &[u8], key: &str, rules: Rules) -> Option<()> {
        let Self { bytes, keys, .. } = self;
        let start = bytes.len();
        let mut is_there = false;
        let mut walker = Walker::new(line, rules, keys);
        walker.whole(|walker, found| {
            if walker.key_bytes(found) != key.as_bytes() {
                return walker.skip();
            }
            // The last counts, if there may be two.
            bytes.truncate(start);
            is_there = true;
            walker.string_into(bytes)
        })?;
        walker.end()?;
        is_there.then_some(())
    }
}

impl Take for Texts {
    /// The key.
    type Plan = String;

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn rows(&self) -> usize {
        self.ends.len()
    }

    fn take_line(&mut self, line: &[u8], key: &String, rules: Rules) -> bool {
        let start = self.bytes.len();
        let is_taken = self.take(line, key, rules).is_some();
        if is_taken {
            self.ends.push(self.bytes.len());
        } else {
            self.bytes.truncate(start);
        }
        is_taken
    }

    fn fault(line: &str, key: &String, rules: Rules) -> Option<Fault> {
        check::fault_of(line, &Wanted::Text(key), rules)
    }
}
