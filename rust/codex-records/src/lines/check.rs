//! The slow way over a line of JSON: it says which byte is wrong, and why.

use super::columns::exact;
use super::{ColumnType, MAXIMUM_DIGITS, Rules};
use crate::json::{Fault, Scanned, Scanner};

/// What is asked of a line beyond being an object of JSON.
pub(super) enum Wanted<'a> {
    /// A string under this key.
    Text(&'a str),
    /// Values that can be held, under these keys or all.
    Values(Option<&'a [String]>),
    /// Values of these types, if they are there.
    Columns(&'a [(String, ColumnType)]),
}

/// What is wrong with `line`.
pub(super) fn fault_of(line: &str, wanted: &Wanted<'_>, rules: Rules) -> Option<Fault> {
    check_line(line, wanted, rules).err()
}

fn check_line(line: &str, wanted: &Wanted<'_>, rules: Rules) -> Scanned<()> {
    let mut scanner = Scanner::new(line);
    let mut has_text = false;
    members(&mut scanner, rules, |scanner, key| match wanted {
        Wanted::Text(text_key) if key == *text_key => {
            has_text = true;
            scanner.string().map(drop)
        }
        Wanted::Values(keys) if keys.is_none_or(|keys| keys.iter().any(|wanted| wanted == key)) => {
            value(scanner, rules, true)
        }
        Wanted::Columns(columns) => match columns.iter().find(|(name, _)| name == key) {
            Some((_, kind)) => typed(scanner, *kind, rules),
            None => value(scanner, rules, false),
        },
        _ => value(scanner, rules, false),
    })?;
    scanner.end()?;
    match wanted {
        Wanted::Text(key) if !has_text => Err(Fault {
            at: 0,
            reason: format!("the key `{}` is missing", key.escape_debug()),
        }),
        _ => Ok(()),
    }
}

fn members(
    scanner: &mut Scanner<'_>,
    rules: Rules,
    mut member: impl FnMut(&mut Scanner<'_>, &str) -> Scanned<()>,
) -> Scanned<()> {
    if rules.refuses_twins {
        scanner.object(|scanner, key, _| member(scanner, &key))
    } else {
        scanner.members(|scanner, key, _| member(scanner, &key))
    }
}

/// Any value; one that is not wanted need not be one that can be held.
fn value(scanner: &mut Scanner<'_>, rules: Rules, is_wanted: bool) -> Scanned<()> {
    if take_named_number(scanner, rules) {
        return Ok(());
    }
    match scanner.peek() {
        Some(b'{') => members(scanner, rules, |scanner, _| value(scanner, rules, is_wanted)),
        Some(b'[') => scanner.array(|scanner| value(scanner, rules, is_wanted)),
        Some(b'-' | b'0'..=b'9') if is_wanted => {
            let at = scanner.at();
            let literal = scanner.literal()?;
            number(literal, at).map(drop)
        }
        _ => scanner.skip(),
    }
}

/// Passes over a number that JSON does not have, if the rules do.
fn take_named_number(scanner: &mut Scanner<'_>, rules: Rules) -> bool {
    rules.takes_nan
        && ["NaN", "Infinity", "-Infinity"]
            .iter()
            .any(|word| scanner.take_word(word))
}

/// A number that is no integer, as the nearest double.
fn number(literal: &str, at: usize) -> Scanned<Option<f64>> {
    if is_integer(literal) {
        let digits = literal.trim_start_matches('-').len();
        if digits > MAXIMUM_DIGITS {
            let reason = format!("an integer of {digits} digits, expected at most {MAXIMUM_DIGITS}");
            return Err(Fault { at, reason });
        }
        return Ok(None);
    }
    match literal.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Some(value)),
        _ => Err(Fault {
            at,
            reason: format!("the number {literal} is out of range"),
        }),
    }
}

fn is_integer(literal: &str) -> bool {
    literal.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit())
}

fn typed(scanner: &mut Scanner<'_>, kind: ColumnType, rules: Rules) -> Scanned<()> {
    scanner.peek();
    let at = scanner.at();
    if kind == ColumnType::Json {
        return value(scanner, rules, false);
    }
    if scanner.take_word("null") {
        return Ok(());
    }
    let refused = |literal: &str, wanted: &str| Fault {
        at,
        reason: format!("expected {wanted}, found `{literal}`"),
    };
    match kind {
        ColumnType::Text => scanner.string().map(drop),
        ColumnType::Boolean if scanner.take_word("true") || scanner.take_word("false") => Ok(()),
        ColumnType::Boolean => scanner.unexpected("a boolean"),
        ColumnType::Float if take_named_number(scanner, rules) => Ok(()),
        ColumnType::Float => {
            let literal = scanner.literal()?;
            let is_held = literal == "-0" || literal.parse().is_ok_and(|value| exact(value).is_some());
            if number(literal, at)?.is_some() || is_held {
                Ok(())
            } else {
                Err(refused(literal, "a number that a double holds exactly"))
            }
        }
        _ => {
            let literal = scanner.literal()?;
            if literal != "-0" && literal.parse::<i64>().is_ok() {
                Ok(())
            } else {
                Err(refused(literal, "an integer of 64 bits"))
            }
        }
    }
}
