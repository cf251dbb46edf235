//! Reading `tokenizer.json`: whatever would change the ids and is not done here is refused by name.
//!
//! The text is gone through twice: once for the settings and where the large parts lie, then in each of those.

use super::node::Node;
use super::parts;
use super::scan::Scanner;
use super::{added, merges, vocabulary};
use crate::added::AddedToken;
use crate::error::{Error, Result};
use crate::settings::{Decoder, Settings, Symbols};
use crate::split::Step;
use crate::tokenizer::Parts;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// Where the large parts begin, and everything else.
struct Outline {
    root: Value,
    added_tokens: Option<usize>,
    vocab: Option<usize>,
    merges: Option<usize>,
}

pub(super) fn read(data: &[u8]) -> Result<Parts> {
    let scanner = scanner(data)?;
    let outline = outline(scanner.clone())?;
    let (settings, added) = settings(&scanner, &outline)?;
    let part = |at: Option<usize>, key| {
        let missing = || Error::tokenizer(format!("model.{key}"), "is null, expected one");
        at.map(|at| scanner.moved_to(at)).ok_or_else(missing)
    };
    let entries = vocabulary::read(part(outline.vocab, "vocab")?)?;
    let merges = merges::read(part(outline.merges, "merges")?, &entries)?;
    let vocabulary = vocabulary::by_id(&entries, &added, &merges, &settings)?;
    if let Symbols::Characters {
        unknown: Some(unknown),
        ..
    } = &settings.symbols
        && entries.id(unknown).is_none()
    {
        let what = format!("is `{unknown}`, which is no token of the vocabulary");
        return Err(Error::tokenizer("model.unk_token", what));
    }
    Ok(Parts {
        vocabulary,
        merges,
        added,
        settings,
    })
}

/// What a document says besides its vocabulary and merges, which are not looked at.
pub(super) fn read_settings(data: &[u8]) -> Result<(Settings, Vec<AddedToken>)> {
    let scanner = scanner(data)?;
    settings(&scanner, &outline(scanner.clone())?)
}

fn scanner(data: &[u8]) -> Result<Scanner<'_>> {
    let text = std::str::from_utf8(data).map_err(|error| {
        let at = error.valid_up_to();
        Error::tokenizer(
            "tokenizer.json",
            format!("is not valid JSON: not UTF-8 at byte {at}"),
        )
    })?;
    Ok(Scanner::new(text))
}

fn settings(scanner: &Scanner<'_>, outline: &Outline) -> Result<(Settings, Vec<AddedToken>)> {
    let root = Node::root(&outline.root);
    root.child("version").expect(&[json!("1.0"), Value::Null])?;
    for unsupported in ["truncation", "padding"] {
        root.child(unsupported).expect(&[Value::Null])?;
    }
    let model = root.child("model");
    read_model(&model)?;
    let mut settings = parts::read(&root)?;
    let is_byte_level = settings.steps.iter().any(Step::is_byte_level);
    if is_byte_level != settings.decoders.contains(&Decoder::ByteLevel) {
        let expected = if is_byte_level {
            "a `ByteLevel`, as the pre-tokenizer"
        } else {
            "no `ByteLevel`, as the pre-tokenizer"
        };
        return Err(root.child("decoder").is_not(expected));
    }
    settings.ignore_merges = model.child("ignore_merges").flag_or(false)?;
    if !is_byte_level {
        let unknown = model.child("unk_token");
        settings.symbols = Symbols::Characters {
            unknown: if unknown.is_null() {
                None
            } else {
                Some(unknown.text()?.to_owned())
            },
            fuses_unknown: model.child("fuse_unk").flag_or(false)?,
            falls_back_to_bytes: model.child("byte_fallback").flag_or(false)?,
        };
    }
    let added = outline.added_tokens.map(|at| added::read(scanner.moved_to(at)));
    Ok((settings, added.unwrap_or(Ok(Vec::new()))?))
}

fn outline(mut scanner: Scanner<'_>) -> Result<Outline> {
    let mut root = Map::new();
    let mut outline = Outline {
        root: Value::Null,
        added_tokens: None,
        vocab: None,
        merges: None,
    };
    if scanner.peek() != b'{' {
        let value = scanner.value()?;
        return Err(Node::root(&value).is_not("an object"));
    }
    scanner.entries(|scanner, key| {
        match key.as_ref() {
            "added_tokens" if scanner.peek() != b'n' => {
                return place(scanner, &key, &mut outline.added_tokens);
            }
            "model" if scanner.peek() == b'{' => {
                let mut model = Map::new();
                scanner.entries(|scanner, key| match key.as_ref() {
                    "vocab" => place(scanner, &key, &mut outline.vocab),
                    "merges" => place(scanner, &key, &mut outline.merges),
                    _ => insert(scanner, key, &mut model),
                })?;
                if root.insert(key.to_string(), Value::Object(model)).is_some() {
                    return Err(twice(scanner, &key));
                }
                return Ok(());
            }
            "version" | "truncation" | "padding" | "added_tokens" | "model" => {}
            other if parts::KEYS.contains(&other) => {}
            other => return Err(Error::tokenizer(other, "is not known")),
        }
        insert(scanner, key, &mut root)
    })?;
    scanner.end()?;
    outline.root = Value::Object(root);
    Ok(outline)
}

fn insert(scanner: &mut Scanner<'_>, key: Cow<'_, str>, into: &mut Map<String, Value>) -> Result<()> {
    if into.contains_key(key.as_ref()) {
        return Err(twice(scanner, &key));
    }
    into.insert(key.into_owned(), scanner.value()?);
    Ok(())
}

fn place(scanner: &mut Scanner<'_>, key: &str, place: &mut Option<usize>) -> Result<()> {
    match place.replace(scanner.skip()?) {
        None => Ok(()),
        Some(_) => Err(twice(scanner, key)),
    }
}

fn twice(scanner: &Scanner<'_>, key: &str) -> Error {
    scanner.fails(&format!("the key `{key}` stands twice"))
}

/// The options of the model.
fn read_model(model: &Node<'_>) -> Result<()> {
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
    ])?;
    model.child("dropout").expect(&[Value::Null])?;
    for affix in ["continuing_subword_prefix", "end_of_word_suffix"] {
        model.child(affix).expect(&[Value::Null, json!("")])?;
    }
    Ok(())
}

/// The value that comes next is not what it should be.
pub(super) fn wrong(scanner: &mut Scanner<'_>, path: String, expected: &str) -> Error {
    match scanner.value() {
        Ok(value) => Node::at(path, &value).is_not(expected),
        Err(error) => error,
    }
}
