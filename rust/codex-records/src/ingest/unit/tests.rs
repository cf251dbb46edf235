use super::*;
use crate::Reader;
use crate::ingest::{Globs, Rules, Stamp, walk};

const LIMIT: u64 = 1000;

fn reading() -> Reading {
    Reading {
        reads_texts: true,
        other_endings: vec![".html".to_owned()],
        packed_endings: vec![".gz".to_owned()],
        finds_encodings: false,
        limit_bytes: LIMIT,
    }
}

/// Files of these names and bytes, listed and digested.
fn listed(home: &Path, contents: &[(&str, &[u8])]) -> RawFiles {
    let mut files = RawFiles::default();
    for (name, data) in contents {
        let path = home.join(name);
        std::fs::write(&path, data).expect("a file");
        let stamp = Stamp::of(&std::fs::metadata(&path).expect("a file"));
        files.push(name, &path, stamp);
    }
    files.sort();
    for (number, content) in files.contents(0, contents.len()).into_iter().enumerate() {
        files.set_content(number, content.expect("not changed").expect("read"));
    }
    files
}

fn unit(home: &Path, run_bytes: usize, reading: Reading) -> Unit {
    Unit::new(home, "unit", run_bytes, reading, Filters::default())
}

#[test]
fn texts_become_sorted_records_or_are_dropped_by_reason() {
    let home = tempfile::tempdir().expect("a folder");
    let long = vec![b'x'; 1001];
    let files = listed(
        home.path(),
        &[
            ("a.txt", b"one\r\ntwo"),
            ("b.txt", b"\xef\xbb\xbfone\ntwo"),
            ("c.txt", "plain é\n".as_bytes()),
            ("d.bin", b"\0"),
            ("e.txt", b""),
            ("f.txt", &long),
            ("g.gz", b"\x1f\x8b\x08"),
        ],
    );
    for run_bytes in [1, 1 << 20] {
        let mut unit = unit(home.path(), run_bytes, reading());
        assert_eq!(unit.read(&files, 0, 7).expect("read"), (7, Stopped::AtEnd));
        let made = unit.finish().expect("written");
        assert_eq!((made.documents, made.text_bytes), (3, 7 + 7 + 9));
        assert_eq!(made.files.len(), if run_bytes == 1 { 3 } else { 1 });
        let reasons: Vec<_> = made
            .skipped
            .iter()
            .map(|(path, reason, _)| format!("{path}: {reason}"))
            .collect();
        assert_eq!(
            reasons,
            [
                "d.bin: not text: NUL byte at 0",
                "e.txt: empty",
                "f.txt: holds more than the limit of 1000 bytes",
                "g.gz: the gzip stream is cut short after 0 plain bytes"
            ]
        );
        let mut records = Vec::new();
        for file in &made.files {
            let path = home.path().join(&file.name);
            assert_eq!(std::fs::metadata(&path).expect("a file").len(), file.bytes as u64);
            assert_eq!(
                codex_file::digest::digest_file(file.digest.algorithm(), &path)
                    .expect("read")
                    .1,
                file.digest
            );
            records.extend(
                Reader::open(&path)
                    .expect("records")
                    .map(|record| record.expect("a record")),
            );
        }
        assert!(run_bytes == 1 || records.is_sorted_by_key(|record| record.id));
        let mut texts: Vec<_> = records
            .iter()
            .map(|record| (&*record.source.path, &*record.text))
            .collect();
        texts.sort_unstable();
        assert_eq!(
            texts,
            [
                ("a.txt", "one\ntwo"),
                ("b.txt", "one\ntwo"),
                ("c.txt", "plain é\n")
            ]
        );
    }
}

#[test]
fn what_is_not_for_here_is_named() {
    let home = tempfile::tempdir().expect("a folder");
    let files = listed(
        home.path(),
        &[
            ("a.txt", b"a"),
            ("b.HTML.gz", b"<p>"),
            ("c.txt", b"caf\xe9"),
            ("d.txt", b"~{<:Ky2;~}"),
        ],
    );
    let mut finding = unit(
        home.path(),
        100,
        Reading {
            finds_encodings: true,
            ..reading()
        },
    );
    for (start, at) in [(0, 1), (2, 2), (3, 3)] {
        assert_eq!(
            finding.read(&files, start, 4).expect("read"),
            (at, Stopped::AtOther)
        );
    }
    let mut declared = unit(home.path(), 100, reading());
    assert_eq!(declared.read(&files, 2, 4).expect("read"), (4, Stopped::AtEnd));
    assert_eq!(
        declared.finish().expect("written").skipped[0].1,
        "not utf-8: byte 0xe9 at 3"
    );
    let mut none = unit(
        home.path(),
        100,
        Reading {
            reads_texts: false,
            ..reading()
        },
    );
    assert_eq!(none.read(&files, 0, 4).expect("read"), (0, Stopped::AtOther));
    for name in ["a.html", ".html", "x.html.gz", "x.gz", "html", "a.html."] {
        let is_text = reading().is_text(name);
        assert_eq!(is_text, !matches!(name, "a.html" | "x.html.gz"), "{name}");
    }
}

