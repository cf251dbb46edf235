//! Coding cookies of Python sources (PEP 263), read as its own `tokenize.detect_encoding` reads them.

use crate::codec::Codec;
use crate::{Error, Result};

/// The codec that the first two lines of `source` declare; they begin at byte `start` of the file.
///
/// # Errors
/// If a line that must be looked at is not UTF-8, the cookie is unknown, or it contradicts the mark before it.
pub(crate) fn declared(source: &[u8], start: usize) -> Result<Option<Codec>> {
    let (first, rest) = split_line(source);
    if let Some(cookie) = find_cookie(first, start)? {
        return codec_of(cookie, start > 0).map(Some);
    }
    if !is_blank_or_comment(first) {
        return Ok(None);
    }
    let (second, _) = split_line(rest);
    find_cookie(second, start + first.len())?
        .map(|cookie| codec_of(cookie, start > 0))
        .transpose()
}

/// A line with its `\n`, and the rest. A `\r` alone ends no line here, as in Python.
fn split_line(source: &[u8]) -> (&[u8], &[u8]) {
    source.split_at(memchr::memchr(b'\n', source).map_or(source.len(), |at| at + 1))
}

/// The name in a line like `# -*- coding: name -*-`: `^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)`.
fn find_cookie(line: &[u8], start: usize) -> Result<Option<&str>> {
    let line = std::str::from_utf8(line).map_err(|error| {
        let at = error.valid_up_to();
        Error::undecodable("utf-8", line[at], start + at)
    })?;
    let Some(comment) = line.trim_start_matches([' ', '\t', '\x0c']).strip_prefix('#') else {
        return Ok(None);
    };
    Ok(comment.match_indices("coding").find_map(|(at, word)| {
        let value = comment[at + word.len()..]
            .strip_prefix([':', '='])?
            .trim_start_matches([' ', '\t']);
        let end = value
            .find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
            .unwrap_or(value.len());
        (end > 0).then_some(&value[..end])
    }))
}

/// `^[ \t\f]*(?:[#\r\n]|$)`
fn is_blank_or_comment(line: &[u8]) -> bool {
    let word = line.iter().find(|byte| !matches!(byte, b' ' | b'\t' | 0x0c));
    word.is_none_or(|byte| matches!(byte, b'#' | b'\r' | b'\n'))
}

fn codec_of(cookie: &str, has_mark: bool) -> Result<Codec> {
    let name = normal_name(cookie);
    let codec = Codec::find(name).ok_or_else(|| Error::unknown_cookie(cookie))?;
    if has_mark && name != "utf-8" {
        Err(Error::cookie_against_mark(cookie))
    } else {
        Ok(codec)
    }
}

/// Python's `get_normal_name`: the usual spellings of UTF-8 and Latin-1, with any suffix.
fn normal_name(cookie: &str) -> &str {
    let head: String = cookie.chars().take(12).collect();
    let head = head.to_ascii_lowercase().replace('_', "-");
    let is_spelling = |name: &str| {
        head.strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    if is_spelling("utf-8") {
        "utf-8"
    } else if ["latin-1", "iso-8859-1", "iso-latin-1"]
        .into_iter()
        .any(is_spelling)
    {
        "iso-8859-1"
    } else {
        cookie
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_found_where_cpython_finds_them() {
        let cases: &[(&[u8], Option<&str>)] = &[
            (b"# -*- coding: latin-1 -*-\n", Some("iso8859-1")),
            (
                b"#!/usr/bin/python\n# vim: set fileencoding=koi8-r :\n",
                Some("koi8-r"),
            ),
            (b"\n# coding: cp1252\n", Some("cp1252")),
            (b" \t\x0c# coding=cp1252", Some("cp1252")),
            (b"# coding : a, coding: cp1252\n", Some("cp1252")),
            (b"# coding: \xc3\xa9, decoding:\tcp1252,\n", Some("cp1252")),
            (b"# coding: utf-8-unix\n", Some("utf-8")),
            (b"# coding: latin-1-unix\n", Some("iso8859-1")),
            (b"#coding:UTF8", Some("utf-8")),
            (b"# coding: iso-8859-15\n", Some("iso8859-15")),
            (b"x = 1  # coding: cp1252\n", None),
            (b"x = 1\n# coding: cp1252\n", None),
            (b"\n\n# coding: cp1252\n", None),
            (b"# Coding: cp1252\n", None),
            (b"# coding:\ncp1252\n", None),
            (b"\"\"\"\n# coding: cp1252\n", None),
            (b"", None),
        ];
        for (source, name) in cases {
            let found = declared(source, 0)
                .expect("the case is well formed")
                .map(Codec::name);
            assert_eq!(found, *name, "{:?}", String::from_utf8_lossy(source));
        }
    }

    #[test]
    fn what_cpython_refuses_is_refused_by_name() {
        let cases: &[(&[u8], usize, &str)] = &[
            (b"# coding: klingon\n", 0, "unknown encoding cookie `klingon`"),
            (b"# coding: utf-7\n", 0, "unknown encoding cookie `utf-7`"),
            (
                b"# coding: cp1252\n",
                3,
                "encoding cookie `cp1252` contradicts the UTF-8 byte-order mark",
            ),
            (
                b"# coding: utf8\n",
                3,
                "encoding cookie `utf8` contradicts the UTF-8 byte-order mark",
            ),
            (b"# \xe9 coding: latin-1\n", 0, "not utf-8: byte 0xe9 at 2"),
            (b"#\n# \xe9 coding: latin-1\n", 3, "not utf-8: byte 0xe9 at 7"),
        ];
        for (source, start, reason) in cases {
            assert_eq!(declared(source, *start).expect_err(reason).to_string(), *reason);
        }
        assert_eq!(declared(b"# coding: utf-8\n", 3), Ok(Some(Codec::Utf8)));
    }
}
