//! `model.merges`

use super::node::Node;
use super::read::wrong;
use super::scan::Scanner;
use super::vocabulary::Entries;
use crate::error::{Error, Result};
use crate::merge::Pair;
use rustc_hash::FxHashSet;
use std::borrow::Cow;
use std::mem;

/// Merges looked up together, so that the memory of all is asked for before that of the first is needed.
const TOGETHER: usize = 32;

/// Merges on their way from spellings to ids.
struct Reader<'e> {
    entries: &'e Entries,
    prefix: &'e str,
    /// Both sides of those that wait, one behind the other, and where each left side begins, ends, and the right one ends.
    text: String,
    waiting: Vec<[usize; 3]>,
    merges: Vec<(Pair, u32)>,
    /// The entry that the last merge makes.
    last_made: usize,
}

/// The merges, each `"a b"` or `["a", "b"]`, and what they make: both sides, the right one without `prefix`.
pub(super) fn read(scanner: &mut Scanner<'_>, entries: &Entries, prefix: &str) -> Result<Vec<(Pair, u32)>> {
    if scanner.peek() != b'[' {
        return Err(wrong(scanner, "model.merges".to_owned(), "an array"));
    }
    let mut reader = Reader {
        entries,
        prefix,
        text: String::new(),
        waiting: Vec::with_capacity(TOGETHER),
        merges: Vec::new(),
        last_made: 0,
    };
    let read = scanner.items(|scanner, place| {
        let sides = read_sides(scanner, place, &mut reader.text)?;
        reader.waiting.push(sides);
        if reader.waiting.len() == TOGETHER {
            reader.look_up()?;
        }
        Ok(())
    });
    // What is wrong with those that wait stands before what is wrong with the one that was read last.
    reader.look_up()?;
    read?;
    refuse_repeated(&reader.merges, entries)?;
    Ok(reader.merges)
}

/// Appends both sides of a merge to `text`. Where the left one begins, where it ends, and where the right one ends.
fn read_sides(scanner: &mut Scanner<'_>, place: usize, text: &mut String) -> Result<[usize; 3]> {
    let path = || format!("model.merges[{place}]");
    let start = text.len();
    if scanner.peek() == b'"' {
        let line = scanner.string()?;
        return match line.split_once(' ') {
            Some((left, right)) if !right.contains(' ') => {
                text.push_str(left);
                let middle = text.len();
                text.push_str(right);
                Ok([start, middle, text.len()])
            }
            _ => Err(Node::at(path(), &line.as_ref().into()).is_not("two spellings")),
        };
    }
    let mut retry = scanner.clone();
    let mut not_two = || wrong(&mut retry, path(), "two spellings");
    if scanner.peek() != b'[' {
        return Err(not_two());
    }
    let (mut ends, mut sides) = ([0; 2], 0);
    scanner.items(|scanner, side| {
        if scanner.peek() != b'"' {
            return Err(not_two());
        }
        text.push_str(&scanner.string()?);
        if let Some(end) = ends.get_mut(side) {
            *end = text.len();
        }
        sides = side + 1;
        Ok(())
    })?;
    if sides != ends.len() {
        return Err(not_two());
    }
    let [middle, end] = ends;
    Ok([start, middle, end])
}

impl Reader<'_> {
    /// Looks up all that wait.
    fn look_up(&mut self) -> Result<()> {
        let (text, waiting) = (mem::take(&mut self.text), mem::take(&mut self.waiting));
        for &[start, middle, end] in &waiting {
            self.entries.prefetch(&text[start..middle]);
            self.entries.prefetch(&text[middle..end]);
        }
        for &[start, middle, end] in &waiting {
            self.add(&text[start..middle], &text[middle..end], &text[start..end])?;
        }
        (self.text, self.waiting) = (text, waiting);
        self.text.clear();
        self.waiting.clear();
        Ok(())
    }

    fn add(&mut self, left: &str, right: &str, both: &str) -> Result<()> {
        let path = || format!("model.merges[{}]", self.merges.len());
        let missing = |spelling: &str| {
            let what = format!("needs `{spelling}`, which is no token of the vocabulary");
            Error::tokenizer(path(), what)
        };
        let id_of = |spelling| self.entries.id(spelling).ok_or_else(|| missing(spelling));
        let pair = (id_of(left)?, id_of(right)?);
        let mut made = Cow::Borrowed(both);
        if !self.prefix.is_empty() {
            let prefix = self.prefix;
            let Some(inside) = right.strip_prefix(prefix) else {
                let message = format!("has `{right}` on the right, which does not begin with `{prefix}`");
                return Err(Error::tokenizer(path(), message));
            };
            made = format!("{left}{inside}").into();
        }
        // Merges mostly stand in the order of what they make.
        let place = self.entries.find_near(self.last_made, &made);
        self.last_made = place.ok_or_else(|| missing(&made))?;
        self.merges.push((pair, self.entries.ids[self.last_made]));
        Ok(())
    }
}

fn refuse_repeated(merges: &[(Pair, u32)], entries: &Entries) -> Result<()> {
    let Some(place) = repeated(merges) else {
        return Ok(());
    };
    let spelling = |id: u32| {
        let place = entries.ids.iter().position(|&other| other == id);
        let bytes = place
            .and_then(|place| entries.spellings.get(place))
            .unwrap_or_default();
        String::from_utf8_lossy(bytes).into_owned()
    };
    let (left, right) = merges[place].0;
    let message = format!(
        "merges `{}` and `{}` a second time",
        spelling(left),
        spelling(right)
    );
    Err(Error::tokenizer(format!("model.merges[{place}]"), message))
}

/// The place of a pair that stood before. What a pair makes is the same every time, so where the merges that make a token stand
/// side by side, as in published vocabularies, it is enough to compare these few.
fn repeated(merges: &[(Pair, u32)]) -> Option<usize> {
    let largest = merges.iter().map(|&(_, made)| made).max()?;
    let mut is_made = vec![false; largest as usize + 1];
    let mut start = 0;
    for group in merges.chunk_by(|left, right| left.1 == right.1) {
        if mem::replace(&mut is_made[group[0].1 as usize], true) {
            return repeated_anywhere(merges);
        }
        let again = (1..group.len()).find(|&at| group[..at].contains(&group[at]));
        if let Some(at) = again {
            return Some(start + at);
        }
        start += group.len();
    }
    None
}

fn repeated_anywhere(merges: &[(Pair, u32)]) -> Option<usize> {
    let mut seen = FxHashSet::default();
    seen.reserve(merges.len());
    merges.iter().position(|&(pair, _)| !seen.insert(pair))
}
