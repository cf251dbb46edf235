//! The parts of a `tokenizer.json` that are settings: each is read strictly, and written as `tokenizers` writes it.

mod decoder;
mod normalizer;
mod post_processor;
mod pre_tokenizer;

use super::node::Node;
use crate::error::Result;
use crate::load::dialect;
use crate::settings::Settings;
use crate::split::Pattern;
use serde_json::{Value, json};

/// The keys that are read here.
pub(super) const KEYS: [&str; 4] = ["normalizer", "pre_tokenizer", "post_processor", "decoder"];

/// The settings that `root` has under [`KEYS`].
pub(super) fn read(root: &Node<'_>) -> Result<Settings> {
    let (metaspace, steps) = pre_tokenizer::read(&root.child("pre_tokenizer"))?;
    Ok(Settings {
        normalizers: normalizer::read(&root.child("normalizer"))?,
        metaspace,
        steps,
        processors: post_processor::read(&root.child("post_processor"))?,
        decoders: decoder::read(&root.child("decoder"))?,
        ..Settings::default()
    })
}

/// What stands under `key`, one of [`KEYS`].
pub(super) fn to_value(settings: &Settings, key: &str) -> Value {
    match key {
        "normalizer" => normalizer::to_value(&settings.normalizers),
        "pre_tokenizer" => pre_tokenizer::to_value(settings.metaspace.as_ref(), &settings.steps),
        "post_processor" => post_processor::to_value(&settings.processors),
        _ => decoder::to_value(&settings.decoders),
    }
}

/// The members of a part: none of null, those of a `Sequence`, which stand under `key`, or the one that it is.
fn members<'a>(node: &Node<'a>, key: &str) -> Result<Vec<Node<'a>>> {
    if node.is_null() {
        return Ok(Vec::new());
    }
    if node.kind()? != "Sequence" {
        return Ok(vec![node.clone()]);
    }
    node.object(&["type", key])?;
    let mut all = Vec::new();
    for member in node.child(key).items()? {
        all.append(&mut members(&member, key)?);
    }
    Ok(all)
}

/// What [`members`] reads.
fn sequence(mut members: Vec<Value>, key: &str) -> Value {
    match members.len() {
        0 => Value::Null,
        1 => members.remove(0),
        _ => json!({"type": "Sequence", key: members}),
    }
}

fn read_pattern(node: &Node<'_>) -> Result<Pattern> {
    let pattern = node.object(&["String", "Regex"])?;
    match pattern.keys().next().map(String::as_str) {
        Some(key @ "String") if pattern.len() == 1 => {
            let child = node.child(key);
            let text = child.text()?;
            if text.is_empty() {
                return Err(child.is_not("a text"));
            }
            Ok(Pattern::Literal(text.to_owned()))
        }
        Some(key @ "Regex") if pattern.len() == 1 => {
            Ok(dialect::from_json(node.child(key).text()?.to_owned()))
        }
        _ => Err(node.is_not("one `String` or `Regex`")),
    }
}

fn pattern_value(pattern: &Pattern) -> Value {
    match pattern {
        Pattern::Literal(text) => json!({"String": text}),
        Pattern::Regex(regex, engine) => match dialect::to_json(regex, *engine) {
            Some(regex) => json!({"Regex": regex}),
            // `Tokenizer::to_json` refuses it; the fingerprint is of it nevertheless.
            None => json!({"Tiktoken": regex}),
        },
    }
}
