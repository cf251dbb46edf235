//! Codecs by name: the Unicode forms, and those that are a table.
//!
//! The tables are text in `tables/`, written by `tables/generate.py` from Python's own codecs; the web's tables (WHATWG)
//! give other characters under the same names. A table is parsed when a file first asks for it.

use crate::multi_byte::MultiByte;
use crate::single_byte::SingleByte;
use crate::{Error, Result, unicode};
use std::ops::Range;
use std::sync::{Arc, LazyLock, OnceLock};

/// How bytes become characters.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Codec {
    Utf8,
    Utf16 { big_endian: bool },
    Utf32 { big_endian: bool },
    Table(&'static Listed),
}

impl Codec {
    /// What Python's `codecs.lookup` calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16 { big_endian: false } => "utf-16-le",
            Self::Utf16 { big_endian: true } => "utf-16-be",
            Self::Utf32 { big_endian: false } => "utf-32-le",
            Self::Utf32 { big_endian: true } => "utf-32-be",
            Self::Table(listed) => listed.name,
        }
    }

    /// The characters of `data[start..]`.
    pub(crate) fn decode(self, data: &[u8], start: usize) -> Result<String> {
        match self {
            Self::Utf8 => unicode::decode_utf8(data, start),
            Self::Utf16 { big_endian } => unicode::decode_utf16(data, start, big_endian),
            Self::Utf32 { big_endian } => unicode::decode_utf32(data, start, big_endian),
            Self::Table(listed) => {
                let decoded = match listed.table.get_or_init(|| listed.parse()) {
                    Table::Single(table) => table.decode(&data[start..]),
                    Table::Multi(table) => table.decode(&data[start..]),
                };
                decoded.map_err(|at| Error::undecodable(listed.name, data[start + at], start + at))
            }
        }
    }

    /// The codec Python's `codecs.lookup` finds under `name`, if it is one of ours.
    pub(crate) fn find(name: &str) -> Option<Self> {
        let name = normalised(name);
        let undotted = name.replace('.', "_");
        let is_known = |module: &str, aliases: &[&str]| {
            aliases.contains(&&*name) || aliases.contains(&&*undotted) || module == name
        };
        if is_known(
            "utf_8",
            &["u8", "utf", "utf8", "utf8_ucs2", "utf8_ucs4", "cp65001"],
        ) {
            return Some(Self::Utf8);
        }
        LISTED
            .iter()
            .find(|listed| is_known(listed.module, &listed.aliases))
            .map(Self::Table)
    }
}

impl PartialEq for Codec {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

/// A codec of the table files.
#[derive(Debug)]
pub(crate) struct Listed {
    name: &'static str,
    module: &'static str,
    aliases: Vec<&'static str>,
    /// Those of its file.
    rows: Arc<[&'static str]>,
    /// Its own; what it has in common with the codecs before it is told only once, in theirs.
    own: Range<usize>,
    is_single: bool,
    table: OnceLock<Table>,
}

#[derive(Debug)]
enum Table {
    Single(Box<SingleByte>),
    Multi(MultiByte),
}

/// The codecs of the files for East Asian languages.
pub(crate) fn multi_byte_codecs() -> impl Iterator<Item = &'static Listed> {
    LISTED.iter().filter(|listed| !listed.is_single)
}

/// The codecs of `single_byte.txt`.
pub(crate) fn single_byte_codecs() -> impl Iterator<Item = &'static Listed> {
    LISTED.iter().filter(|listed| listed.is_single)
}

impl Listed {
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// The first character of `data` and its length in bytes, for a multi-byte codec.
    pub(crate) fn multi_byte(&self) -> Option<&MultiByte> {
        match self.table.get_or_init(|| self.parse()) {
            Table::Single(_) => None,
            Table::Multi(table) => Some(table),
        }
    }

    /// The character of each byte of a single-byte codec, `\0` for a hole.
    pub(crate) fn single_byte_characters(&self) -> &[char; 256] {
        match self.table.get_or_init(|| self.parse()) {
            Table::Single(table) => table.characters(),
            Table::Multi(_) => &['\0'; 256],
        }
    }

    fn parse(&self) -> Table {
        if self.is_single {
            Table::Single(Box::new(SingleByte::parse(&self.rows[self.own.clone()])))
        } else {
            Table::Multi(MultiByte::parse(&self.rows[..self.own.end], self.own.start))
        }
    }
}

const EAST_ASIAN: [&str; 4] = [
    include_str!("../tables/traditional_chinese.txt"),
    include_str!("../tables/japanese.txt"),
    include_str!("../tables/korean.txt"),
    include_str!("../tables/simplified_chinese.txt"),
];

