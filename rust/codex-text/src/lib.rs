//! Bytes to text: encoding, byte-order marks, newlines, damage.
//!
//! `decode` takes the encoding the bytes declare: a byte-order mark (UTF-8, UTF-16, UTF-32), else the coding cookie of a Python
//! source (PEP 263), else UTF-8. A text either comes back exactly as Python's own codec of the same name gives it, newlines made
//! `\n`, or it is refused with a reason that names the byte. `tables` holds the codecs as Python has them, not as the web has them.
//!
//! `detect` finds the encoding where nothing declares it, by one pass over all bytes (`scan`) and by what the text would be in each
//! encoding (`detect`), and says how many places do not decode.

mod codec;
mod cookie;
mod detect;
#[cfg(test)]
extern crate self as codex_text; // the check that the fuzz target shares knows the crate from outside
#[cfg(test)]
mod dice;
mod error;
mod multi_byte;
mod newline;
mod scan;
mod single_byte;
mod unicode;

pub use detect::{Alternative, Detection, Detector, Limits, detect, detect_within, language_of, languages};
pub use error::{Error, Result};
pub use newline::Newlines;

use codec::Codec;

/// A text, and what was learnt from its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The characters, without a byte-order mark, every newline `\n`.
    pub text: String,
    /// What Python's `codecs.lookup` calls the encoding, such as `utf-8` or `iso8859-1`.
    pub encoding: &'static str,
    /// Whether the bytes began with one.
    pub byte_order_mark: bool,
    /// The newlines the bytes had.
    pub newlines: Newlines,
}

/// The text that `data`, the content of the file called `name`, stands for.
///
/// Only the ending of `name` matters: `.py`, `.pyi` and `.pyw` may declare an encoding in their first two lines.
///
/// # Errors
/// If the bytes are no text in the encoding they declare; the error names the byte and its offset.
///
/// ```
/// let decoded = codex_text::decode(b"# coding: koi8-r\r\n\xc4\xc1", "yes.py")?;
/// assert_eq!(decoded.text, "# coding: koi8-r\nда");
/// assert_eq!(decoded.encoding, "koi8-r");
/// # Ok::<(), codex_text::Error>(())
/// ```
pub fn decode(data: &[u8], name: &str) -> Result<Decoded> {
    let (marked, start) = unicode::byte_order_mark(data);
    if marked.is_none_or(|codec| codec == Codec::Utf8)
        && let Some(at) = memchr::memchr(0, data)
    {
        return Err(Error::nul(at));
    }
    let declared = match marked {
        None | Some(Codec::Utf8) if is_python(name) => cookie::declared(&data[start..], start)?,
        _ => None,
    };
    let codec = declared.or(marked).unwrap_or(Codec::Utf8);
    let (text, newlines) = newline::normalise(codec.decode(data, start)?);
    Ok(Decoded {
        text,
        encoding: codec.name(),
        byte_order_mark: start > 0,
        newlines,
    })
}

fn is_python(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ending)| {
        ["py", "pyi", "pyw"]
            .iter()
            .any(|known| ending.eq_ignore_ascii_case(known))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_case_decodes_as_written_down() {
        let cases: &[(&str, &[u8], &str, &str, bool)] = &[
            ("empty", b"", "", "utf-8", false),
            ("ascii", b"a\nb", "a\nb", "utf-8", false),
            (
                "two, three and four bytes",
                "é漢😀".as_bytes(),
                "é漢😀",
                "utf-8",
                false,
            ),
            ("UTF-8 with a mark", b"\xef\xbb\xbfa", "a", "utf-8", true),
            ("nothing but a mark", b"\xef\xbb\xbf", "", "utf-8", true),
            (
                "a second mark is a character",
                b"\xef\xbb\xbf\xef\xbb\xbf",
                "\u{feff}",
                "utf-8",
                true,
            ),
            (
                "UTF-16, low byte first",
                b"\xff\xfea\0\r\0\n\0\x3d\xd8\x00\xde",
                "a\n😀",
                "utf-16-le",
                true,
            ),
            (
                "UTF-16, high byte first",
                b"\xfe\xff\0a\0\r\0b",
                "a\nb",
                "utf-16-be",
                true,
            ),
            (
                "UTF-32, low byte first",
                b"\xff\xfe\0\0a\0\0\0\x00\xf6\x01\0",
                "a😀",
                "utf-32-le",
                true,
            ),
            (
                "UTF-32, high byte first",
                b"\0\0\xfe\xff\0\0\0a",
                "a",
                "utf-32-be",
                true,
            ),
            (
                "a cookie outside Python is a comment",
                b"# coding: latin-1\n\xc3\xa9",
                "# coding: latin-1\né",
                "utf-8",
                false,
            ),
        ];
        for (case, data, text, encoding, mark) in cases {
            let decoded = decode(data, "notes.txt").expect(case);
            assert_eq!(
                (&*decoded.text, decoded.encoding, decoded.byte_order_mark),
                (*text, *encoding, *mark),
                "{case}"
            );
        }
    }

    #[test]
    fn every_named_damage_is_refused_with_its_byte() {
        let cases: &[(&[u8], &str)] = &[
            (b"one\0two", "not text: NUL byte at 3"),
            (b"\xef\xbb\xbfa\0", "not text: NUL byte at 4"),
            (b"\xff\xfea\0\0\0", "not text: NUL character at 4"),
            (b"\0\0\xfe\xff\0\0\0\0", "not text: NUL character at 4"),
            (b"caf\xe9 au lait", "not utf-8: byte 0xe9 at 3"),
            (b"\xef\xbb\xbf\xe9 au lait", "not utf-8: byte 0xe9 at 3"),
            (b"cut \xe2\x82", "not utf-8: byte 0xe2 at 4"),
            (b"\xed\xa0\x80", "not utf-8: byte 0xed at 0"),
            (b"\xff\xfea\0b", "not utf-16-le: byte 0x62 at 4"),
            (b"\xfe\xff\xd8\x3d\0a", "not utf-16-be: byte 0xd8 at 2"),
            (b"\xff\xfe\x00\xde", "not utf-16-le: byte 0x00 at 2"),
            (b"\xff\xfe\0\0\0\0\x11\0", "not utf-32-le: byte 0x00 at 4"),
            (b"\0\0\xfe\xff\0\0\xd8\0", "not utf-32-be: byte 0x00 at 4"),
            (b"\0\0\xfe\xff\0\0", "not utf-32-be: byte 0x00 at 4"),
        ];
        for (data, reason) in cases {
            assert_eq!(decode(data, "notes.txt").expect_err(reason).to_string(), *reason);
        }
    }

    #[test]
    fn the_ending_alone_makes_a_python_source() {
        for name in ["a.py", "a.pyi", "a.PYW", "folder/.py"] {
            assert!(is_python(name), "{name}");
        }
        for name in ["a.txt", "py", "a.pyc", "a.py.txt", ""] {
            assert!(!is_python(name), "{name}");
        }
    }
}
