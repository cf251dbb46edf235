//! `normalizer`

use super::{members, pattern_value, read_pattern, sequence};
use crate::error::Result;
use crate::json::node::Node;
use crate::normalize::{Form, Normalizer, Wanted};
use serde_json::{Value, json};

const LIST: &str = "normalizers";

pub(super) fn read(node: &Node<'_>) -> Result<Vec<Normalizer>> {
    members(node, LIST)?.iter().map(read_one).collect()
}

fn read_one(node: &Node<'_>) -> Result<Normalizer> {
    let plain = |normalizer| node.object(&["type"]).map(|_| normalizer);
    match node.kind()? {
        "NFC" => plain(Normalizer::Form(Form::Nfc)),
        "NFD" => plain(Normalizer::Form(Form::Nfd)),
        "NFKC" => plain(Normalizer::Form(Form::Nfkc)),
        "NFKD" => plain(Normalizer::Form(Form::Nfkd)),
        "Lowercase" => plain(Normalizer::Lowercase),
        "StripAccents" => plain(Normalizer::StripAccents),
        "Strip" => {
            node.object(&["type", "strip_left", "strip_right"])?;
            Ok(Normalizer::Strip {
                left: node.child("strip_left").flag()?,
                right: node.child("strip_right").flag()?,
            })
        }
        "Prepend" => {
            node.object(&["type", "prepend"])?;
            Ok(Normalizer::Prepend(node.child("prepend").text()?.to_owned()))
        }
        "Replace" => {
            node.object(&["type", "pattern", "content"])?;
            let pattern = node.child("pattern");
            let unusable = |error| pattern.says(format!("cannot be used: {error}"));
            Ok(Normalizer::Replace {
                wanted: Wanted::of(read_pattern(&pattern)?).map_err(unusable)?,
                content: node.child("content").text()?.to_owned(),
            })
        }
        _ => Err(node.child("type").is_not(
            "`NFC`, `NFD`, `NFKC`, `NFKD`, `Lowercase`, `Strip`, `StripAccents`, `Replace`, `Prepend` or `Sequence`",
        )),
    }
}

pub(super) fn to_value(normalizers: &[Normalizer]) -> Value {
    sequence(normalizers.iter().map(one_value).collect(), LIST)
}

fn one_value(normalizer: &Normalizer) -> Value {
    match normalizer {
        Normalizer::Form(Form::Nfc) => json!({"type": "NFC"}),
        Normalizer::Form(Form::Nfd) => json!({"type": "NFD"}),
        Normalizer::Form(Form::Nfkc) => json!({"type": "NFKC"}),
        Normalizer::Form(Form::Nfkd) => json!({"type": "NFKD"}),
        Normalizer::Lowercase => json!({"type": "Lowercase"}),
        Normalizer::StripAccents => json!({"type": "StripAccents"}),
        Normalizer::Strip { left, right } => {
            json!({"type": "Strip", "strip_left": left, "strip_right": right})
        }
        Normalizer::Prepend(prefix) => json!({"type": "Prepend", "prepend": prefix}),
        Normalizer::Replace { wanted, content } => {
            json!({"type": "Replace", "pattern": pattern_value(wanted.pattern()), "content": content})
        }
    }
}
