//! Manifests: what a folder holds, in canonical JSON that covers itself with a digest.
//!
//! [`seal`] makes the bytes of a `manifest.json`, [`open`] reads them back and refuses a single changed bit,
//! [`verify_files`] holds the folder against it. Two equal runs write equal bytes.

mod canonical;
mod files;
#[cfg(test)]
mod folders;

use std::path::Path;

use serde_json::Value;

pub use canonical::canonical;
pub use files::{BUILD_FILE, FileEntry, MANIFEST_FILE, list_files, verify_files};
pub(crate) use files::{check_relative, list_others};

use crate::digest::{Algorithm, Digest, digest_bytes};
use crate::error::{Error, Result, quoted};
use crate::json;
use crate::stream;

/// A manifest larger than this is not read: half a million files fit.
const MAXIMUM_BYTES: u64 = 100_000_000;

/// The bytes of a manifest: `value` with its own digest added, in canonical form, and a newline.
///
/// The digest is SHA-256 over the canonical form without it.
///
/// # Errors
/// If `value` is not an object, has a `digest` already, or cannot be written canonically.
pub fn seal(value: Value) -> Result<Vec<u8>> {
    let Value::Object(mut object) = value else {
        return Err(Error::usage("a manifest is an object, got another kind of value"));
    };
    if object.contains_key("digest") {
        return Err(Error::usage(
            "`digest` is set already, expected an object that is not sealed yet",
        ));
    }
    let value = Value::Object(object.clone());
    let digest = digest_bytes(Algorithm::Sha256, &canonical(&value)?);
    object.insert("digest".to_owned(), digest.to_string().into());
    let mut sealed = canonical(&Value::Object(object))?;
    sealed.push(b'\n');
    Ok(sealed)
}

/// Reads the manifest at `path` and checks it: strict JSON, its own digest, and byte for byte what [`seal`] wrote.
///
/// # Errors
/// [`Class::Missing`](crate::Class::Missing) if there is none, [`Class::Damage`](crate::Class::Damage) if any bit of it
/// has changed.
pub fn open(path: &Path) -> Result<Value> {
    unseal(&stream::read_plain(path, MAXIMUM_BYTES)?)
        .map_err(|error| Error::damage(format!("manifest {} is damaged: {error}", quoted(path))))
}

/// What [`seal`] made these bytes of.
///
/// # Errors
/// [`Class::Damage`](crate::Class::Damage) if it made no such bytes.
pub fn unseal(bytes: &[u8]) -> Result<Value> {
    check_seal(bytes).map_err(Error::damage)
}

fn check_seal(bytes: &[u8]) -> std::result::Result<Value, String> {
    let value = json::parse(bytes).map_err(|error| error.to_string())?;
    let stated = value
        .get("digest")
        .and_then(Value::as_str)
        .ok_or("it states no digest of itself")?;
    let stated: Digest = stated.parse().map_err(|error: Error| error.to_string())?;
    let mut unsealed = value.clone();
    if let Value::Object(object) = &mut unsealed {
        object.shift_remove("digest");
    }
    let resealed = seal(unsealed).map_err(|error| error.to_string())?;
    if resealed == bytes {
        return Ok(value);
    }
    let found = json::parse(&resealed).map_err(|error| error.to_string())?;
    match found.get("digest").and_then(Value::as_str) {
        Some(found) if found != stated.to_string() => {
            Err(format!("it says {stated}, its content has {found}"))
        }
        _ => Err("it is not in canonical form".to_owned()),
    }
}

