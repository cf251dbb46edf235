//! The JSON of a header to its entries, by a scanner that knows nothing else: what a header has no use for is refused when it
//! is met, so that memory and time stay in proportion to the header, whatever it says.

use std::collections::{BTreeMap, BTreeSet};

use super::{Dtype, METADATA_KEY};
use crate::error::Error;

/// No tensor library has more.
const MAX_AXES: usize = 64;

/// What a header says of one tensor.
pub(super) struct Entry {
    pub(super) dtype: Dtype,
    pub(super) shape: Vec<u64>,
    pub(super) start: u64,
    pub(super) end: u64,
}

/// What a header says: tensors in its order, and notes.
#[derive(Default)]
pub(super) struct Header {
    pub(super) entries: Vec<(String, Entry)>,
    pub(super) metadata: BTreeMap<String, String>,
}

type Answer<T> = std::result::Result<T, String>;

/// Reads the whole header `text`.
pub(super) fn read(text: &[u8]) -> Answer<Header> {
    let text = std::str::from_utf8(text)
        .map_err(|error| format!("its header is not UTF-8 at byte {}", error.valid_up_to()))?;
    let mut scanner = Scanner { text, at: 0 };
    let mut header = Header::default();
    let mut has_notes = false;
    scanner.object("its header", &mut |scanner, name| {
        if name != METADATA_KEY {
            let entry = scanner.entry(&name)?;
            header.entries.push((name, entry));
        } else if has_notes {
            return Err(twice(&name));
        } else {
            has_notes = true;
            header.metadata = scanner.notes()?;
        }
        Ok(())
    })?;
    scanner.space();
    if scanner.at < text.len() {
        return Err(scanner.malformed("the end"));
    }
    let mut seen = BTreeSet::new();
    match header.entries.iter().find(|(name, _)| !seen.insert(name)) {
        Some((name, _)) => Err(twice(name)),
        None => Ok(header),
    }
}

fn twice(key: &str) -> String {
    format!("the key `{}` stands twice in its header", key.escape_debug())
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl Scanner<'_> {
    /// One tensor: an object of exactly `dtype`, `shape` and `data_offsets`.
    fn entry(&mut self, name: &str) -> Answer<Entry> {
        let what = format!("tensor `{}`", name.escape_debug());
        let (mut dtype, mut shape, mut offsets) = (None, None, None);
        self.object(&what, &mut |scanner, key| {
            let is_new = match key.as_str() {
                "dtype" => {
                    let text = scanner
                        .value_string()
                        .ok_or_else(|| format!("{what} has no `dtype`"))??;
                    let parsed: Dtype = text
                        .parse()
                        .map_err(|error: Error| format!("{what} has a bad dtype: {error}"))?;
                    dtype.replace(parsed).is_none()
                }
                "shape" => shape.replace(scanner.numbers(&what, &key)?).is_none(),
                "data_offsets" => offsets.replace(scanner.numbers(&what, &key)?).is_none(),
                _ => return Err(format!("{what} has the unknown key `{}`", key.escape_debug())),
            };
            if is_new { Ok(()) } else { Err(twice(&key)) }
        })?;
        let lacks = |key: &str| format!("{what} has no `{key}`");
        let offsets: Vec<u64> = offsets.ok_or_else(|| lacks("data_offsets"))?;
        let &[start, end] = offsets.as_slice() else {
            return Err(format!("{what} has {} offsets, expected 2", offsets.len()));
        };
        Ok(Entry {
            dtype: dtype.ok_or_else(|| lacks("dtype"))?,
            shape: shape.ok_or_else(|| lacks("shape"))?,
            start,
            end,
        })
    }

    /// The notes: an object of strings.
    fn notes(&mut self) -> Answer<BTreeMap<String, String>> {
        let mut notes = BTreeMap::new();
        self.object("its metadata", &mut |scanner, key| {
            let note = scanner
                .value_string()
                .ok_or_else(|| format!("its metadata `{}` is not a string", key.escape_debug()))??;
            match notes.insert(key.clone(), note) {
                Some(_) => Err(twice(&key)),
                None => Ok(()),
            }
        })?;
        Ok(notes)
    }

    /// An object, each of whose keys is handed to `each` with the scanner before its value.
    fn object(&mut self, what: &str, each: &mut dyn FnMut(&mut Self, String) -> Answer<()>) -> Answer<()> {
        if !self.takes(b'{') {
            return Err(format!("{what} is not an object"));
        }
        if self.takes(b'}') {
            return Ok(());
        }
        loop {
            let key = self.value_string().ok_or_else(|| self.malformed("a key"))??;
            if !self.takes(b':') {
                return Err(self.malformed("`:`"));
            }
            each(self, key)?;
            if self.takes(b'}') {
                return Ok(());
            }
            if !self.takes(b',') {
                return Err(self.malformed("`,` or `}`"));
            }
        }
    }

    /// A list of whole numbers that fit 64 bits.
    fn numbers(&mut self, what: &str, key: &str) -> Answer<Vec<u64>> {
        let wrong = || format!("{what} has no `{key}` of whole numbers");
        let mut numbers = Vec::new();
        if !self.takes(b'[') {
            return Err(wrong());
        }
        if self.takes(b']') {
            return Ok(numbers);
        }
        loop {
            numbers.push(self.number().ok_or_else(wrong)?);
            if numbers.len() > MAX_AXES {
                return Err(format!("{what} has more than {MAX_AXES} numbers in `{key}`"));
            }
            if self.takes(b']') {
                return Ok(numbers);
            }
            if !self.takes(b',') {
                return Err(wrong());
            }
        }
    }

    /// A whole number as JSON writes it: no sign, no zero in front.
    fn number(&mut self) -> Option<u64> {
        self.space();
        let rest = &self.text[self.at..];
        let length = rest.bytes().take_while(u8::is_ascii_digit).count();
        let digits = &rest[..length];
        if digits.len() > 1 && digits.starts_with('0') {
            return None;
        }
        self.at += length;
        digits.parse().ok()
    }

    /// The string that comes next; `None` if something else does.
    fn value_string(&mut self) -> Option<Answer<String>> {
        self.space();
        let rest = &self.text[self.at..];
        let inside = rest.strip_prefix('"')?;
        let mut is_escaped = false;
        let end = inside.bytes().position(|byte| {
            let ends = byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            ends
        });
        let Some(end) = end else {
            return Some(Err(self.malformed("the end of a string")));
        };
        let answer = if inside[..end].bytes().all(|byte| byte >= b' ' && byte != b'\\') {
            Ok(inside[..end].to_owned())
        } else {
            serde_json::from_str(&rest[..end + 2]).map_err(|_| self.malformed("a string"))
        };
        self.at += end + 2;
        Some(answer)
    }

    fn takes(&mut self, byte: u8) -> bool {
        self.space();
        let takes = self.text.as_bytes().get(self.at) == Some(&byte);
        self.at += usize::from(takes);
        takes
    }

    fn space(&mut self) {
        let rest = self.text.as_bytes()[self.at..].iter();
        self.at += rest
            .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
            .count();
    }

    fn malformed(&self, wanted: &str) -> String {
        format!(
            "its header is not valid JSON at byte {}: expected {wanted}",
            self.at
        )
    }
}
