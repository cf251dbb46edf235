//! Writing `tokenizer.json`: as `tokenizers` writes it, to be read, or canonical (RFC 8785), to be digested.
//!
//! It is written front to back, so a vocabulary of any size needs no tree.

use super::parts;
use super::vocabulary::unused_spelling;
use crate::added::AddedToken;
use crate::alphabet;
use crate::normalize::Unicode;
use crate::settings::{Spelt, Symbols};
use crate::tokenizer::Tokenizer;
use crate::vocabulary::Kind;
use serde_json::{Value, json};
use std::borrow::Cow;

/// Where an entry goes, and how.
struct Out {
    bytes: Vec<u8>,
    /// Two spaces a level; nothing at all in canonical form.
    depth: Option<usize>,
}

/// The contents of the file.
pub(super) fn pretty(tokenizer: &Tokenizer) -> Vec<u8> {
    let mut out = Out {
        bytes: Vec::new(),
        depth: Some(0),
    };
    document(tokenizer, true, &mut out);
    out.bytes
}

/// The same in canonical form.
pub(super) fn canonical(tokenizer: &Tokenizer) -> Vec<u8> {
    let mut out = Out {
        bytes: Vec::new(),
        depth: None,
    };
    document(tokenizer, true, &mut out);
    out.bytes
}

/// Canonical too, without vocabulary and merges.
pub(super) fn settings(tokenizer: &Tokenizer) -> Vec<u8> {
    let mut out = Out {
        bytes: Vec::new(),
        depth: None,
    };
    document(tokenizer, false, &mut out);
    out.bytes
}

/// `is_whole` is whether vocabulary and merges are written.
fn document(tokenizer: &Tokenizer, is_whole: bool, out: &mut Out) {
    let settings = &tokenizer.parts.settings;
    let mut keys = vec![
        "version",
        "truncation",
        "padding",
        "added_tokens",
        "normalizer",
        "pre_tokenizer",
        "post_processor",
        "decoder",
        "model",
    ];
    // No file can say it, but it makes another tokenizer.
    if out.depth.is_none() && settings.unicode == Unicode::Newer {
        keys.push("unicode");
    }
    out.object(
        &keys,
        |key| key.to_string().into(),
        |out, key| match *key {
            "version" => out.value(&json!("1.0")),
            "truncation" | "padding" => out.value(&Value::Null),
            "added_tokens" => out.array(tokenizer.parts.added.iter(), |out, token| {
                out.value(&added_value(token));
            }),
            "unicode" => out.value(&json!("newer")),
            "model" => model(tokenizer, is_whole, out),
            key => out.value(&parts::to_value(settings, key)),
        },
    );
}

fn added_value(token: &AddedToken) -> Value {
    let AddedToken {
        id,
        content,
        single_word,
        lstrip,
        rstrip,
        normalized,
        special,
    } = token;
    json!({
        "id": id, "content": content, "single_word": single_word, "lstrip": lstrip, "rstrip": rstrip,
        "normalized": normalized, "special": special,
    })
}

fn model(tokenizer: &Tokenizer, is_whole: bool, out: &mut Out) {
    let settings = &tokenizer.parts.settings;
    let nothing = Spelt::default();
    let spelt = match &settings.symbols {
        Symbols::Bytes => &nothing,
        Symbols::Characters(spelt) => spelt,
    };
    let affix = |affix: &str| {
        if affix.is_empty() {
            Value::Null
        } else {
            json!(affix)
        }
    };
    let keys = [
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
    ];
    let keys = &keys[..if is_whole { keys.len() } else { keys.len() - 2 }];
    out.object(
        keys,
        |key| key.to_string().into(),
        |out, key| match *key {
            "type" => out.value(&json!("BPE")),
            "unk_token" => out.value(&json!(spelt.unknown)),
            "continuing_subword_prefix" => out.value(&affix(&spelt.affixes.prefix)),
            "end_of_word_suffix" => out.value(&affix(&spelt.affixes.suffix)),
            "fuse_unk" => out.value(&json!(spelt.fuses_unknown)),
            "byte_fallback" => out.value(&json!(spelt.falls_back_to_bytes)),
            "ignore_merges" => out.value(&json!(settings.ignore_merges)),
            "vocab" => {
                let kinds = &tokenizer.parts.vocabulary.kinds;
                let entries: Vec<usize> = (0..kinds.len()).filter(|&id| kinds[id] != Kind::Added).collect();
                out.object(&entries, |&id| spelling(tokenizer, id), |out, id| out.number(*id));
            }
            "merges" => out.array(tokenizer.parts.merges.iter(), |out, &((left, right), _)| {
                out.array([left, right].into_iter(), |out, id| {
                    out.string(&spelling(tokenizer, id as usize));
                });
            }),
            _ => out.value(&Value::Null),
        },
    );
}

