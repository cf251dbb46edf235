//! Newlines: counted by kind, then all made `\n`.

use std::fmt;

/// How many newlines of each kind a text had. `Display` names the kinds seen: `lf`, `lf+crlf`, or nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Newlines {
    /// `\n` alone.
    pub lf: u64,
    /// `\r\n`.
    pub crlf: u64,
    /// `\r` alone.
    pub cr: u64,
}

impl fmt::Display for Newlines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [("lf", self.lf), ("crlf", self.crlf), ("cr", self.cr)];
        let seen: Vec<&str> = kinds
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(kind, _)| *kind)
            .collect();
        f.write_str(&seen.join("+"))
    }
}

/// The text with `\n` for every newline; copies only if there is a `\r`.
pub(crate) fn normalise(text: String) -> (String, Newlines) {
    let mut newlines = Newlines::default();
    let mut normal = String::new();
    let mut rest = text.as_str();
    while let Some(at) = memchr::memchr(b'\r', rest.as_bytes()) {
        if normal.is_empty() {
            normal.reserve(rest.len());
        }
        normal.push_str(&rest[..at]);
        normal.push('\n');
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('\n') {
            newlines.crlf += 1;
            rest = after;
        } else {
            newlines.cr += 1;
        }
    }
    let normal = if newlines == Newlines::default() {
        text
    } else {
        normal.push_str(rest);
        normal
    };
    let all = memchr::memchr_iter(b'\n', normal.as_bytes()).count() as u64;
    newlines.lf = all - newlines.crlf - newlines.cr;
    (normal, newlines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_newline_is_counted_once_and_becomes_one() {
        let cases = [
            ("", "", "", (0, 0, 0)),
            ("a", "a", "", (0, 0, 0)),
            ("a\nb\n", "a\nb\n", "lf", (2, 0, 0)),
            ("a\r\nb", "a\nb", "crlf", (0, 1, 0)),
            ("\r", "\n", "cr", (0, 0, 1)),
            ("\r\r\n\n", "\n\n\n", "lf+crlf+cr", (1, 1, 1)),
            ("\n\r", "\n\n", "lf+cr", (1, 0, 1)),
            ("é\r\n\u{2028}\u{85}", "é\n\u{2028}\u{85}", "crlf", (0, 1, 0)),
        ];
        for (text, normal, kinds, counts) in cases {
            let (found, newlines) = normalise(text.to_owned());
            assert_eq!(found, normal, "{text:?}");
            assert_eq!((newlines.lf, newlines.crlf, newlines.cr), counts, "{text:?}");
            assert_eq!(newlines.to_string(), kinds, "{text:?}");
        }
    }
}
