//! Reading `tokenizer.json`: whatever would change the ids and is not done here is refused by name.

use super::node::Node;
use crate::alphabet;
use crate::error::{Error, Result};
use crate::merge::Pair;
use crate::tokenizer::Token;
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::{Value, json};

/// The tokens by id, and the merges with what they make.
pub(super) type Parts = (Vec<Token>, Vec<(Pair, u32)>);

pub(super) fn parts(data: &[u8]) -> Result<Parts> {
    let value = codex_file::json::parse(data)
        .map_err(|error| Error::tokenizer("tokenizer.json", error.to_string()))?;
    let root = Node::root(&value);
    root.object(&[
        "version",
        "truncation",
        "padding",
        "added_tokens",
        "normalizer",
        "pre_tokenizer",
        "post_processor",
        "decoder",
        "model",
    ])?;
    root.child("version").expect(&[json!("1.0"), Value::Null])?;
    for unsupported in ["truncation", "padding", "normalizer"] {
        root.child(unsupported).expect(&[Value::Null])?;
    }
    let pre_tokenizer = root.child("pre_tokenizer");
    byte_level(&pre_tokenizer)?;
    pre_tokenizer.child("add_prefix_space").expect(&[json!(false)])?;
    pre_tokenizer
        .child("use_regex")
        .expect(&[json!(true), Value::Null])?;
    byte_level(&root.child("decoder"))?;
    let post_processor = root.child("post_processor");
    if !post_processor.is_null() {
        byte_level(&post_processor)?;
    }

    let model = root.child("model");
    settings(&model)?;
    let specials = special_tokens(&root.child("added_tokens"))?;
    let tokens = vocabulary(&model.child("vocab"), &specials)?;
    let merges = merges(&model.child("merges"), &tokens)?;
    Ok((tokens, merges))
}

/// Checks that `node` is a `ByteLevel` part; as decoder and post-processor its flags change no id.
fn byte_level(node: &Node<'_>) -> Result<()> {
    node.any_object()?;
    node.child("type").expect(&[json!("ByteLevel")])?;
    node.object(&["type", "add_prefix_space", "trim_offsets", "use_regex"])
        .map(drop)
}

/// The options of the model. With all 256 bytes in the vocabulary nothing is ever unknown, so those of `unk` do not matter.
fn settings(model: &Node<'_>) -> Result<()> {
    model.any_object()?;
    model.child("type").expect(&[json!("BPE"), Value::Null])?;
    model.object(&[
        "type",
        "dropout",
        "unk_token",
        "continuing_subword_prefix",
        "end_of_word_suffix",
        "fuse_unk",
        "byte_fallback",
        "ignore_merges",
        "vocab",
        "merges",
    ])?;
    model.child("dropout").expect(&[Value::Null])?;
    for affix in ["continuing_subword_prefix", "end_of_word_suffix"] {
        model.child(affix).expect(&[Value::Null, json!("")])?;
    }
    model.child("ignore_merges").expect(&[json!(false), Value::Null])
}

/// The texts of the special tokens with their declared ids, in the order of the file.
fn special_tokens<'a>(added: &Node<'a>) -> Result<Vec<(usize, &'a str)>> {
    let mut specials = Vec::new();
    let mut seen = FxHashSet::default();
    let mut normalized = None;
    if added.is_null() {
        return Ok(specials);
    }
    for token in added.items()? {
        token.object(&[
            "id",
            "content",
            "single_word",
            "lstrip",
            "rstrip",
            "normalized",
            "special",
        ])?;
        for flag in ["single_word", "lstrip", "rstrip"] {
            token.child(flag).expect(&[json!(false)])?;
        }
        token.child("special").expect(&[json!(true)])?;
        // Without a normalizer it does not matter, unless tokens differ in it: then one kind is looked for before the other.
        let flag = token.child("normalized").flag()?;
        token
            .child("normalized")
            .expect(&[json!(*normalized.get_or_insert(flag))])?;
        let content = token.child("content");
        let text = content.text()?;
        if text.is_empty() {
            return Err(content.is_not("a text"));
        }
        if !seen.insert(text) {
            return Err(content.says("is given twice"));
        }
        specials.push((token.child("id").index()?, text));
    }
    Ok(specials)
}

