//! Folders held against their manifests.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::error::Class;

/// What is done to the folder, how, and what is said of it.
type Damage = (&'static str, fn(&Path), &'static str);

fn folder() -> (tempfile::TempDir, Value) {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("sub")).unwrap();
    for (name, content) in [
        ("b.txt", "bee"),
        ("a.txt", "ay"),
        ("sub/c.txt", "sea"),
        ("a-b", ""),
        (BUILD_FILE, "{}"),
    ] {
        fs::write(home.path().join(name), content).unwrap();
    }
    let files = list_files(home.path(), Algorithm::Xxh3).unwrap();
    let manifest = json!({"files": files.iter().map(FileEntry::to_value).collect::<Vec<_>>()});
    fs::write(home.path().join(MANIFEST_FILE), seal(manifest.clone()).unwrap()).unwrap();
    (home, manifest)
}

#[test]
fn a_listed_folder_verifies_and_its_order_is_that_of_the_paths() {
    let (home, manifest) = folder();
    let paths: Vec<&str> = manifest["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["a-b", "a.txt", "b.txt", "sub/c.txt"]);
    verify_files(home.path(), &manifest).unwrap();
    verify_files(home.path(), &open(&home.path().join(MANIFEST_FILE)).unwrap()).unwrap();
    fs::write(home.path().join(BUILD_FILE), "notes are free to change").unwrap();
    verify_files(home.path(), &manifest).unwrap();
}

#[test]
fn every_difference_is_damage_and_named() {
    let damages: [Damage; 9] = [
        (
            "changed",
            |home| fs::write(home.join("b.txt"), "bed").unwrap(),
            "b.txt` is damaged: it has xxh3-128:",
        ),
        (
            "longer",
            |home| fs::write(home.join("b.txt"), "beer").unwrap(),
            "b.txt` has 4 bytes, its manifest says 3",
        ),
        (
            "missing",
            |home| fs::remove_file(home.join("b.txt")).unwrap(),
            "b.txt` is missing, its manifest lists it",
        ),
        (
            "extra",
            |home| fs::write(home.join("x"), "").unwrap(),
            "x` is not in the manifest of its folder",
        ),
        (
            "extra below",
            |home| fs::write(home.join("sub/x"), "").unwrap(),
            "sub/x` is not in the manifest",
        ),
        (
            "no folder",
            |home| fs::remove_dir_all(home.join("sub")).unwrap(),
            "sub/c.txt` is missing",
        ),
        (
            "a file for a folder",
            |home| {
                fs::remove_dir_all(home.join("sub")).unwrap();
                fs::write(home.join("sub"), "").unwrap();
            },
            "sub/c.txt` is missing",
        ),
        (
            "a link",
            |home| {
                fs::rename(home.join("b.txt"), home.join("sub/real")).unwrap();
                symlink("sub/real", home.join("b.txt")).unwrap();
            },
            "b.txt` is not a plain file",
        ),
        (
            "an extra link",
            |home| symlink("/", home.join("root")).unwrap(),
            "root` is neither a file nor a folder",
        ),
    ];
    for (what, damage, reason) in damages {
        let (home, manifest) = folder();
        damage(home.path());
        let error = verify_files(home.path(), &manifest).expect_err(what);
        assert_eq!(error.class(), Class::Damage, "{what}");
        assert!(error.to_string().contains(reason), "{what}: {error}");
    }
}

#[test]
fn a_manifest_cannot_point_out_of_its_folder() {
    let (home, manifest) = folder();
    for path in [
        "/etc/passwd",
        "../up",
        "sub/../b.txt",
        "./b.txt",
        "sub//c.txt",
        "",
        "sub/",
        "b.txt\0",
    ] {
        let mut bad = manifest.clone();
        bad["files"][0]["path"] = path.into();
        let error = verify_files(home.path(), &bad).expect_err(path);
        assert_eq!(error.class(), Class::Damage);
        assert!(
            error.to_string().contains("leaves its folder or is not plain"),
            "{error}"
        );
        assert!(FileEntry::of(home.path(), path, Algorithm::Xxh3).is_err());
    }
}

#[test]
fn an_entry_of_another_shape_is_damage() {
    let (home, manifest) = folder();
    let twice = json!({"files": [manifest["files"][0], manifest["files"][0]]});
    for bad in [
        json!({}),
        json!({"files": {}}),
        json!({"files": [1]}),
        json!({"files": [{"path": "a-b", "bytes": -1, "digest": manifest["files"][0]["digest"]}]}),
        json!({"files": [{"path": "a-b", "bytes": 0, "digest": "sha256:0"}]}),
        json!({"files": [{"path": "a-b", "bytes": 0}]}),
        twice,
    ] {
        assert_eq!(
            verify_files(home.path(), &bad).unwrap_err().class(),
            Class::Damage,
            "{bad}"
        );
    }
}

#[test]
fn an_entry_survives_the_journey_through_json() {
    let (home, _) = folder();
    for algorithm in [Algorithm::Xxh3, Algorithm::Sha256] {
        let entry = FileEntry::of(home.path(), "sub/c.txt", algorithm).unwrap();
        assert_eq!(FileEntry::from_value(&entry.to_value()).unwrap(), entry);
        assert_eq!((entry.bytes, entry.digest), (3, digest_bytes(algorithm, b"sea")));
    }
}

#[test]
fn a_missing_manifest_is_missing_and_a_folder_is_none() {
    let (home, _) = folder();
    assert_eq!(
        open(&home.path().join("none.json")).unwrap_err().class(),
        Class::Missing
    );
    assert_eq!(open(home.path()).unwrap_err().class(), Class::Data);
}