/// The schema version of a manifest, once it is known to be of `kind` and not newer than `newest`.
///
/// # Errors
/// [`Class::Damage`](crate::Class::Damage) naming `path`, what it is and what was expected.
pub fn require_schema(manifest: &Value, kind: &str, newest: u64, path: &Path) -> Result<u64> {
    match manifest.get("kind").and_then(Value::as_str) {
        Some(found) if found == kind => {}
        Some(found) => {
            return Err(Error::damage(format!(
                "{} describes `{found}`, expected `{kind}`",
                quoted(path)
            )));
        }
        None => {
            return Err(Error::damage(format!(
                "{} has no `kind`, expected `{kind}`",
                quoted(path)
            )));
        }
    }
    match manifest.get("schema_version").and_then(Value::as_u64) {
        Some(version) if (1..=newest).contains(&version) => Ok(version),
        Some(version) if version > newest => {
            let message = format!(
                "{} has schema version {version} of `{kind}`, this codex reads up to {newest}",
                quoted(path)
            );
            Err(Error::damage(message).with_hint("read it with the codex that wrote it, or a newer one"))
        }
        _ => Err(Error::damage(format!(
            "{} has no `schema_version` of 1 or more",
            quoted(path)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Class;
    use serde_json::json;

    fn sealed() -> Vec<u8> {
        seal(json!({"kind": "records", "schema_version": 1, "counts": {"records": 3, "mean": 0.1}, "files": []})).unwrap()
    }

    #[test]
    fn a_manifest_is_sealed_in_canonical_form_and_opens_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(MANIFEST_FILE);
        std::fs::write(&path, sealed()).unwrap();
        assert_eq!(
            String::from_utf8(sealed()).unwrap(),
            concat!(
                r#"{"counts":{"mean":0.1,"records":3},"#,
                r#""digest":"sha256:2dde8d82fd2ed155200c6f40ffb8b0757c738c068a2e2992d6a18622a23bda9d","#,
                r#""files":[],"kind":"records","schema_version":1}"#,
                "\n"
            )
        );
        assert_eq!(open(&path).unwrap()["counts"]["records"], 3);
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_damage() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(MANIFEST_FILE);
        let good = sealed();
        let refuse = |bytes: &[u8], what: &str| {
            std::fs::write(&path, bytes).unwrap();
            let error = open(&path).expect_err(what);
            assert_eq!(error.class(), Class::Damage, "{what}: {error}");
            assert!(error.to_string().contains(MANIFEST_FILE), "{error}");
        };
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            refuse(&bad, &format!("bit {bit}"));
        }
        for length in 0..good.len() {
            refuse(&good[..length], &format!("cut at {length}"));
        }
        refuse(&[good.as_slice(), b" "].concat(), "a byte appended");
        refuse(b"{}\n", "no digest");
        refuse(b"[]\n", "not an object");
    }

    #[test]
    fn a_number_survives_whatever_its_digits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(MANIFEST_FILE);
        let numbers: [f64; 6] = [
            0.1 + 0.2,
            1.0 / 3.0,
            2.220_446_049_250_313e-16,
            5e-324,
            1.797_693_134_862_315_7e308,
            1e21,
        ];
        std::fs::write(&path, seal(json!({ "numbers": numbers })).unwrap()).unwrap();
        let read = open(&path).unwrap();
        for (index, number) in numbers.iter().enumerate() {
            assert_eq!(
                read["numbers"][index].as_f64().unwrap().to_bits(),
                number.to_bits()
            );
        }
    }

    #[test]
    fn only_an_unsealed_object_can_be_sealed() {
        for value in [
            json!([]),
            json!({"digest": "x"}),
            json!({"big": 9_007_199_254_740_993_u64}),
        ] {
            assert!(seal(value).is_err());
        }
    }

    #[test]
    fn another_kind_and_a_newer_schema_are_refused_by_name() {
        let path = Path::new("runs/a/manifest.json");
        let check =
            |value: Value| require_schema(&value, "records", 2, path).map_err(|error| error.to_string());
        assert_eq!(check(json!({"kind": "records", "schema_version": 2})), Ok(2));
        for (value, message) in [
            (
                json!({"kind": "shards", "schema_version": 1}),
                "describes `shards`, expected `records`",
            ),
            (json!({"schema_version": 1}), "has no `kind`, expected `records`"),
            (
                json!({"kind": "records", "schema_version": 3}),
                "has schema version 3 of `records`, this codex reads up to 2",
            ),
            (
                json!({"kind": "records", "schema_version": 0}),
                "has no `schema_version` of 1 or more",
            ),
            (
                json!({"kind": "records", "schema_version": "1"}),
                "has no `schema_version` of 1 or more",
            ),
        ] {
            assert_eq!(check(value), Err(format!("`runs/a/manifest.json` {message}")));
        }
    }
}
