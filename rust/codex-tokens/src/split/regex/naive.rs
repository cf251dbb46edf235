//! Matching by definition: try one choice after the other, and come back from those that fail. As slow as the pattern wants.

use super::parse::Node;
use std::ops::Range;

/// What has to match behind a node, from the place it is given; the end of the whole match, if it does.
type Then<'a> = &'a mut dyn FnMut(usize) -> Option<usize>;

/// The end of the match that `node` begins at `at`, if there is one.
fn match_end(node: &Node, text: &str, at: usize, then: Then) -> Option<usize> {
    match node {
        Node::Set(set) => {
            let scalar = text[at..].chars().next().filter(|&scalar| set.contains(scalar))?;
            then(at + scalar.len_utf8())
        }
        Node::Sequence(nodes) => match nodes.split_first() {
            None => then(at),
            Some((first, rest)) => {
                let rest = Node::Sequence(rest.to_vec());
                match_end(first, text, at, &mut |at| match_end(&rest, text, at, then))
            }
        },
        Node::Choice(nodes) => nodes.iter().find_map(|node| match_end(node, text, at, then)),
        Node::Repeat {
            node,
            min,
            max,
            is_lazy,
        } => {
            let again = Node::Repeat {
                node: node.clone(),
                min: min.saturating_sub(1),
                max: max.map(|max| max.saturating_sub(1)),
                is_lazy: *is_lazy,
            };
            let may_stop = *min == 0;
            if may_stop
                && *is_lazy
                && let Some(end) = then(at)
            {
                return Some(end);
            }
            if *max != Some(0)
                && let Some(end) = match_end(node, text, at, &mut |at| match_end(&again, text, at, then))
            {
                return Some(end);
            }
            if may_stop && !is_lazy { then(at) } else { None }
        }
        Node::Ahead { holds, node } => {
            if match_end(node, text, at, &mut Some).is_some() == *holds {
                then(at)
            } else {
                None
            }
        }
        Node::Behind { holds, set } => {
            let is_behind = text[..at]
                .chars()
                .next_back()
                .is_some_and(|scalar| set.contains(scalar));
            if is_behind == *holds { then(at) } else { None }
        }
        Node::Start => {
            if at == 0 {
                then(at)
            } else {
                None
            }
        }
        Node::End => {
            if at == text.len() {
                then(at)
            } else {
                None
            }
        }
    }
}

/// All matches, as Oniguruma's crate goes from one to the next.
pub(super) fn find_all(node: &Node, text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while at <= text.len() {
        let next = text[at..].chars().next().map_or(1, char::len_utf8);
        match match_end(node, text, at, &mut Some) {
            Some(end) if end > at => {
                found.push(at..end);
                at = end;
            }
            Some(end) if found.last().is_none_or(|last| last.end != end) => found.push(at..end),
            _ => at += next,
        }
    }
    found
}