#[test]
fn a_file_that_is_no_longer_the_one_listed_is_named() {
    let home = tempfile::tempdir().expect("a folder");
    let files = listed(home.path(), &[("a", b"one"), ("b", b"two")]);
    std::fs::write(home.path().join("a"), "eno").expect("written");
    std::fs::remove_file(home.path().join("b")).expect("removed");
    let mut unit = unit(home.path(), 100, reading());
    assert_eq!(unit.read(&files, 0, 2).expect("read"), (0, Stopped::AtChanged));
    assert_eq!(unit.read(&files, 1, 2).expect("read"), (1, Stopped::AtChanged));
}

#[test]
fn rows_are_listed_up_to_a_thousand_and_counted_all() {
    let home = tempfile::tempdir().expect("a folder");
    let files = listed(home.path(), &[("a", b"one")]);
    let file = files.get(0).expect("a file");
    let mut unit = unit(home.path(), 100, reading());
    for row in 0..1500 {
        unit.drop(&file, &format!("no text: {row}"), Some(row));
    }
    let document = Document {
        text: "a\nb",
        encoding: "utf-8",
        errors: 0,
        row: Some(7),
    };
    unit.add(&file, document).expect("added");
    let refused = unit
        .add(
            &file,
            Document {
                text: "a\rb",
                ..document
            },
        )
        .expect_err("a carriage return");
    assert!(refused.to_string().contains("carriage return at byte 1"));
    let made = unit.finish().expect("written");
    assert_eq!((made.dropped["no text"], made.skipped.len()), (1500, 1000));
    assert_eq!(made.skipped[999].0, "a#999");
    let line = std::fs::read_to_string(home.path().join("unit-0000.ndjson")).expect("a file");
    assert!(line.contains(r#""meta":{"row":7}"#), "{line}");
}

#[test]
fn what_was_kept_in_memory_is_read_again_where_the_file_was_touched() {
    use std::os::unix::fs::PermissionsExt as _;

    let home = tempfile::tempdir().expect("a folder");
    let at = |name: &str| home.path().join(name);
    for name in ["a", "b", "c", "d"] {
        std::fs::write(at(name), format!("text {name}")).expect("written");
    }
    let all = Globs::new(&["**"]).expect("a glob");
    let rules = Rules {
        of_corpus: &all,
        wanted: &all,
        unwanted: &Globs::new::<&str>(&[]).expect("none"),
        maximum_bytes: LIMIT,
        not_input: &[],
    };
    let mut files = RawFiles::default();
    let _ = walk(&mut files, "", home.path(), rules);
    files.sort();
    for (number, content) in files.contents(0, 4).into_iter().enumerate() {
        files.set_content(number, content.expect("not changed").expect("read"));
    }
    let touch = |name: &str| {
        let file = std::fs::OpenOptions::new()
            .write(true)
            .open(at(name))
            .expect("a file");
        let modified = file.metadata().expect("a file").modified().expect("a time");
        std::os::unix::fs::FileExt::write_all_at(&file, b"TEXT", 0).expect("written");
        file.set_modified(modified).expect("as it was");
    };
    std::fs::set_permissions(at("b"), std::fs::Permissions::from_mode(0o600)).expect("changed");
    touch("c");
    let mut unit = unit(home.path(), 1 << 20, reading());
    assert_eq!(unit.read(&files, 0, 4).expect("read"), (2, Stopped::AtChanged));
    assert_eq!(unit.read(&files, 3, 4).expect("read"), (4, Stopped::AtEnd));
    assert_eq!(unit.read(&files, 3, 4).expect("read again"), (4, Stopped::AtEnd));
    assert_eq!(unit.finish().expect("written").documents, 4);
}