static LISTED: LazyLock<Vec<Listed>> = LazyLock::new(|| {
    let mut listed = list(include_str!("../tables/single_byte.txt"), true);
    for file in EAST_ASIAN {
        listed.extend(list(file, false));
    }
    listed
});

/// The codecs of one table file: a heading `name: module alias ...`, then rows.
fn list(file: &'static str, is_single: bool) -> Vec<Listed> {
    let is_row = |line: &&str| !line.contains(": ");
    let rows: Arc<[&str]> = file.lines().filter(is_row).collect();
    let mut listed: Vec<Listed> = Vec::new();
    for line in file.lines() {
        let end = listed.last().map_or(0, |codec| codec.own.end);
        if let Some((name, spellings)) = line.split_once(": ") {
            let mut spellings = spellings.split(' ');
            let module = spellings.next().unwrap_or(name);
            listed.push(Listed {
                name,
                module,
                aliases: spellings.collect(),
                rows: Arc::clone(&rows),
                own: end..end,
                is_single,
                table: OnceLock::new(),
            });
        } else if let Some(codec) = listed.last_mut() {
            codec.own.end += 1;
        }
    }
    listed
}

/// The name as `encodings.normalize_encoding` makes it: lower case, one `_` for any run of signs, dots kept.
fn normalised(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    let mut is_after_sign = false;
    for character in name.chars() {
        if character.is_ascii_alphanumeric() || character == '.' {
            if is_after_sign && !normal.is_empty() {
                normal.push('_');
            }
            normal.push(character.to_ascii_lowercase());
        }
        is_after_sign = !(character.is_ascii_alphanumeric() || character == '.');
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_as_python_finds_them() {
        let cases = [
            ("latin-1", "iso8859-1"),
            ("Latin1", "iso8859-1"),
            ("L1", "iso8859-1"),
            ("iso-8859-15", "iso8859-15"),
            ("ISO_8859-15", "iso8859-15"),
            ("iso.8859.15", "iso8859-15"),
            ("windows-1252", "cp1252"),
            ("cp1252", "cp1252"),
            ("--koi8--r--", "koi8-r"),
            ("us-ascii", "ascii"),
            ("EUC-JP", "euc_jp"),
            ("sjis", "shift_jis"),
            ("936", "gbk"),
            ("utf8", "utf-8"),
        ];
        for (name, wanted) in cases {
            assert_eq!(Codec::find(name).map(Codec::name), Some(wanted), "{name}");
        }
        for name in [
            "",
            "-",
            "utf",
            "cp.1252",
            "rot13",
            "utf-7",
            "utf-16",
            "hz",
            "unicode_escape",
            "klingon",
        ] {
            assert_eq!(
                Codec::find(name).map(Codec::name),
                (name == "utf").then_some("utf-8"),
                "{name}"
            );
        }
    }

    #[test]
    fn the_tables_are_pythons_and_not_the_webs() {
        let cases: &[(&str, &[u8], &str)] = &[
            ("latin-1", b"\x80\x93", "\u{80}\u{93}"),
            ("cp1252", b"\x80\x93", "€“"),
            ("iso-8859-9", b"\x80\xfd", "\u{80}ı"),
            ("cp437", b"\x80\xe1", "Çß"),
            ("cp037", b"\xc1\x81\x25", "Aa\n"),
            ("shift_jis", b"\x81\x60\xb1", "〜ｱ"),
            ("cp932", b"\x81\x60\x87\x40", "～①"),
            ("euc-jp", b"\xa4\xa2\x8f\xb0\xa1", "あ丂"),
            ("gbk", b"\xc4\xe3\xa1\xa4", "你·"),
            ("gb2312", b"\xc4\xe3\xa1\xa4", "你・"),
            (
                "gb18030",
                b"\xc4\xe3\x81\x30\x81\x30\x94\x39\xda\x33",
                "你\u{80}💩",
            ),
            ("big5", b"\xa7\x41", "你"),
            ("euc-kr", b"\xb3\xca", "너"),
            ("cp949", b"\x81\x41", "갂"),
        ];
        for (name, data, text) in cases {
            let codec = Codec::find(name).expect(name);
            assert_eq!(codec.decode(data, 0).as_deref(), Ok(*text), "{name}");
        }
        for (name, data, at) in [
            ("cp1252", &b"a\x81"[..], 1),
            ("ascii", b"ab\x80", 2),
            ("gbk", b"\xc4", 0),
            ("shift_jis", b"\x87\x40", 0),
        ] {
            let refused = Codec::find(name)
                .expect(name)
                .decode(data, 0)
                .expect_err(name)
                .to_string();
            assert!(
                refused.starts_with("not ") && refused.ends_with(&format!(" at {at}")),
                "{refused}"
            );
        }
    }
}
