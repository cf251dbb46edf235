//! JSON read strictly: a key that stands twice, text after the end, or a value nested too deep is refused.

use std::fmt;

use serde_core::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::error::{Error, Result};

/// Parses one JSON value that takes up all of `text`; the order of keys is kept.
///
/// # Errors
/// [`Class::Data`](crate::Class::Data) with line and column: not UTF-8, not JSON, a duplicate key, more than 127 levels.
///
/// ```
/// let error = codex_file::json::parse(br#"{"a": 1, "a": 2}"#).unwrap_err();
/// assert_eq!(error.to_string(), "not valid JSON: the key `a` stands twice at line 1 column 12");
/// ```
pub fn parse(text: &[u8]) -> Result<Value> {
    let text = std::str::from_utf8(text).map_err(|error| {
        Error::data(format!(
            "not valid JSON: not UTF-8 at byte {}",
            error.valid_up_to()
        ))
    })?;
    let invalid = |error: serde_json::Error| Error::data(format!("not valid JSON: {error}"));
    let mut parser = serde_json::Deserializer::from_str(text);
    let value = Strict.deserialize(&mut parser).map_err(invalid)?;
    parser.end().map_err(invalid)?;
    Ok(value)
}

/// Builds a [`Value`] as `serde_json` does, but refuses what it would overwrite.
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> std::result::Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> std::result::Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> std::result::Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> std::result::Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> std::result::Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> std::result::Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> std::result::Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> std::result::Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> std::result::Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(Self)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> std::result::Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if object.contains_key(&key) {
                return Err(de::Error::custom(format_args!(
                    "the key `{}` stands twice",
                    key.escape_debug()
                )));
            }
            let value = entries.next_value_seed(Self)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_serde_json_reads_is_read_the_same() {
        for text in [
            "null",
            " [true, false, -1, 18446744073709551615, 1e-7, 0.1, 5e-324, 1.7976931348623157e308] ",
            r#"{"b": {"x": []}, "a": "\u20ac \ud83d\ude00 \n", "": ""}"#,
        ] {
            assert_eq!(
                parse(text.as_bytes()).unwrap(),
                serde_json::from_str::<Value>(text).unwrap()
            );
        }
    }

    #[test]
    fn what_is_not_exactly_one_value_is_refused_with_its_place() {
        for (text, reason) in [
            (
                &b"{\"a\":1,\"b\":{\"c\":1,\"c\":1}}"[..],
                "the key `c` stands twice at line 1 column 21",
            ),
            (
                b"{\"a\\n\":1,\"a\\n\":1}",
                "the key `a\\n` stands twice at line 1 column 14",
            ),
            (b"{} {}", "trailing characters at line 1 column 4"),
            (b"[1,\n2", "EOF while parsing a list at line 2 column 1"),
            (b"", "EOF while parsing a value at line 1 column 0"),
            (b"NaN", "expected value at line 1 column 1"),
            (b"1e400", "number out of range at line 1 column 5"),
            (b"\"\\ud800\"", "unexpected end of hex escape at line 1 column 8"),
            (b"\xef\xbb\xbf{}", "expected value at line 1 column 1"),
            (b"\"a\xff\"", "not UTF-8 at byte 2"),
            (
                "[".repeat(128).as_bytes(),
                "recursion limit exceeded at line 1 column 128",
            ),
        ] {
            assert_eq!(
                parse(text).unwrap_err().to_string(),
                format!("not valid JSON: {reason}")
            );
        }
    }
}
