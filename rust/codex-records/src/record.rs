//! What a record is, and its one line of JSON.

use std::io::Write as _;

use crate::json::Scanner;
use crate::number::MAXIMUM_INTEGER;
use crate::{Error, Id, Result, encode};
use serde_json::Value;

/// No line is longer, so that reading one takes a known amount of memory: 256 MiB.
pub const MAXIMUM_LINE_BYTES: usize = 256 << 20;

/// One text and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The digest of `text`.
    pub id: Id,
    /// The text; its newlines are `\n`.
    pub text: String,
    /// Where it came from.
    pub source: Source,
    /// What else is known of it.
    pub meta: Option<Meta>,
}

/// Where a text came from, and how its bytes were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file, relative to the corpus, with `/` between folders.
    pub path: String,
    /// The member, if the file is an archive.
    pub member: Option<String>,
    /// The byte the text begins at, if it is one of several in the file.
    pub offset: u64,
    /// What its bytes were decoded from, such as `utf-8`.
    pub encoding: String,
    /// How many places could not be decoded and were replaced.
    pub errors: u64,
}

/// A JSON object in canonical form (RFC 8785): one spelling for equal objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta(String);

impl Meta {
    /// Reads any spelling of a JSON object.
    ///
    /// # Errors
    /// If it is no object, a key stands twice, a number is none a double holds, or it is nested too deep.
    pub fn parse(json: &str) -> Result<Self> {
        let mut scanner = Scanner::nested(json);
        match scanner.value().and_then(|value| scanner.end().map(|()| value)) {
            Ok(value @ Value::Object(_)) => Self::canonical(&value),
            Ok(_) => Err(Error::meta(0, "expected an object")),
            Err(fault) => Err(Error::meta(fault.at, fault.reason)),
        }
    }

    pub(crate) fn canonical(value: &Value) -> Result<Self> {
        let bytes = codex_file::manifest::canonical(value)?;
        String::from_utf8(bytes)
            .map(Self)
            .map_err(|_| Error::meta(0, "not UTF-8"))
    }

    /// The canonical JSON.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Record {
    /// A record of `text`, with the id that is its own.
    #[must_use]
    pub fn new(text: String, source: Source, meta: Option<Meta>) -> Self {
        Self {
            id: Id::of(&text),
            text,
            source,
            meta,
        }
    }

    /// Why it cannot be stored, if it cannot.
    fn fault(&self) -> Option<String> {
        let too_large = |number: u64| number > MAXIMUM_INTEGER;
        if let Some(at) = self.text.bytes().position(|byte| byte == b'\r') {
            Some(format!(
                "has a carriage return at byte {at}, expected `\\n` for every newline"
            ))
        } else if self.id != Id::of(&self.text) {
            Some(format!(
                "has the id {}, but its text has {}",
                self.id,
                Id::of(&self.text)
            ))
        } else if too_large(self.source.offset) || too_large(self.source.errors) {
            Some("has an offset or a count beyond 2^53 - 1".to_owned())
        } else {
            None
        }
    }

    /// Appends its line to `out`: keys in the order of the format, nothing escaped that need not be.
    ///
    /// # Errors
    /// If it is none that [`Reader`](crate::Reader) would read back: a carriage return in the text, an id that is not the
    /// text's, a line beyond [`MAXIMUM_LINE_BYTES`]. `out` is then as it was.
    pub fn write_line(&self, out: &mut Vec<u8>) -> Result<()> {
        if let Some(fault) = self.fault() {
            return Err(Error::record(&self.source.path, fault));
        }
        let meta = self.meta.as_ref().map(Meta::as_str);
        put_line(out, &self.id, &self.text, &self.source, meta)
    }
}