/// How the token of `id` is written.
pub(crate) fn spelling(tokenizer: &Tokenizer, id: usize) -> Cow<'_, str> {
    let vocabulary = &tokenizer.parts.vocabulary;
    let text = |bytes| String::from_utf8_lossy(bytes);
    if let Some(spelling) = vocabulary
        .spellings
        .as_ref()
        .and_then(|all| all.get(id))
        .filter(|all| !all.is_empty())
    {
        return text(spelling);
    }
    let bytes = vocabulary.bytes.get(id).unwrap_or_default();
    match vocabulary.kinds[id] {
        Kind::Ordinary => alphabet::spell(bytes).into(),
        Kind::Unused => unused_spelling(id).into(),
        Kind::Text | Kind::Added => text(bytes),
    }
}

impl Out {
    fn line(&mut self) {
        if let Some(depth) = self.depth {
            self.bytes.push(b'\n');
            self.bytes.resize(self.bytes.len() + 2 * depth, b' ');
        }
    }

    fn inside(&mut self, marks: [u8; 2], is_empty: bool, write: impl FnOnce(&mut Self)) {
        self.bytes.push(marks[0]);
        if !is_empty {
            self.depth = self.depth.map(|depth| depth + 1);
            write(self);
            self.depth = self.depth.map(|depth| depth - 1);
            self.line();
        }
        self.bytes.push(marks[1]);
    }

    /// An object with an entry for each of `entries`; canonical form sorts them by their UTF-16.
    fn object<'e, T>(
        &mut self,
        entries: &'e [T],
        key_of: impl Fn(&'e T) -> Cow<'e, str>,
        mut write: impl FnMut(&mut Self, &'e T),
    ) {
        let mut order: Vec<(Cow<'_, str>, &T)> = entries.iter().map(|entry| (key_of(entry), entry)).collect();
        if self.depth.is_none() {
            order.sort_unstable_by(|(left, _), (right, _)| left.encode_utf16().cmp(right.encode_utf16()));
        }
        self.inside(*b"{}", order.is_empty(), |out| {
            for (at, (key, entry)) in order.into_iter().enumerate() {
                out.comma(at);
                out.string(&key);
                out.bytes
                    .extend_from_slice(if out.depth.is_some() { b": " } else { b":" });
                write(out, entry);
            }
        });
    }

    fn array<T>(&mut self, items: impl ExactSizeIterator<Item = T>, mut write: impl FnMut(&mut Self, T)) {
        self.inside(*b"[]", items.len() == 0, |out| {
            for (at, item) in items.enumerate() {
                out.comma(at);
                write(out, item);
            }
        });
    }

    fn comma(&mut self, at: usize) {
        if at > 0 {
            self.bytes.push(b',');
        }
        self.line();
    }

    /// A string; JSON escapes the same in both forms.
    fn string(&mut self, text: &str) {
        self.bytes.push(b'"');
        for character in text.chars() {
            match character {
                '"' => self.bytes.extend_from_slice(b"\\\""),
                '\\' => self.bytes.extend_from_slice(b"\\\\"),
                '\n' => self.bytes.extend_from_slice(b"\\n"),
                '\r' => self.bytes.extend_from_slice(b"\\r"),
                '\t' => self.bytes.extend_from_slice(b"\\t"),
                '\u{8}' => self.bytes.extend_from_slice(b"\\b"),
                '\u{c}' => self.bytes.extend_from_slice(b"\\f"),
                '\0'..' ' => self
                    .bytes
                    .extend_from_slice(format!("\\u{:04x}", character as u32).as_bytes()),
                _ => self
                    .bytes
                    .extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        self.bytes.push(b'"');
    }

    fn number(&mut self, number: usize) {
        self.bytes.extend_from_slice(number.to_string().as_bytes());
    }

    /// Something small.
    fn value(&mut self, value: &Value) {
        match value {
            Value::Object(map) => {
                let entries: Vec<(&String, &Value)> = map.iter().collect();
                self.object(
                    &entries,
                    |(key, _)| key.as_str().into(),
                    |out, (_, value)| out.value(value),
                );
            }
            Value::Array(items) => self.array(items.iter(), Self::value),
            Value::String(text) => self.string(text),
            scalar => self.bytes.extend_from_slice(scalar.to_string().as_bytes()),
        }
    }
}
