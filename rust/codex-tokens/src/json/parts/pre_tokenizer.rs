//! `pre_tokenizer`

use super::{members, pattern_value, read_pattern, sequence};
use crate::error::Result;
use crate::json::node::Node;
use crate::normalize::{Metaspace, Prepend};
use crate::split::{Behavior, Step};
use serde_json::{Value, json};

const LIST: &str = "pretokenizers";

const BEHAVIORS: [(&str, Behavior); 5] = [
    ("Removed", Behavior::Removed),
    ("Isolated", Behavior::Isolated),
    ("MergedWithPrevious", Behavior::MergedWithPrevious),
    ("MergedWithNext", Behavior::MergedWithNext),
    ("Contiguous", Behavior::Contiguous),
];

const SCHEMES: [(&str, Prepend); 3] = [
    ("always", Prepend::Always),
    ("first", Prepend::First),
    ("never", Prepend::Never),
];

/// A `Metaspace` rewrites the text, so it has to come first.
pub(super) fn read(node: &Node<'_>) -> Result<(Option<Metaspace>, Vec<Step>)> {
    let members = members(node, LIST)?;
    let mut metaspace = None;
    let mut steps = Vec::new();
    for (at, member) in members.iter().enumerate() {
        match member.kind()? {
            "Metaspace" if at > 0 => {
                return Err(member.says("is a `Metaspace` behind others, expected first"));
            }
            "Metaspace" => metaspace = Some(read_metaspace(member)?),
            _ => steps.push(read_step(member)?),
        }
    }
    Ok((metaspace, steps))
}

fn read_step(node: &Node<'_>) -> Result<Step> {
    match node.kind()? {
        "ByteLevel" => {
            node.object(&["type", "add_prefix_space", "trim_offsets", "use_regex"])?;
            Ok(Step::ByteLevel {
                use_regex: node.child("use_regex").flag_or(true)?,
                add_prefix_space: node.child("add_prefix_space").flag()?,
            })
        }
        "Split" => {
            node.object(&["type", "pattern", "behavior", "invert"])?;
            Ok(Step::Split {
                pattern: read_pattern(&node.child("pattern"))?,
                behavior: read_behavior(&node.child("behavior"))?,
                invert: node.child("invert").flag()?,
            })
        }
        "Digits" => {
            node.object(&["type", "individual_digits"])?;
            let individual = node.child("individual_digits").flag()?;
            Ok(Step::Digits { individual })
        }
        "Punctuation" => {
            node.object(&["type", "behavior"])?;
            let behavior = node.child("behavior");
            let behavior = if behavior.is_null() { Behavior::Isolated } else { read_behavior(&behavior)? };
            Ok(Step::Punctuation { behavior })
        }
        "Whitespace" => node.object(&["type"]).map(|_| Step::Whitespace),
        "WhitespaceSplit" => node.object(&["type"]).map(|_| Step::WhitespaceSplit),
        _ => Err(node.child("type").is_not(
            "`ByteLevel`, `Split`, `Digits`, `Punctuation`, `Whitespace`, `WhitespaceSplit`, `Metaspace` or `Sequence`",
        )),
    }
}

fn read_behavior(node: &Node<'_>) -> Result<Behavior> {
    node.one_of(&BEHAVIORS)
}

/// Also the decoder of that name.
pub(super) fn read_metaspace(node: &Node<'_>) -> Result<Metaspace> {
    // Files from before `prepend_scheme` have `add_prefix_space`, and `str_rep` beside `replacement`.
    node.object(&[
        "type",
        "replacement",
        "prepend_scheme",
        "split",
        "add_prefix_space",
        "str_rep",
    ])?;
    let replacement = node.child("replacement").character()?;
    let scheme = node.child("prepend_scheme");
    let older = node.child("add_prefix_space").flag_or(true)?;
    let prepend = match scheme.is_null() {
        false => scheme.one_of(&SCHEMES)?,
        true if older => Prepend::Always,
        true => Prepend::Never,
    };
    let split = node.child("split").flag_or(true)?;
    Ok(Metaspace {
        replacement,
        prepend,
        split,
    })
}

pub(super) fn to_value(metaspace: Option<&Metaspace>, steps: &[Step]) -> Value {
    let metaspace = metaspace.map(metaspace_value);
    sequence(
        metaspace
            .into_iter()
            .chain(steps.iter().map(step_value))
            .collect(),
        LIST,
    )
}

pub(super) fn metaspace_value(metaspace: &Metaspace) -> Value {
    let Metaspace {
        replacement,
        prepend,
        split,
    } = metaspace;
    let scheme = name_of(&SCHEMES, prepend);
    json!({"type": "Metaspace", "replacement": replacement, "prepend_scheme": scheme, "split": split})
}

fn step_value(step: &Step) -> Value {
    match step {
        Step::ByteLevel {
            use_regex,
            add_prefix_space,
        } => json!({
            "type": "ByteLevel", "add_prefix_space": add_prefix_space, "trim_offsets": true, "use_regex": use_regex,
        }),
        Step::Split {
            pattern,
            behavior,
            invert,
        } => json!({
            "type": "Split", "pattern": pattern_value(pattern), "behavior": name_of(&BEHAVIORS, behavior), "invert": invert,
        }),
        Step::Digits { individual } => json!({"type": "Digits", "individual_digits": individual}),
        Step::Punctuation { behavior } => {
            json!({"type": "Punctuation", "behavior": name_of(&BEHAVIORS, behavior)})
        }
        Step::Whitespace => json!({"type": "Whitespace"}),
        Step::WhitespaceSplit => json!({"type": "WhitespaceSplit"}),
    }
}

fn name_of<T: PartialEq>(names: &[(&'static str, T)], value: &T) -> &'static str {
    names
        .iter()
        .find(|(_, named)| named == value)
        .map_or("", |&(name, _)| name)
}