/// Appends the line of a record whose id is that of its text, and whose text has no carriage return.
pub(crate) fn put_line(
    out: &mut Vec<u8>,
    id: &Id,
    text: &str,
    source: &Source,
    meta: Option<&str>,
) -> Result<()> {
    let start = out.len();
    let Source {
        path,
        member,
        offset,
        encoding,
        errors,
    } = source;
    out.extend_from_slice(b"{\"id\":\"");
    encode::hexadecimal(out, id.as_bytes());
    out.extend_from_slice(b"\",\"text\":");
    encode::string(out, text);
    out.extend_from_slice(b",\"source\":{\"path\":");
    encode::string(out, path);
    out.extend_from_slice(b",\"member\":");
    match member {
        Some(member) => encode::string(out, member),
        None => out.extend_from_slice(b"null"),
    }
    // Writing to a vector cannot fail.
    let _ = write!(out, ",\"offset\":{offset},\"encoding\":");
    encode::string(out, encoding);
    let _ = write!(out, ",\"errors\":{errors}}}");
    if let Some(meta) = meta {
        let _ = write!(out, ",\"meta\":{meta}");
    }
    out.extend_from_slice(b"}\n");
    let line_bytes = out.len() - start;
    if line_bytes > MAXIMUM_LINE_BYTES {
        out.truncate(start);
        let reason = format!("makes a line of {line_bytes} bytes, expected at most {MAXIMUM_LINE_BYTES}");
        return Err(Error::record(path, reason));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str) -> Source {
        Source {
            path: path.to_owned(),
            member: None,
            offset: 0,
            encoding: "utf-8".to_owned(),
            errors: 0,
        }
    }

    fn line(record: &Record) -> String {
        let mut out = Vec::new();
        record.write_line(&mut out).expect("it can be stored");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn the_golden_lines() {
        let record = Record::new("abc".to_owned(), source("a.txt"), None);
        assert_eq!(
            line(&record),
            concat!(
                r#"{"id":"ba7816bf8f01cfea414140de5dae2223","text":"abc","#,
                r#""source":{"path":"a.txt","member":null,"offset":0,"encoding":"utf-8","errors":0}}"#,
                "\n"
            )
        );
        let meta = Meta::parse(r#" { "b": [1.0, 1e2], "a": "\u00e9" } "#).expect("an object");
        let member = Source {
            member: Some("in/b\".txt".to_owned()),
            offset: 7,
            errors: 2,
            ..source("é\\.zip")
        };
        let record = Record::new(
            "\"\\/\u{0}\u{8}\t\n\u{b}\u{c}\u{1f}\u{7f}\u{2028}é😀".to_owned(),
            member,
            Some(meta),
        );
        assert_eq!(
            line(&record),
            concat!(
                r#"{"id":"4a2c0793800d3712daabfbbc23c78165","text":"\"\\/\u0000\b\t\n\u000b\f\u001f"#,
                "\u{7f}\u{2028}é😀\",",
                r#""source":{"path":"é\\.zip","member":"in/b\".txt","offset":7,"encoding":"utf-8","errors":2},"#,
                r#""meta":{"a":"é","b":[1,100]}}"#,
                "\n"
            )
        );
    }

    #[test]
    fn what_could_not_be_read_back_is_not_written() {
        let good = Record::new("abc".to_owned(), source("a.txt"), None);
        let cases = [
            (
                Record {
                    id: Id::of("abd"),
                    ..good.clone()
                },
                "but its text has ba7816bf8f01cfea414140de5dae2223",
            ),
            (
                Record::new("a\r\n".to_owned(), source("a.txt"), None),
                "has a carriage return at byte 1",
            ),
            (
                Record {
                    source: Source {
                        offset: 1 << 53,
                        ..source("a.txt")
                    },
                    ..good
                },
                "has an offset or a count beyond 2^53 - 1",
            ),
        ];
        for (record, reason) in cases {
            let mut out = b"before".to_vec();
            let error = record.write_line(&mut out).expect_err(reason).to_string();
            assert!(
                error.starts_with("the record of `a.txt` ") && error.contains(reason),
                "{error}"
            );
            assert_eq!(out, b"before");
        }
    }

    #[test]
    fn a_line_too_long_to_be_read_is_not_written() {
        let mut out = b"before".to_vec();
        let record = Record::new("\n".repeat(MAXIMUM_LINE_BYTES / 2), source("a.txt"), None);
        let error = record.write_line(&mut out).expect_err("too long").to_string();
        assert!(error.contains("makes a line of 268435"), "{error}");
        assert_eq!(out, b"before");
    }

    #[test]
    fn meta_is_an_object_with_one_spelling() {
        for spelling in [r#"{"a":1,"b":0.1}"#, r#"{ "b": 1e-1, "a": 1.0 }"#] {
            assert_eq!(
                Meta::parse(spelling).expect(spelling).as_str(),
                r#"{"a":1,"b":0.1}"#
            );
        }
        for bad in [
            "[]",
            "1",
            "{",
            "{} {}",
            r#"{"a":NaN}"#,
            r#"{"a":1,"a":1}"#,
            r#"{"a":9007199254740993}"#,
        ] {
            assert!(Meta::parse(bad).is_err(), "{bad}");
        }
    }
}
