//! Reading `tokenizer.json`: whatever would change the ids and is not done here is refused by name.
//!
//! The text is gone through once, unless the merges stand before the vocabulary, or have prefixes.

use super::node::Node;
use super::parts;
use super::scan::Scanner;
use super::vocabulary::Entries;
use super::{added, merges, vocabulary};
use crate::added::AddedToken;
use crate::alphabet;
use crate::error::{Error, Result};
use crate::merge::Pair;
use crate::parts::Parts;
use crate::settings::{Affixes, Decoder, Settings, Spelt, Symbols};
use crate::split::Step;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// The key of [`Affixes::prefix`].
const PREFIX: &str = "continuing_subword_prefix";

/// The large parts, and everything else.
#[derive(Default)]
struct Outline {
    root: Value,
    added: Vec<AddedToken>,
    entries: Option<Entries>,
    merges: Option<Merges>,
}

/// Merges are read by what they are made of, so before the vocabulary, and before the prefix, only their place is noted.
enum Merges {
    At(usize),
    Read(Vec<(Pair, u32)>),
}

pub(super) fn read(data: &[u8]) -> Result<Parts> {
    let outline = outline(scanner(data)?)?;
    let mut settings = settings(&outline)?;
    let missing = |key| Error::tokenizer(format!("model.{key}"), "is null, expected one");
    let entries = outline.entries.ok_or_else(|| missing("vocab"))?;
    let Some(Merges::Read(merges)) = outline.merges else {
        return Err(missing("merges"));
    };
    let added = outline.added;
    if settings.is_plainly_of_bytes(|byte| {
        entries
            .id(alphabet::char_of(byte).encode_utf8(&mut [0; 4]))
            .is_some()
    }) {
        settings.symbols = Symbols::Bytes;
    }
    let vocabulary = vocabulary::by_id(&entries, &added, &merges, &settings)?;
    if let Symbols::Characters(Spelt {
        unknown: Some(unknown),
        ..
    }) = &settings.symbols
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
    let outline = outline(scanner(data)?)?;
    Ok((settings(&outline)?, outline.added))
}

fn scanner(data: &[u8]) -> Result<Scanner<'_>> {
    let text = simdutf8::compat::from_utf8(data).map_err(|error| {
        let at = error.valid_up_to();
        Error::tokenizer(
            "tokenizer.json",
            format!("is not valid JSON: not UTF-8 at byte {at}"),
        )
    })?;
    Ok(Scanner::new(text))
}

fn settings(outline: &Outline) -> Result<Settings> {
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
    let text = |key| -> Result<Option<String>> {
        let node = model.child(key);
        let text = if node.is_null() { None } else { Some(node.text()?) };
        Ok(text.map(str::to_owned))
    };
    settings.symbols = Symbols::Characters(Spelt {
        unknown: text("unk_token")?,
        fuses_unknown: model.child("fuse_unk").flag_or(false)?,
        falls_back_to_bytes: model.child("byte_fallback").flag_or(false)?,
        is_of_bytes: is_byte_level,
        affixes: Affixes {
            prefix: text(PREFIX)?.unwrap_or_default(),
            suffix: text("end_of_word_suffix")?.unwrap_or_default(),
        },
    });
    Ok(settings)
}

fn outline(mut scanner: Scanner<'_>) -> Result<Outline> {
    let mut root = Map::new();
    let mut outline = Outline::default();
    let mut has_added = false;
    if scanner.peek() != b'{' {
        let value = scanner.value()?;
        return Err(Node::root(&value).is_not("an object"));
    }
    scanner.entries(|scanner, key| {
        match key.as_ref() {
            "added_tokens" if scanner.peek() != b'n' => {
                refuse_twice(scanner, &key, std::mem::replace(&mut has_added, true))?;
                outline.added = added::read(scanner)?;
                return Ok(());
            }
            "model" if scanner.peek() == b'{' => {
                refuse_twice(scanner, &key, root.contains_key("model"))?;
                let model = read_model_parts(scanner, &mut outline)?;
                root.insert(key.into_owned(), Value::Object(model));
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
    if let (Some(Merges::At(at)), Some(entries)) = (&outline.merges, &outline.entries) {
        let prefix = outline.root["model"][PREFIX].as_str().unwrap_or_default();
        let merges = merges::read(&mut scanner.moved_to(*at), entries, prefix)?;
        outline.merges = Some(Merges::Read(merges));
    }
    Ok(outline)
}

/// The model besides its vocabulary and merges, which go into `outline`.
fn read_model_parts(scanner: &mut Scanner<'_>, outline: &mut Outline) -> Result<Map<String, Value>> {
    let mut model = Map::new();
    scanner.entries(|scanner, key| match key.as_ref() {
        "vocab" => {
            refuse_twice(scanner, &key, outline.entries.is_some())?;
            outline.entries = Some(vocabulary::read(scanner)?);
            Ok(())
        }
        "merges" => {
            refuse_twice(scanner, &key, outline.merges.is_some())?;
            let has_no_prefix = model
                .get(PREFIX)
                .is_some_and(|prefix| prefix.is_null() || prefix == "");
            outline.merges = Some(match &outline.entries {
                Some(entries) if has_no_prefix => Merges::Read(merges::read(scanner, entries, "")?),
                _ => Merges::At(scanner.skip()?),
            });
            Ok(())
        }
        _ => insert(scanner, key, &mut model),
    })?;
    Ok(model)
}

fn insert(scanner: &mut Scanner<'_>, key: Cow<'_, str>, into: &mut Map<String, Value>) -> Result<()> {
    refuse_twice(scanner, &key, into.contains_key(key.as_ref()))?;
    into.insert(key.into_owned(), scanner.value()?);
    Ok(())
}

fn refuse_twice(scanner: &Scanner<'_>, key: &str, is_known: bool) -> Result<()> {
    if is_known {
        return Err(scanner.fails(&format!("the key `{key}` stands twice")));
    }
    Ok(())
}

/// The options of the model.
fn read_model(model: &Node<'_>) -> Result<()> {
    model.any_object()?;
    model.child("type").expect(&[json!("BPE"), Value::Null])?;
    model.object(&[
        "type",
        "dropout",
        "unk_token",
        PREFIX,
        "end_of_word_suffix",
        "fuse_unk",
        "byte_fallback",
        "ignore_merges",
    ])?;
    model.child("dropout").expect(&[Value::Null])?;
    Ok(())
}

/// The value that comes next is not what it should be.
pub(super) fn wrong(scanner: &mut Scanner<'_>, path: String, expected: &str) -> Error {
    match scanner.value() {
        Ok(value) => Node::at(path, &value).is_not(expected),
        Err(error) => error,
    }
}
