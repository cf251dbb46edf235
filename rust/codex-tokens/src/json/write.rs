//! Writing `tokenizer.json`: as `tokenizers` writes it, to be read, or canonical (RFC 8785), to be digested.
//!
//! It is written front to back, so a vocabulary of any size needs no tree.

use super::order::in_utf16_order;
use super::parts;
use super::vocabulary::unused_spelling;
use crate::added::AddedToken;
use crate::alphabet;
use crate::normalize::Unicode;
use crate::pages::prefetch;
use crate::settings::{Spelt, Symbols};
use crate::tokenizer::Tokenizer;
use crate::vocabulary::Kind;
use codex_file::digest::{Algorithm, Digest, Hasher};
use serde_json::{Value, json};
use std::borrow::Cow;

/// Bytes that are written before they are digested, where nothing else is done with them.
const DIGESTED_BYTES: usize = 1 << 16;

/// Entries written together, so that the memory of all is asked for before that of the first is needed.
const TOGETHER: usize = 32;

/// Where an entry goes, and how.
#[derive(Default)]
struct Out {
    bytes: Vec<u8>,
    /// Two spaces a level; nothing at all in canonical form.
    depth: Option<usize>,
    /// Takes what has been written.
    hasher: Option<Hasher>,
}

/// The contents of the file.
pub(super) fn pretty(tokenizer: &Tokenizer) -> Vec<u8> {
    let mut out = Out {
        depth: Some(0),
        ..Out::default()
    };
    document(tokenizer, true, &mut out);
    out.bytes
}

/// The SHA-256 of the same in canonical form.
pub(super) fn digest(tokenizer: &Tokenizer) -> Digest {
    let mut out = Out {
        hasher: Some(Hasher::new(Algorithm::Sha256)),
        ..Out::default()
    };
    document(tokenizer, true, &mut out);
    out.digest_written();
    out.hasher.expect("set above").finish()
}

/// Canonical too, without vocabulary and merges.
pub(super) fn settings(tokenizer: &Tokenizer) -> Vec<u8> {
    let mut out = Out::default();
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
    out.object(&keys, |out, at| match keys[at] {
        "version" => out.value(&json!("1.0")),
        "truncation" | "padding" => out.value(&Value::Null),
        "added_tokens" => out.array(tokenizer.parts.added.iter(), |out, token| {
            out.value(&added_value(token));
        }),
        "unicode" => out.value(&json!("newer")),
        "model" => model(tokenizer, is_whole, out),
        key => out.value(&parts::to_value(settings, key)),
    });
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
    let spellings = Spellings::of(tokenizer, is_whole);
    out.object(keys, |out, at| match keys[at] {
        "type" => out.value(&json!("BPE")),
        "unk_token" => out.value(&json!(spelt.unknown)),
        "continuing_subword_prefix" => out.value(&affix(&spelt.affixes.prefix)),
        "end_of_word_suffix" => out.value(&affix(&spelt.affixes.suffix)),
        "fuse_unk" => out.value(&json!(spelt.fuses_unknown)),
        "byte_fallback" => out.value(&json!(spelt.falls_back_to_bytes)),
        "ignore_merges" => out.value(&json!(settings.ignore_merges)),
        "vocab" => {
            let kinds = &tokenizer.parts.vocabulary.kinds;
            let ids: Vec<usize> = (0..kinds.len()).filter(|&id| kinds[id] != Kind::Added).collect();
            let keys: Vec<&str> = ids.iter().map(|&id| spellings.key(id)).collect();
            out.object(&keys, |out, at| {
                out.bytes.extend_from_slice(ids[at].to_string().as_bytes());
            });
        }
        "merges" => {
            let merges = &tokenizer.parts.merges;
            let parts = |at: usize| merges.get(at).map_or([0; 2], |&((left, right), _)| [left, right]);
            out.array(0..merges.len(), |out, at| {
                for id in parts(at + 2 * TOGETHER) {
                    prefetch(&spellings.ends[id as usize]);
                }
                for id in parts(at + TOGETHER) {
                    spellings.quoted(id as usize).first().map(prefetch);
                }
                out.array(parts(at).into_iter(), |out, id| {
                    out.bytes.extend_from_slice(spellings.quoted(id as usize));
                });
            });
        }
        _ => out.value(&Value::Null),
    });
}

/// How every token is written. Found once: a token is a part of several merges.
#[derive(Default)]
struct Spellings {
    keys: String,
    /// The same as strings of JSON.
    quoted: Vec<u8>,
    /// By id, where in `keys` and `quoted` it ends.
    ends: Vec<[usize; 2]>,
}

impl Spellings {
    /// Those of all tokens, or of none.
    fn of(tokenizer: &Tokenizer, is_whole: bool) -> Self {
        let mut all = Self::default();
        let count = tokenizer.parts.vocabulary.kinds.len();
        for id in 0..if is_whole { count } else { 0 } {
            let spelling = spelling(tokenizer, id);
            all.keys.push_str(&spelling);
            quote(&spelling, &mut all.quoted);
            all.ends.push([all.keys.len(), all.quoted.len()]);
        }
        all
    }

    fn key(&self, id: usize) -> &str {
        &self.keys[self.start(id)[0]..self.ends[id][0]]
    }

    fn quoted(&self, id: usize) -> &[u8] {
        &self.quoted[self.start(id)[1]..self.ends[id][1]]
    }

    fn start(&self, id: usize) -> [usize; 2] {
        id.checked_sub(1).map_or([0; 2], |before| self.ends[before])
    }
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
    fn digest_written(&mut self) {
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&self.bytes);
            self.bytes.clear();
        }
    }

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

    /// An object with an entry for each of `keys`, whose value `write` writes, given the place of the key; canonical form sorts
    /// them.
    fn object(&mut self, keys: &[&str], mut write: impl FnMut(&mut Self, usize)) {
        let order = match self.depth {
            Some(_) => (0..keys.len()).collect(),
            None => in_utf16_order(keys),
        };
        self.inside(*b"{}", keys.is_empty(), |out| {
            let mut count = 0;
            for together in order.chunks(TOGETHER) {
                for first in together.iter().filter_map(|&at| keys[at].as_bytes().first()) {
                    prefetch(first);
                }
                for &at in together {
                    out.comma(count);
                    count += 1;
                    out.string(keys[at]);
                    out.bytes
                        .extend_from_slice(if out.depth.is_some() { b": " } else { b":" });
                    write(out, at);
                }
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
        if self.bytes.len() >= DIGESTED_BYTES {
            self.digest_written();
        }
        if at > 0 {
            self.bytes.push(b',');
        }
        self.line();
    }

    fn string(&mut self, text: &str) {
        quote(text, &mut self.bytes);
    }

    /// Something small.
    fn value(&mut self, value: &Value) {
        match value {
            Value::Object(map) => {
                let (keys, values): (Vec<&str>, Vec<&Value>) =
                    map.iter().map(|(key, value)| (key.as_str(), value)).unzip();
                self.object(&keys, |out, at| out.value(values[at]));
            }
            Value::Array(items) => self.array(items.iter(), Self::value),
            Value::String(text) => self.string(text),
            scalar => self.bytes.extend_from_slice(scalar.to_string().as_bytes()),
        }
    }
}

/// Appends `text` as a string of JSON, which has the same escapes in both forms.
fn quote(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(plain) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..b' ')) {
        out.extend_from_slice(&rest[..plain]);
        escape(rest[plain], out);
        rest = &rest[plain + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

fn escape(byte: u8, out: &mut Vec<u8>) {
    let letter = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => return out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
    };
    out.extend_from_slice(&[b'\\', letter]);
}
