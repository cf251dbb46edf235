//! A line of anyone's NDJSON: its text, and its id if that is one of ours. Nothing is allocated for a line.
//!
//! Other keys may stand there; they have to be JSON and are passed over. `parse` reads the lines of this project instead:
//! every key known, every id held against its text.

use crate::Id;
use crate::json::{Fault, Scanned, Scanner, twice};

/// Replaces `text` by what stands on `line` under `text_key`; returns the `id` that stands beside it.
///
/// The id is told if it is 32 lower-case hex digits, as [`Id`] writes them; it is taken on trust. Any other is passed over.
///
/// # Errors
/// If the line is no object of JSON, has no such text, or has the text or the id twice. `text` then holds anything.
///
/// ```
/// use codex_records::read_document;
///
/// let mut text = String::new();
/// let id = read_document(r#"{"url": "a", "text": "one\ntwo"}"#, "text", &mut text).expect("a document");
/// assert_eq!((text.as_str(), id), ("one\ntwo", None));
/// ```
pub fn read_document(line: &str, text_key: &str, text: &mut String) -> Result<Option<Id>, Fault> {
    let mut scanner = Scanner::new(line);
    let (mut has_text, mut has_id, mut id) = (false, false, None);
    text.clear();
    scanner.members(|scanner, key, at| {
        if key == text_key {
            if std::mem::replace(&mut has_text, true) {
                return twice(&key, at);
            }
            scanner.string_into(text)
        } else if key == "id" {
            if std::mem::replace(&mut has_id, true) {
                return twice(&key, at);
            }
            id = read_id(scanner)?;
            Ok(())
        } else {
            scanner.skip()
        }
    })?;
    scanner.end()?;
    if has_text {
        Ok(id)
    } else {
        let reason = format!("the key `{}` is missing", text_key.escape_debug());
        Err(Fault { at: 0, reason })
    }
}

fn read_id(scanner: &mut Scanner) -> Scanned<Option<Id>> {
    if scanner.peek() == Some(b'"') {
        Ok(Id::from_hex(scanner.borrowed_string()?.as_bytes()))
    } else {
        scanner.skip().map(|()| None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutate::Mutations;
    use serde_json::Value;

    const ID: &str = "ba7816bf8f01cfea414140de5dae2223";

    fn read(line: &str) -> Result<(String, Option<Id>), Fault> {
        let mut text = "what was there before".to_owned();
        read_document(line, "text", &mut text).map(|id| (text, id))
    }

    #[test]
    fn a_text_is_found_wherever_it_stands() {
        let id: Id = ID.parse().expect("an id");
        for (line, text, wanted) in [
            (r#"{"text":""}"#, "", None),
            (r#"{"text":"a","text ":7}"#, "a", None),
            (
                r#" { "te\u0078t" : "\ud83d\ude00\"\/\\\u0000é\n" } "#,
                "😀\"/\\\0é\n",
                None,
            ),
            (&format!(r#"{{"id":"{ID}","text":"a"}}"#), "a", Some(id)),
            (
                &format!(r#"{{"text":"a","meta":{{"id":7}},"id":"{ID}"}}"#),
                "a",
                Some(id),
            ),
            (
                &format!(r#"{{"text":"a","id":"{}"}}"#, ID.to_uppercase()),
                "a",
                None,
            ),
            (r#"{"id":7,"text":"a"}"#, "a", None),
            (r#"{"id":null,"text":"a"}"#, "a", None),
            (
                r#"{"n":[-0.5e+3,[],{},{"text":"b","a":1,"a":2}],"b":true,"text":"a","big":18446744073709551616}"#,
                "a",
                None,
            ),
        ] {
            assert_eq!(read(line), Ok((text.to_owned(), wanted)), "{line}");
        }
        let mut text = String::new();
        assert_eq!(
            read_document(r#"{"text":1,"content":"a"}"#, "content", &mut text),
            Ok(None)
        );
        assert_eq!(text, "a");
    }

    #[test]
    fn every_fault_has_its_byte_and_its_reason() {
        let deep = format!("{{\"a\":{}", "[".repeat(127));
        for (line, at, reason) in [
            ("{}", 0, "the key `text` is missing"),
            ("[]", 0, "expected an object, found `[`"),
            (r#"{"text":null}"#, 8, "expected a string, found `n`"),
            (r#"{"text":"a","text":"b"}"#, 12, "the key `text` stands twice"),
            (r#"{"id":1,"text":"a","id":2}"#, 19, "the key `id` stands twice"),
            (r#"{"text":"a"} x"#, 13, "expected the end of the line, found `x`"),
            (r#"{"text":"a\udc00"}"#, 10, "lone surrogate `\\udc00`"),
            (r#"{"text":"a","n":-}"#, 16, "expected a number, found `-`"),
            (r#"{"text":"a","n":01}"#, 17, "expected `,` or `}`, found `1`"),
            (r#"{"text":"a","n":"\q"}"#, 17, "an escape JSON does not have"),
            (r#"{"text":"a"#, 10, "a string without its closing quote"),
            (&deep, 131, "nested deeper than 127 levels"),
        ] {
            let fault = read(line).expect_err(line);
            assert_eq!((fault.at, fault.reason.as_str()), (at, reason), "{line}");
        }
    }

    #[test]
    fn a_mutated_line_is_read_as_serde_json_reads_it_or_refused() {
        let line = br#"{"id":"ba78","m":{"k":[-1.5e3,0,true,null]},"text":"a\n\u00e9\ud83d\ude00\" long enough, \\ yes"}"#;
        let mut mutations = Mutations(20_261_121);
        let mut accepted = 0;
        for _ in 0..40_000 {
            let Some(mutated) = mutations.next(line, 1) else {
                continue;
            };
            let mutated = mutated.as_str();
            let theirs =
                serde_json::from_str::<Value>(mutated).map(|value| value["text"].as_str().map(str::to_owned));
            match (read(mutated), theirs) {
                (Ok((ours, _)), Ok(theirs)) => {
                    accepted += 1;
                    assert_eq!(Some(ours), theirs, "{mutated}");
                }
                // What is passed over has to be JSON, but nobody has to be able to hold it.
                (Ok(_), Err(error)) => {
                    assert!(error.to_string().contains("out of range"), "{mutated}: {error}");
                }
                (Err(fault), Ok(theirs)) => assert!(
                    theirs.is_none() || fault.reason.contains("stands twice"),
                    "{mutated}: {}",
                    fault.reason
                ),
                (Err(fault), Err(_)) => assert!(fault.at <= mutated.len()),
            }
        }
        assert!(accepted > 1000, "{accepted}");
    }
}