/// The tokens by id: those of the vocabulary without a hole, then the special tokens that it does not hold.
fn vocabulary(vocabulary: &Node<'_>, specials: &[(usize, &str)]) -> Result<Vec<Token>> {
    let entries = vocabulary.any_object()?;
    let special_ids: FxHashMap<&str, usize> = specials.iter().map(|&(id, text)| (text, id)).collect();
    let mut tokens: Vec<Option<Token>> = vec![None; entries.len()];
    let mut has_byte = [false; 256];
    for spelling in entries.keys() {
        let entry = vocabulary.child(spelling);
        let id = entry.index()?;
        let token = if let Some(&declared) = special_ids.get(spelling.as_str()) {
            if declared != id {
                return Err(entry.says(format!("is {id}, but {declared} in `added_tokens`")));
            }
            Token::Special(spelling.clone())
        } else {
            let bytes = alphabet::unspell(spelling).filter(|bytes| !bytes.is_empty());
            Token::Bytes(bytes.ok_or_else(|| entry.says("is not spelt in the byte-level alphabet"))?)
        };
        if let [byte] = *token.bytes() {
            has_byte[usize::from(byte)] |= matches!(token, Token::Bytes(_));
        }
        match tokens.get_mut(id) {
            Some(slot @ None) => *slot = Some(token),
            Some(Some(_)) => return Err(entry.says(format!("is {id}, which another token has too"))),
            None => {
                return Err(entry.says(format!(
                    "is {id}, expected below {} (a hole in the ids)",
                    entries.len()
                )));
            }
        }
    }
    if let Some(missing) = (0..=u8::MAX).find(|&byte| !has_byte[usize::from(byte)]) {
        let spelling = alphabet::char_of(missing);
        return Err(vocabulary.says(format!("lacks `{spelling}`, the token of byte 0x{missing:02x}")));
    }
    let mut tokens: Vec<Token> = tokens.into_iter().flatten().collect();
    for &(id, text) in specials.iter().filter(|(_, text)| !entries.contains_key(*text)) {
        if id != tokens.len() {
            let wanted = tokens.len();
            return Err(Error::tokenizer(
                "added_tokens",
                format!("gives `{text}` the id {id}, expected {wanted}, the next one"),
            ));
        }
        tokens.push(Token::Special(text.to_owned()));
    }
    Ok(tokens)
}

/// The merges, each `"a b"` or `["a", "b"]`.
fn merges(merges: &Node<'_>, tokens: &[Token]) -> Result<Vec<(Pair, u32)>> {
    let ids: FxHashMap<&[u8], u32> = tokens
        .iter()
        .zip(0..)
        .filter_map(|(token, id)| match token {
            Token::Bytes(bytes) => Some((bytes.as_slice(), id)),
            Token::Special(_) => None,
        })
        .collect();
    let mut seen = FxHashSet::default();
    let mut learnt = Vec::new();
    for merge in merges.items()? {
        let (left, right) = sides(&merge)?;
        let id_of = |spelling: &str| {
            let id = alphabet::unspell(spelling).and_then(|bytes| ids.get(bytes.as_slice()).copied());
            id.ok_or_else(|| {
                merge.says(format!(
                    "needs `{spelling}`, which is no ordinary token of the vocabulary"
                ))
            })
        };
        let pair = (id_of(left)?, id_of(right)?);
        let made = id_of(&format!("{left}{right}"))?;
        if !seen.insert(pair) {
            return Err(merge.says(format!("merges `{left}` and `{right}` a second time")));
        }
        learnt.push((pair, made));
    }
    Ok(learnt)
}

fn sides<'a>(merge: &Node<'a>) -> Result<(&'a str, &'a str)> {
    let sides: Vec<&str> = match merge.text() {
        Ok(line) => line.split(' ').collect(),
        Err(_) => merge
            .items()
            .and_then(|items| items.map(|side| side.text()).collect())
            .unwrap_or_default(),
    };
    match sides[..] {
        [left, right] => Ok((left, right)),
        _ => Err(merge.is_not("two spellings")),
    }
}
