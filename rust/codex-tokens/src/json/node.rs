//! A place in a JSON document that knows its path, so that every fault names it.

use crate::error::{Error, Result};
use serde_json::{Map, Value};
use std::fmt::Write;

/// A value and where it stands, such as `model.merges[7]`.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    path: String,
    value: &'a Value,
}

impl<'a> Node<'a> {
    pub(super) fn root(value: &'a Value) -> Self {
        Self {
            path: String::new(),
            value,
        }
    }

    /// A value that stands at `path`.
    pub(super) fn at(path: String, value: &'a Value) -> Self {
        Self { path, value }
    }

    /// The object here; a key that is not in `known` is refused.
    pub(super) fn object(&self, known: &[&str]) -> Result<&'a Map<String, Value>> {
        let object = self.any_object()?;
        if let Some(key) = object.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(self.child(key).says("is not known"));
        }
        Ok(object)
    }

    /// The object here, whatever its keys.
    pub(super) fn any_object(&self) -> Result<&'a Map<String, Value>> {
        self.value.as_object().ok_or_else(|| self.is_not("an object"))
    }

    /// The value under `key`; null where there is none, as `tokenizers` has it.
    pub(super) fn child(&self, key: &str) -> Self {
        const NULL: &Value = &Value::Null;
        let path = if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        };
        Self {
            path,
            value: self.value.get(key).unwrap_or(NULL),
        }
    }

    /// The entries of the array here.
    pub(super) fn items(&self) -> Result<impl Iterator<Item = Self>> {
        let items = self.value.as_array().ok_or_else(|| self.is_not("an array"))?;
        Ok(items.iter().enumerate().map(|(at, value)| Self {
            path: format!("{}[{at}]", self.path),
            value,
        }))
    }

    pub(super) fn text(&self) -> Result<&'a str> {
        self.value.as_str().ok_or_else(|| self.is_not("a string"))
    }

    pub(super) fn flag(&self) -> Result<bool> {
        self.value.as_bool().ok_or_else(|| self.is_not("true or false"))
    }

    /// True or false, or `default` where there is none.
    pub(super) fn flag_or(&self, default: bool) -> Result<bool> {
        if self.is_null() { Ok(default) } else { self.flag() }
    }

    pub(super) fn id(&self) -> Result<u32> {
        let id = self.value.as_u64().and_then(|id| u32::try_from(id).ok());
        id.ok_or_else(|| self.is_not("an id"))
    }

    pub(super) fn index(&self) -> Result<usize> {
        self.id().map(|index| index as usize)
    }

    pub(super) fn character(&self) -> Result<char> {
        let mut characters = self.text()?.chars();
        match (characters.next(), characters.next()) {
            (Some(character), None) => Ok(character),
            _ => Err(self.is_not("one character")),
        }
    }

    /// What the text here names.
    pub(super) fn one_of<T: Clone>(&self, names: &[(&str, T)]) -> Result<T> {
        let text = self.text()?;
        let found = names.iter().find(|&&(name, _)| name == text);
        found.map(|(_, value)| value.clone()).ok_or_else(|| {
            let names: Vec<String> = names.iter().map(|(name, _)| format!("\"{name}\"")).collect();
            self.is_not(&names.join(" or "))
        })
    }

    /// The text under `type`, which every part of a pipeline has.
    pub(super) fn kind(&self) -> Result<&'a str> {
        self.any_object()?;
        self.child("type").text()
    }

    pub(super) fn is_null(&self) -> bool {
        self.value.is_null()
    }

    /// The value must be one of `allowed`.
    pub(super) fn expect(&self, allowed: &[Value]) -> Result<()> {
        if allowed.contains(self.value) {
            return Ok(());
        }
        let names: Vec<String> = allowed.iter().map(Value::to_string).collect();
        Err(self.is_not(&names.join(" or ")))
    }

    pub(super) fn is_not(&self, expected: &str) -> Error {
        self.says(format!("is {}, expected {expected}", shortened(self.value)))
    }

    pub(super) fn says(&self, what: impl Into<String>) -> Error {
        Error::tokenizer(
            if self.path.is_empty() {
                "tokenizer.json"
            } else {
                &self.path
            },
            what,
        )
    }
}

/// The value as JSON, cut to the length of a message.
fn shortened(value: &Value) -> String {
    const LONGEST: usize = 40;
    match value {
        Value::Array(items) => format!("an array of {}", items.len()),
        Value::Object(entries) => format!("an object of {}", entries.len()),
        Value::String(text) if text.chars().count() > LONGEST => {
            let mut start: String = text.chars().take(LONGEST).collect();
            let _ = write!(start, "... ({} bytes)", text.len());
            Value::from(start).to_string()
        }
        other => other.to_string(),
    }
}
