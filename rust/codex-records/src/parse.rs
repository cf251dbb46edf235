//! A line back to its record.

use crate::json::{Fault, Scanner};
use crate::{Id, Meta, Record, Source};
use serde_json::Value;

type Parsed<T> = Result<T, Fault>;

/// The record on `line`, without its `\n`; `verify_id` recomputes the id from the text.
pub(crate) fn parse_line(line: &[u8], verify_id: bool) -> Parsed<Record> {
    let text = std::str::from_utf8(line).map_err(|error| {
        let at = error.valid_up_to();
        Fault {
            at,
            reason: format!("not UTF-8: byte {:#04x}", line[at]),
        }
    })?;
    let mut scanner = Scanner::new(text);
    let (mut id, mut text, mut source, mut meta) = (None, None, None, None);
    scanner.object(|scanner, key, key_at| {
        match key.as_str() {
            "id" => id = Some((read_id(scanner)?, key_at)),
            "text" => text = Some(read_text(scanner)?),
            "source" => source = Some(read_source(scanner)?),
            "meta" => meta = Some(read_meta(scanner)?),
            _ => return unknown(&key, key_at),
        }
        Ok(())
    })?;
    scanner.end()?;
    let ((id, id_at), text) = (required(id, "id")?, required(text, "text")?);
    let source = required(source, "source")?;
    if verify_id && id != Id::of(&text) {
        let reason = format!("the id is {id}, but the text has {}", Id::of(&text));
        return Err(Fault { at: id_at, reason });
    }
    Ok(Record {
        id,
        text,
        source,
        meta,
    })
}

fn required<T>(value: Option<T>, key: &str) -> Parsed<T> {
    value.ok_or_else(|| Fault {
        at: 0,
        reason: format!("the key `{key}` is missing"),
    })
}

fn unknown(key: &str, at: usize) -> Parsed<()> {
    Err(Fault {
        at,
        reason: format!("unknown key `{}`", key.escape_debug()),
    })
}

fn read_id(scanner: &mut Scanner) -> Parsed<Id> {
    scanner.peek();
    let at = scanner.at();
    scanner.string()?.parse().map_err(|error: crate::Error| Fault {
        at,
        reason: error.to_string(),
    })
}

fn read_text(scanner: &mut Scanner) -> Parsed<String> {
    scanner.peek();
    let at = scanner.at();
    let text = scanner.string()?;
    if text.contains('\r') {
        return Err(Fault {
            at,
            reason: "a carriage return in the text, expected `\\n` for every newline".to_owned(),
        });
    }
    Ok(text)
}

fn read_source(scanner: &mut Scanner) -> Parsed<Source> {
    let (mut path, mut member, mut offset, mut encoding, mut errors) = (None, None, None, None, None);
    scanner.object(|scanner, key, key_at| {
        match key.as_str() {
            "path" => path = Some(scanner.string()?),
            "member" => member = Some(read_member(scanner)?),
            "offset" => offset = Some(scanner.unsigned()?),
            "encoding" => encoding = Some(scanner.string()?),
            "errors" => errors = Some(scanner.unsigned()?),
            _ => return unknown(&format!("source.{key}"), key_at),
        }
        Ok(())
    })?;
    Ok(Source {
        path: required(path, "source.path")?,
        member: required(member, "source.member")?,
        offset: required(offset, "source.offset")?,
        encoding: required(encoding, "source.encoding")?,
        errors: required(errors, "source.errors")?,
    })
}

fn read_member(scanner: &mut Scanner) -> Parsed<Option<String>> {
    if scanner.peek() == Some(b'"') {
        return scanner.string().map(Some);
    }
    let at = scanner.at();
    match scanner.value()? {
        Value::Null => Ok(None),
        _ => Err(Fault {
            at,
            reason: "expected a string or null".to_owned(),
        }),
    }
}

