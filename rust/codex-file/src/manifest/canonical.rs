//! Canonical JSON (RFC 8785): one value, one sequence of bytes.

use serde_json::{Map, Number, Value};

use crate::error::{Error, Result};

/// As deep as the parser goes, so that all that is written can be read.
const MAXIMUM_DEPTH: usize = 127;

/// `value` in canonical form: keys in the order of their UTF-16 units, numbers as ECMAScript writes them, no spaces.
///
/// # Errors
/// If an integer has other digits than the double next to it, which begins beyond 2^53 - 1, or `value` is nested deeper than 127 levels.
///
/// ```
/// let value = serde_json::json!({"b": [1.0, 1e21, true], "a": "é\n"});
/// assert_eq!(codex_file::manifest::canonical(&value)?, "{\"a\":\"é\\n\",\"b\":[1,1e+21,true]}".as_bytes());
/// # Ok::<(), codex_file::Error>(())
/// ```
pub fn canonical(value: &Value) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    write_value(&mut out, value, 0)?;
    Ok(out)
}

fn write_value(out: &mut Vec<u8>, value: &Value, depth: usize) -> Result<()> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => write_number(out, number)?,
        Value::String(text) => write_string(out, text),
        Value::Array(_) | Value::Object(_) if depth == MAXIMUM_DEPTH => {
            return Err(Error::data(format!(
                "nested deeper than {MAXIMUM_DEPTH} levels, so it could not be read back"
            )));
        }
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_value(out, item, depth + 1)?;
            }
            out.push(b']');
        }
        Value::Object(entries) => write_object(out, entries, depth)?,
    }
    Ok(())
}

fn write_object(out: &mut Vec<u8>, entries: &Map<String, Value>, depth: usize) -> Result<()> {
    let mut sorted: Vec<_> = entries.iter().collect();
    sorted.sort_by(|(left, _), (right, _)| left.encode_utf16().cmp(right.encode_utf16()));
    out.push(b'{');
    for (index, (key, value)) in sorted.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_string(out, key);
        out.push(b':');
        write_value(out, value, depth + 1)?;
    }
    out.push(b'}');
    Ok(())
}

fn write_number(out: &mut Vec<u8>, number: &Number) -> Result<()> {
    let float = number.as_f64().filter(|float| float.is_finite());
    let float = float.ok_or_else(|| Error::data(format!("the number {number} is not finite")))?;
    let mut buffer = ryu_js::Buffer::new();
    let text = buffer.format_finite(float);
    // A number is what its nearest double is written as. For an integer those may be other digits.
    if !number.is_f64() && text != number.to_string() {
        let message =
            format!("the integer {number} is beyond 2^53 - 1, where JSON numbers are no longer exact");
        return Err(Error::data(message).with_hint("write it as a string"));
    }
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn written(value: &Value) -> String {
        String::from_utf8(canonical(value).unwrap()).unwrap()
    }

    #[test]
    fn the_examples_of_rfc_8785() {
        // Section 3.2.2 and 3.2.3.
        let value = json!({
            "numbers": [f64::from_bits(0x41b3_de43_5555_5555), 1e30, 4.50, 2e-3, 1e-27],
            "string": "\u{20ac}$\u{f}\nA'B\"\\\\\"/",
            "literals": [null, true, false]
        });
        assert_eq!(
            written(&value),
            concat!(
                r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"#,
                r#""string":"€$\u000f\nA'B\"\\\\\"/"}"#
            )
        );
        let value = json!({
            "\u{20ac}": "Euro Sign", "\r": "Carriage Return", "\u{fb33}": "Hebrew Letter Dalet With Dagesh",
            "1": "One", "\u{1f600}": "Emoji: Grinning Face", "\u{80}": "Control", "\u{f6}": "Latin Small Letter O With Diaeresis"
        });
        let order: Vec<&str> = ["Carriage", "One", "Control", "Latin", "Euro", "Emoji", "Hebrew"].into();
        let text = written(&value);
        let places: Vec<usize> = order
            .iter()
            .map(|word| text.find(&format!(":\"{word}")).unwrap())
            .collect();
        assert!(places.is_sorted(), "{text}");
    }

    #[test]
    fn the_numbers_of_rfc_8785_appendix_b() {
        for (bits, text) in [
            (0x0000_0000_0000_0000_u64, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0xc340_0000_0000_0000, "-9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
            (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
            (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
            (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x41b3_de43_5555_5553, "333333333.3333332"),
            (0x41b3_de43_5555_5554, "333333333.33333325"),
            (0x41b3_de43_5555_5555, "333333333.3333333"),
            (0x41b3_de43_5555_5556, "333333333.3333334"),
            (0x41b3_de43_5555_5557, "333333333.33333343"),
            (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
            (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
        ] {
            assert_eq!(written(&json!(f64::from_bits(bits))), text, "{bits:016x}");
        }
    }

    #[test]
    fn every_control_character_has_its_one_escape() {
        let text: String = (0..0x23).map(|code| char::from_u32(code).unwrap()).collect();
        let escaped = written(&json!(text));
        assert!(
            escaped.starts_with(r#""\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000b\f\r\u000e"#)
        );
        assert!(escaped.ends_with(r#"\u001f !\"""#), "{escaped}");
        assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
    }

    #[test]
    fn integers_end_where_doubles_skip_them() {
        for good in [
            json!(9_007_199_254_740_991_u64),
            json!(-9_007_199_254_740_991_i64),
            json!(0),
            json!(-1),
        ] {
            assert_eq!(written(&good), good.to_string());
        }
        for bad in [
            json!(9_007_199_254_740_993_u64),
            json!(-9_007_199_254_740_993_i64),
            json!(u64::MAX),
            json!(i64::MIN),
        ] {
            assert!(canonical(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_large_float_is_read_back_as_an_integer_and_written_the_same() {
        for float in [9_007_199_254_740_992.0, 41_145_950_332_570_304.0, -1e20, 1.5e300] {
            let text = written(&json!(float));
            assert_eq!(written(&crate::json::parse(text.as_bytes()).unwrap()), text);
        }
    }

    #[test]
    fn what_is_written_can_be_read_as_deep_as_it_goes() {
        let nested = |depth| (1..depth).fold(json!([]), |inner, _| json!([inner]));
        assert!(crate::json::parse(&canonical(&nested(MAXIMUM_DEPTH)).unwrap()).is_ok());
        assert!(canonical(&nested(MAXIMUM_DEPTH + 1)).is_err());
    }
}
