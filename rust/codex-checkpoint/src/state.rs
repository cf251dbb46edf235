//! The part of `state.json` that decides which checkpoints are worth keeping; the rest belongs to the caller.

use std::collections::BTreeMap;

use codex_file::{Error, Result, json};
use serde_json::Value;

use crate::HELD_OUT_METRIC;

/// The newest `state.json` this build reads. Version 1 had one metric, beside the step; version 2 has `metrics`.
pub(crate) const STATE_VERSION: u64 = 2;

/// The measurements in the state `text`, by name; what is not a number is left out.
///
/// A state without a version was written by a caller with a format of its own, which is read as it is.
pub(crate) fn metrics(text: &[u8]) -> Result<BTreeMap<String, f64>> {
    let state = json::parse(text).map_err(|error| Error::damage(error.to_string()))?;
    let version = state.get("schema_version").and_then(Value::as_u64).unwrap_or(1);
    if version > STATE_VERSION {
        let message = format!("has schema version {version}, expected at most {STATE_VERSION}");
        return Err(Error::damage(message).with_hint("a newer codex wrote it: upgrade to read it"));
    }
    let object = state.get("metrics").and_then(Value::as_object);
    let mut numbers: BTreeMap<String, f64> = object
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), value.as_f64()?)))
        .collect();
    if let Some(held_out) = state.get(HELD_OUT_METRIC).and_then(Value::as_f64) {
        numbers.entry(HELD_OUT_METRIC.to_owned()).or_insert(held_out);
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_give_the_same_metrics_and_a_newer_one_is_refused() {
        for (text, wanted) in [
            (r#"{"schema_version":1,"held_out_bits_per_byte":1.5}"#, Some(1.5)),
            (
                r#"{"schema_version":2,"metrics":{"held_out_bits_per_byte":1.5,"note":"x"}}"#,
                Some(1.5),
            ),
            (r#"{"schema_version":2,"metrics":{}}"#, None),
            (r#"{"schema_version":1,"held_out_bits_per_byte":null}"#, None),
            ("{}", None),
        ] {
            let found = metrics(text.as_bytes()).expect(text);
            assert_eq!(found.get(HELD_OUT_METRIC).copied(), wanted, "{text}");
            assert_eq!(found.len(), usize::from(wanted.is_some()), "{text}");
        }
        let error = metrics(br#"{"schema_version":3}"#).expect_err("newer");
        assert_eq!(error.to_string(), "has schema version 3, expected at most 2");
        let error = metrics(br#"{"step":1,"step":2}"#).expect_err("twice");
        assert!(
            error.to_string().contains("the key `step` stands twice"),
            "{error}"
        );
    }
}