fn read_meta(scanner: &mut Scanner) -> Parsed<Meta> {
    if scanner.peek() != Some(b'{') {
        return scanner.fault("`meta` is no object");
    }
    let at = scanner.at();
    let value = scanner.value()?;
    Meta::canonical(&value).map_err(|error| Fault {
        at,
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#"{"path":"a","member":null,"offset":0,"encoding":"utf-8","errors":0}"#;
    const ID: &str = "ba7816bf8f01cfea414140de5dae2223";

    fn reason(line: &str) -> (usize, String) {
        let fault = parse_line(line.as_bytes(), true).expect_err(line);
        (fault.at, fault.reason)
    }

    #[test]
    fn any_valid_spelling_is_the_same_record() {
        let canonical = format!("{{\"id\":\"{ID}\",\"text\":\"abc\",\"source\":{SOURCE}}}");
        let record = parse_line(canonical.as_bytes(), true).expect("canonical");
        let mut out = Vec::new();
        record.write_line(&mut out).expect("it can be stored");
        assert_eq!(out, format!("{canonical}\n").as_bytes());
        let loose = format!(
            " {{ \"source\" : {}, \"text\": \"\\u0061b\\u0063\" ,\t\"id\":\"{ID}\" }} \r",
            r#"{"errors":0,"encoding":"utf-8","offset":0,"member":null,"path":"a"}"#
        );
        assert_eq!(parse_line(loose.as_bytes(), true), Ok(record));
    }

    #[test]
    fn every_fault_of_a_line_is_named() {
        let with = |id: &str, text: &str, source: &str, rest: &str| {
            format!("{{\"id\":{id},\"text\":{text},\"source\":{source}{rest}}}")
        };
        let (id, text) = (&*format!("\"{ID}\""), "\"abc\"");
        let cases = [
            (
                with("\"e3b0c44298fc1c149afbf4c8996fb924\"", text, SOURCE, ""),
                1,
                "but the text has ba7816bf",
            ),
            (
                with("\"BA78\"", text, SOURCE, ""),
                6,
                "`BA78` is no id, expected 32 lower-case hex digits",
            ),
            (with("7", text, SOURCE, ""), 6, "expected a string, found `7`"),
            (with(id, "null", SOURCE, ""), 48, "expected a string, found `n`"),
            (
                with(id, "\"a\\r\\n\"", SOURCE, ""),
                48,
                "a carriage return in the text",
            ),
            (
                with(id, "\"\\udfff\"", SOURCE, ""),
                49,
                "lone surrogate `\\udfff`",
            ),
            (with(id, text, "[]", ""), 63, "expected an object, found `[`"),
            (
                with(id, text, "{\"path\":\"a\"}", ""),
                0,
                "the key `source.member` is missing",
            ),
            (
                with(id, text, "{\"kind\":\"a\"}", ""),
                64,
                "unknown key `source.kind`",
            ),
            (
                with(id, text, &SOURCE.replace("null", "7"), ""),
                84,
                "expected a string or null",
            ),
            (
                with(id, text, &SOURCE.replace(":0,", ":-1,"), ""),
                98,
                "expected an integer from 0 to 2^53 - 1",
            ),
            (
                with(id, text, &SOURCE.replace(":0,", ":1.0,"), ""),
                98,
                "expected an integer from 0 to 2^53 - 1",
            ),
            (with(id, text, SOURCE, ",\"meta\":[]"), 138, "`meta` is no object"),
            (
                with(id, text, SOURCE, ",\"text\":\"abc\""),
                131,
                "the key `text` stands twice",
            ),
            (with(id, text, SOURCE, ",\"label\":1"), 131, "unknown key `label`"),
            (format!("{{\"id\":{id}}}"), 0, "the key `text` is missing"),
            ("7".to_owned(), 0, "expected an object, found `7`"),
        ];
        for (line, at, wanted) in cases {
            let (found_at, found) = reason(&line);
            assert!(
                found.contains(wanted) && found_at == at,
                "{line}: {found} at {found_at}"
            );
        }
        let fault = parse_line(b"{\"id\":\"\xff\"}", true).expect_err("not UTF-8");
        assert_eq!((fault.at, &*fault.reason), (7, "not UTF-8: byte 0xff"));
    }

    #[test]
    fn an_id_is_taken_on_trust_only_when_asked() {
        let line = format!("{{\"id\":\"{ID}\",\"text\":\"abd\",\"source\":{SOURCE}}}");
        assert!(parse_line(line.as_bytes(), true).is_err());
        assert_eq!(
            parse_line(line.as_bytes(), false).map(|record| record.id.to_string()),
            Ok(ID.to_owned())
        );
    }
}
