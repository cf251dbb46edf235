//! `added_tokens`

use super::node::Node;
use super::read::wrong;
use super::scan::Scanner;
use crate::added::AddedToken;
use crate::error::{Error, Result};
use crate::vocabulary::{Index, Strings};
use serde_json::{Value, json};

/// The tokens in the order of the file, with the ids it declares.
pub(super) fn read(scanner: &mut Scanner<'_>) -> Result<Vec<AddedToken>> {
    let mut tokens = Vec::new();
    let (mut contents, mut index) = (Strings::default(), Index::default());
    if scanner.peek() != b'[' {
        return Err(wrong(scanner, "added_tokens".to_owned(), "an array"));
    }
    scanner.items(|scanner, place| {
        let token = read_one(scanner, place)?;
        contents.push(token.content.as_bytes());
        if index.insert_last(&contents).is_some() {
            return Err(Error::tokenizer(path(place, "content"), "is given twice"));
        }
        tokens.push(token);
        Ok(())
    })?;
    Ok(tokens)
}

fn read_one(scanner: &mut Scanner<'_>, place: usize) -> Result<AddedToken> {
    let (mut id, mut content) = (None, None);
    let [
        mut single_word,
        mut lstrip,
        mut rstrip,
        mut normalized,
        mut special,
    ] = [None; 5];
    if scanner.peek() != b'{' {
        return Err(wrong(scanner, format!("added_tokens[{place}]"), "an object"));
    }
    scanner.entries(|scanner, key| {
        let flag = match key.as_ref() {
            "id" => {
                let Some(found) = scanner.id() else {
                    return Err(wrong(scanner, path(place, "id"), "an id"));
                };
                return once(id.replace(found).is_some(), place, &key);
            }
            "content" => {
                let found = if scanner.peek() == b'"' {
                    scanner.string()?
                } else {
                    "".into()
                };
                if found.is_empty() {
                    return Err(empty(scanner, place));
                }
                return once(content.replace(found.into_owned()).is_some(), place, &key);
            }
            "single_word" => &mut single_word,
            "lstrip" => &mut lstrip,
            "rstrip" => &mut rstrip,
            "normalized" => &mut normalized,
            "special" => &mut special,
            other => return Err(Error::tokenizer(path(place, other), "is not known")),
        };
        let found = scanner.value()?;
        let found = Node::at(path(place, &key), &found).flag()?;
        once(flag.replace(found).is_some(), place, &key)
    })?;
    let missing = |key: &'static str, expected: &'static str| {
        move || Node::at(path(place, key), &Value::Null).is_not(expected)
    };
    let flag = |flag: Option<bool>, key| flag.ok_or_else(missing(key, "true or false"));
    Ok(AddedToken {
        id: id.ok_or_else(missing("id", "an id"))?,
        content: content.ok_or_else(missing("content", "a text"))?,
        single_word: flag(single_word, "single_word")?,
        lstrip: flag(lstrip, "lstrip")?,
        rstrip: flag(rstrip, "rstrip")?,
        normalized: flag(normalized, "normalized")?,
        special: flag(special, "special")?,
    })
}

fn empty(scanner: &mut Scanner<'_>, place: usize) -> Error {
    let path = path(place, "content");
    match scanner.peek() {
        b',' | b'}' => Node::at(path, &json!("")).is_not("a text"),
        _ => wrong(scanner, path, "a text"),
    }
}

fn once(stood_before: bool, place: usize, key: &str) -> Result<()> {
    if stood_before {
        return Err(Error::tokenizer(path(place, key), "stands twice"));
    }
    Ok(())
}

fn path(place: usize, key: &str) -> String {
    format!("added_tokens[{place}].{key}")
}
