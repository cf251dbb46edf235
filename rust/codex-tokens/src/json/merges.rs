//! `model.merges`

use super::read::wrong;
use super::scan::Scanner;
use super::vocabulary::Entries;
use crate::error::{Error, Result};
use crate::merge::Pair;
use rustc_hash::FxHashSet;

/// The merges, each `"a b"` or `["a", "b"]`, and what they make: both sides, the right one without `prefix`.
pub(super) fn read(scanner: &mut Scanner<'_>, entries: &Entries, prefix: &str) -> Result<Vec<(Pair, u32)>> {
    if scanner.peek() != b'[' {
        return Err(wrong(scanner, "model.merges".to_owned(), "an array"));
    }
    let mut merges = Vec::new();
    let mut last_made = 0;
    let mut both = String::new();
    let mut sides: Vec<(usize, usize)> = Vec::with_capacity(2);
    scanner.items(|scanner, place| {
        let path = || format!("model.merges[{place}]");
        both.clear();
        // Where the left side ends in `both`.
        let middle;
        if scanner.peek() == b'"' {
            let line = scanner.string()?;
            match line.split_once(' ') {
                Some((left, right)) if !right.contains(' ') => {
                    both.push_str(left);
                    middle = both.len();
                    both.push_str(right);
                }
                _ => {
                    return Err(
                        crate::json::node::Node::at(path(), &line.as_ref().into()).is_not("two spellings")
                    );
                }
            }
        } else {
            let mut retry = scanner.clone();
            let mut not_two = || wrong(&mut retry, path(), "two spellings");
            if scanner.peek() != b'[' {
                return Err(not_two());
            }
            sides.clear();
            scanner.items(|scanner, _| {
                if scanner.peek() != b'"' {
                    return Err(not_two());
                }
                let start = both.len();
                both.push_str(&scanner.string()?);
                sides.push((start, both.len()));
                Ok(())
            })?;
            middle = match sides[..] {
                [(_, middle), _] => middle,
                _ => return Err(not_two()),
            };
        }
        let (left, right) = both.split_at(middle);
        let missing = |spelling: &str| {
            let what = format!("needs `{spelling}`, which is no token of the vocabulary");
            Error::tokenizer(path(), what)
        };
        let id_of = |spelling| entries.id(spelling).ok_or_else(|| missing(spelling));
        let pair = (id_of(left)?, id_of(right)?);
        if !prefix.is_empty() {
            let Some(inside) = right.strip_prefix(prefix) else {
                let message = format!("has `{right}` on the right, which does not begin with `{prefix}`");
                return Err(Error::tokenizer(path(), message));
            };
            both = format!("{left}{inside}");
        }
        // Merges mostly stand in the order of what they make.
        last_made = entries
            .find_near(last_made, &both)
            .ok_or_else(|| missing(&both))?;
        merges.push((pair, entries.ids[last_made]));
        Ok(())
    })?;
    refuse_repeated(&merges, entries)?;
    Ok(merges)
}

fn refuse_repeated(merges: &[(Pair, u32)], entries: &Entries) -> Result<()> {
    let mut seen = FxHashSet::default();
    seen.reserve(merges.len());
    let Some(place) = merges.iter().position(|&(pair, _)| !seen.insert(pair)) else {
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
