//! `decoder`

use super::pre_tokenizer::{metaspace_value, read_metaspace};
use super::{members, pattern_value, read_pattern, sequence};
use crate::error::Result;
use crate::json::node::Node;
use crate::settings::Decoder;
use crate::split::Pattern;
use serde_json::{Value, json};

const LIST: &str = "decoders";

pub(super) fn read(node: &Node<'_>) -> Result<Vec<Decoder>> {
    let decoders = members(node, LIST)?
        .iter()
        .map(read_one)
        .collect::<Result<Vec<_>>>()?;
    let byte_level = decoders.iter().position(|decoder| *decoder == Decoder::ByteLevel);
    let stands_last = |at| {
        let is_replace = |decoder: &Decoder| matches!(decoder, Decoder::Replace { .. });
        at + 1 == decoders.len() && decoders[..at].iter().all(is_replace)
    };
    if decoders.is_empty() || !byte_level.is_none_or(stands_last) {
        return Err(
            node.is_not("one `ByteLevel`, `Replace` before it, or what decodes a vocabulary of characters")
        );
    }
    Ok(decoders)
}

fn read_one(node: &Node<'_>) -> Result<Decoder> {
    match node.kind()? {
        "ByteLevel" => {
            node.object(&["type", "add_prefix_space", "trim_offsets", "use_regex"])?;
            Ok(Decoder::ByteLevel)
        }
        "ByteFallback" => node.object(&["type"]).map(|_| Decoder::ByteFallback),
        "Fuse" => node.object(&["type"]).map(|_| Decoder::Fuse),
        "Metaspace" => read_metaspace(node).map(Decoder::Metaspace),
        "Strip" => {
            node.object(&["type", "content", "start", "stop"])?;
            let (start, stop) = (node.child("start").index()?, node.child("stop").index()?);
            let content = node.child("content").character()?;
            if stop != 0 {
                return Err(node.child("stop").is_not("0"));
            }
            Ok(Decoder::Strip { content, start, stop })
        }
        "Replace" => {
            node.object(&["type", "pattern", "content"])?;
            let pattern = node.child("pattern");
            match read_pattern(&pattern)? {
                Pattern::Literal(text) => Ok(Decoder::Replace {
                    pattern: text,
                    content: node.child("content").text()?.to_owned(),
                }),
                Pattern::Regex(..) => {
                    Err(pattern.is_not("a `String`: a regular expression is not replaced here"))
                }
            }
        }
        _ => Err(node
            .child("type")
            .is_not("`ByteLevel`, `Replace`, `ByteFallback`, `Fuse`, `Strip`, `Metaspace` or `Sequence`")),
    }
}

pub(super) fn to_value(decoders: &[Decoder]) -> Value {
    sequence(decoders.iter().map(one_value).collect(), LIST)
}

fn one_value(decoder: &Decoder) -> Value {
    match decoder {
        Decoder::ByteLevel => json!({
            "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true,
        }),
        Decoder::ByteFallback => json!({"type": "ByteFallback"}),
        Decoder::Fuse => json!({"type": "Fuse"}),
        Decoder::Metaspace(metaspace) => metaspace_value(metaspace),
        Decoder::Strip { content, start, stop } => {
            json!({"type": "Strip", "content": content, "start": start, "stop": stop})
        }
        Decoder::Replace { pattern, content } => {
            let pattern = pattern_value(&Pattern::Literal(pattern.clone()));
            json!({"type": "Replace", "pattern": pattern, "content": content})
        }
    }
}
