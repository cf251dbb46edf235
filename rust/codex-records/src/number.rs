//! Numbers of JSON: what no reader rounds, and what every reader rounds alike.

use serde_json::Number;

/// The largest integer that every reader holds exactly: 2^53 - 1.
pub(crate) const MAXIMUM_INTEGER: u64 = (1 << 53) - 1;

/// How many bytes of `text` are a number as RFC 8259 writes it: `-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?`
pub(crate) fn length(text: &[u8]) -> usize {
    let digits = |from: usize| {
        text[from..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    let sign = usize::from(text.first() == Some(&b'-'));
    let whole = if text.get(sign) == Some(&b'0') {
        1
    } else {
        digits(sign)
    };
    if whole == 0 {
        return 0;
    }
    let mut length = sign + whole;
    if text.get(length) == Some(&b'.') && digits(length + 1) > 0 {
        length += 1 + digits(length + 1);
    }
    if matches!(text.get(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(length + 1), Some(b'+' | b'-')));
        let exponent = digits(length + 1 + sign);
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    length
}

/// The value of a literal: an integer up to 2^53 - 1 as it is, anything else as the nearest double; or why there is none.
///
/// A larger integer is taken only from a line as it was stored (`is_line`), and only if it is what RFC 8785 writes for a
/// double: every reader holds that one.
pub(crate) fn value(literal: &str, is_line: bool) -> Result<Number, String> {
    if let Some(integer) = small_integer(literal) {
        return Ok(integer.into());
    }
    let double: f64 = literal.parse().unwrap_or(f64::NAN);
    let is_integer = literal.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
    if is_integer && literal != "-0" && !(is_line && is_canonical(double, literal)) {
        return Err(format!("the integer {literal} is beyond 2^53 - 1"));
    }
    Number::from_f64(double).ok_or_else(|| format!("the number {literal} is out of range"))
}

fn small_integer(literal: &str) -> Option<i64> {
    literal
        .parse::<i64>()
        .ok()
        .filter(|integer| integer.unsigned_abs() <= MAXIMUM_INTEGER && literal != "-0")
}

/// Whether RFC 8785 writes `double` as this integer: its shortest digits, and an exponent from 1e21 on.
fn is_canonical(double: f64, literal: &str) -> bool {
    double.abs() < 1e21 && double.to_string() == literal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_ends_where_rfc_8259_ends_it() {
        for (text, wanted) in [
            ("", ""),
            ("-", ""),
            (".5", ""),
            ("+1", ""),
            ("0", "0"),
            ("01", "0"),
            ("-0.50]", "-0.50"),
            ("1.", "1"),
            ("1.e5", "1"),
            ("1e", "1"),
            ("1e+", "1"),
            ("1E+05,", "1E+05"),
            ("12.5e-3e4", "12.5e-3"),
        ] {
            assert_eq!(&text[..length(text.as_bytes())], wanted, "{text}");
        }
    }

    #[test]
    fn a_large_integer_is_a_double_as_rfc_8785_writes_it_and_none_that_is_about_to_be_stored() {
        for (good, double) in [
            ("9007199254740992", 9_007_199_254_740_992.0),
            ("27166839449012270", 27_166_839_449_012_272.0),
            ("-100000000000000000000", -1e20),
        ] {
            assert_eq!(value(good, true).ok(), Number::from_f64(double));
            assert!(value(good, false).is_err(), "{good}");
        }
        for bad in [
            "9007199254740993",
            "18446744073709551615",
            "27166839449012272",
            "1000000000000000000000",
        ] {
            assert_eq!(
                value(bad, true),
                Err(format!("the integer {bad} is beyond 2^53 - 1"))
            );
        }
        for (exact, integer) in [
            ("9007199254740991", 9_007_199_254_740_991_i64),
            ("-7", -7),
            ("0", 0),
        ] {
            assert_eq!(value(exact, false), Ok(integer.into()));
        }
        assert_eq!(value("-0", false).ok(), Number::from_f64(-0.0));
    }
}
