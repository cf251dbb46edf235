use super::*;
use crate::END_OF_DOCUMENT;
use crate::shard::ShardWriter;
use crate::train::WordCounts;
use codex_file::{Class, fail};
use codex_records::Id;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use tempfile::TempDir;

/// Small enough that the documents fill many.
const SHARD_TOKENS: usize = 60_000;

static TOKENIZER: LazyLock<Arc<Tokenizer>> = LazyLock::new(|| {
    let mut counts = WordCounts::default();
    counts.add_text("the cat sat on the mat\n\t\"and\" the cat sat \\ no more");
    Arc::new(counts.train(300, &[END_OF_DOCUMENT]).expect("trains"))
});

/// Documents that are three megabytes of text: short ones, empty ones, one longer than a shard, with all that is escaped.
fn documents() -> Vec<String> {
    (0..3000_usize)
        .map(|number| match number % 7 {
            0 => String::new(),
            3 => "é漢😀\u{0}\u{7f}\u{2028} <|endoftext|>".repeat(number % 50),
            _ if number == 1500 => "the cat \"sat\"\n".repeat(20_000),
            _ => format!("{number}\t\"the\" cat\\\n").repeat(number % 131),
        })
        .collect()
}

/// Every second line says its id; some keys stand before the text, some behind it.
fn lines(documents: &[String]) -> String {
    let line = |(number, text): (usize, &String)| {
        let text_json = Value::from(text.as_str());
        match number % 4 {
            0 => format!("{{\"text\":{text_json}}}\n"),
            1 => format!("{{\"id\":\"{}\",\"text\":{text_json}}}\n", Id::of(text)),
            2 => format!("{{\"meta\":{{\"text\":[1]}},\"text\":{text_json},\"id\":{number}}}\r\n"),
            _ => format!("\n{{\"text\" : {text_json} , \"id\":\"{}\"}}\n", Id::of(text)),
        }
    };
    documents.iter().enumerate().map(line).collect()
}

struct Case {
    home: TempDir,
    sources: Vec<PathBuf>,
}

impl Case {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let write = |(name, bytes): &(&str, &[u8])| {
            let path = home.path().join(name);
            std::fs::write(&path, bytes).expect("writes");
            path
        };
        let sources = files.iter().map(write).collect();
        Self { home, sources }
    }

    fn plan(&self, target: &str) -> Ndjson<'static> {
        Ndjson {
            sources: self.sources.clone(),
            target: self.home.path().join(target),
            tokenizer: &TOKENIZER,
            split: "train",
            text_key: "text",
            end_of_document: None,
            shard_tokens: Some(SHARD_TOKENS),
            bad_lines: BadLines::Raise,
            threads: NonZeroUsize::new(2),
        }
    }
}

fn encode(plan: &Ndjson) -> Result<Value> {
    plan.encode(|_, _| ControlFlow::Continue(()))
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.expect("lists").path();
        let bytes = std::fs::read(&path).expect("reads");
        (
            path.file_name().expect("a name").to_string_lossy().into_owned(),
            bytes,
        )
    };
    std::fs::read_dir(folder).expect("is there").map(read).collect()
}

#[test]
fn the_shards_are_those_of_documents_from_memory_for_any_number_of_threads() {
    let documents = documents();
    let case = Case::new(&[("a.ndjson", lines(&documents).as_bytes())]);
    let slow = case.home.path().join("slow");
    std::fs::create_dir(&slow).expect("makes");
    let mut writer =
        ShardWriter::new(slow.clone(), "train", Arc::clone(&TOKENIZER), Some(SHARD_TOKENS)).expect("starts");
    for text in &documents {
        writer
            .add(&[(Id::of(text).to_string(), text.clone())], None)
            .expect("adds");
    }
    let written = writer.finish().expect("finishes");
    assert!(written.names.len() > 10, "{written:?}");
    let slow = files(&slow);
    let mut manifests = Vec::new();
    for threads in [1, 2, 3, 8] {
        let mut plan = case.plan(&threads.to_string());
        plan.threads = NonZeroUsize::new(threads);
        let manifest = encode(&plan).expect("encodes");
        assert_eq!(manifest["counts"]["documents"], written.documents);
        assert_eq!(manifest["counts"]["tokens"], written.tokens);
        assert_eq!(manifest["counts"]["ids_made"], 1500);
        let mut fast = files(&plan.target);
        manifests.push(fast.remove("manifest.json"));
        assert!(fast == slow, "{threads} threads");
    }
    manifests.dedup();
    assert_eq!(manifests.len(), 1);
}

#[test]
fn files_are_read_one_after_another_packed_or_not() {
    let documents = documents();
    let (first, second) = documents.split_at(1200);
    let packed = zstd::encode_all(lines(second).as_bytes(), 1).expect("packs");
    let case = Case::new(&[
        ("a.ndjson", lines(first).as_bytes()),
        ("empty.ndjson", b""),
        ("b.ndjson.zst", &packed),
    ]);
    let whole = Case::new(&[("all.ndjson", lines(&documents).as_bytes())]);
    let (parts, whole) = (case.plan("shards"), whole.plan("shards"));
    let manifest = encode(&parts).expect("encodes");
    let other = encode(&whole).expect("encodes");
    assert_eq!(manifest["files"], other["files"]);
    let parents = manifest["parents"].as_array().expect("a list");
    for (parent, path) in parents.iter().zip(&parts.sources) {
        let (bytes, digest) = codex_file::digest::digest_file(Algorithm::Xxh3, path).expect("reads");
        assert_eq!(parent["bytes"], bytes);
        assert_eq!(parent["digest"], digest.to_string());
        assert_eq!(
            parent["path"],
            path.file_name().and_then(|name| name.to_str()).expect("a name")
        );
    }
    assert_eq!(parents.len(), 4);
    assert_eq!(parents[3]["digest"], TOKENIZER.fingerprint().expect("has one"));
}

#[test]
fn a_bad_line_is_told_with_file_line_and_byte_and_no_shard_depends_on_it() {
    let documents = documents();
    let good = lines(&documents);
    let lines: Vec<&str> = good.split_inclusive('\n').collect();
    let (before, behind) = lines.split_at(2000);
    let bad = format!(
        "{}{{\"text\": 7}}\n{}{{\"txt\": \"\"}}",
        before.concat(),
        behind.concat()
    );
    let case = Case::new(&[("good.ndjson", good.as_bytes()), ("bad.ndjson", bad.as_bytes())]);
    let mut plan = case.plan("bad");
    plan.sources.remove(0);
    let byte = before.concat().len() + 9;
    for _ in 0..2 {
        let error = encode(&plan).expect_err("is bad");
        let path = plan.sources[0].display();
        assert_eq!(error.class(), Class::Data);
        assert_eq!(
            error.to_string(),
            format!("`{path}`, line 2001, byte {byte}: expected a string, found `7`")
        );
    }
    assert!(!plan.target.join("manifest.json").exists());

    // With the other choice it is another task.
    plan.bad_lines = BadLines::Skip;
    assert_eq!(encode(&plan).expect_err("is another").class(), Class::Usage);
    plan.target = case.home.path().join("skipped");
    let manifest = encode(&plan).expect("encodes");
    assert_eq!(manifest["counts"]["skipped_lines"], 2);
    assert_eq!(
        manifest["skipped"],
        json!([
            {"path": "bad.ndjson", "line": 2001, "byte": byte, "bytes": 12, "reason": "expected a string, found `7`"},
            {
                "path": "bad.ndjson",
                "line": lines.len() + 2,
                "byte": good.len() + 12,
                "bytes": 11,
                "reason": "the last line is torn: the key `text` is missing"
            },
        ])
    );
    let mut all = case.plan("all");
    all.sources.remove(1);
    assert_eq!(encode(&all).expect("encodes")["files"], manifest["files"]);
}

#[test]
fn stopped_or_failed_anywhere_it_is_gone_on_with_to_the_same_bytes() {
    let documents = documents();
    let bad = lines(&documents).replace("{\"text\" : \"\"", "{\"txt\" : \"\"");
    let (first, second) = bad.split_at(bad[..bad.len() / 2].rfind('\n').expect("has lines") + 1);
    let case = Case::new(&[("1.ndjson", first.as_bytes()), ("2.ndjson", second.as_bytes())]);
    let plan = |name: &str| Ndjson {
        bad_lines: BadLines::Skip,
        shard_tokens: Some(4 * SHARD_TOKENS),
        ..case.plan(name)
    };
    let undisturbed = plan("undisturbed");
    let manifest = encode(&undisturbed).expect("encodes");
    assert!(
        manifest["counts"]["skipped_lines"].as_u64() > Some(50),
        "{}",
        manifest["counts"]
    );
    let wanted = files(&undisturbed.target);

    // Some system call fails, now early, now late; whatever was there, the next call makes the rest.
    let mut failed = 0;
    for point in ["write", "sync", "rename", "create", "sync-folder"] {
        for number in [1, 2, 3, 5, 8, 13, 21, 34] {
            let once = plan(&format!("{point}-{number}"));
            let rule = format!("file.{point}=enospc@{number}");
            let armed = fail::arm(&rule, fail::Scope::Process).expect("arms");
            let answer = encode(&once);
            let fired = armed.fired();
            drop(armed);
            if fired == 0 {
                break;
            }
            assert_eq!(answer.expect_err("has failed").class(), Class::DiskFull, "{rule}");
            assert!(!once.target.join("manifest.json").exists() || point == "sync-folder");
            encode(&once).expect("goes on");
            assert!(files(&once.target) == wanted, "{rule}");
            failed += 1;
        }
    }
    assert!(failed > 25, "{failed}");
}

#[test]
fn a_caller_can_stop_it_at_any_time() {
    let documents = documents();
    let case = Case::new(&[("a.ndjson", lines(&documents).as_bytes())]);
    let undisturbed = case.plan("undisturbed");
    encode(&undisturbed).expect("encodes");
    let mut plan = case.plan("stopped");
    for threads in [1, 3] {
        plan.threads = NonZeroUsize::new(threads);
        for asked in if threads == 1 { 1..4 } else { 1..2 } {
            let mut left = asked;
            let error = plan.encode(|done, total| {
                assert!(done <= total);
                left -= 1;
                if left == 0 {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
            assert!(error.expect_err("is stopped").is_stopped());
        }
    }
    encode(&plan).expect("goes on");
    assert!(files(&plan.target) == files(&undisturbed.target));
}

/// Stops behind some shards; returns how many there are.
fn begin(plan: &Ndjson) -> usize {
    let armed = fail::arm("file.rename=enospc@5", fail::Scope::Thread).expect("arms");
    let plan = Ndjson {
        threads: NonZeroUsize::new(1),
        ..plan.clone()
    };
    assert_eq!(encode(&plan).expect_err("is stopped").class(), Class::DiskFull);
    drop(armed);
    files(&plan.target).len() - 1
}

#[test]
fn what_was_begun_is_not_gone_on_with_for_other_sources_or_options() {
    let text = lines(&documents());
    let case = Case::new(&[("a.ndjson", text.as_bytes())]);
    let plan = case.plan("shards");
    let shards = begin(&plan);
    assert!(shards > 2, "{shards}");
    let begun = files(&plan.target);
    let others = [
        Ndjson {
            shard_tokens: Some(SHARD_TOKENS + 1),
            ..plan.clone()
        },
        Ndjson {
            text_key: "content",
            ..plan.clone()
        },
        Ndjson {
            sources: vec![plan.sources[0].clone(); 2],
            ..plan.clone()
        },
    ];
    for other in &others {
        let error = encode(other).expect_err("is another");
        assert_eq!(error.class(), Class::Usage);
        assert!(error.hint().expect("has a hint").contains("another folder"));
    }
    std::fs::write(&plan.sources[0], text.replacen("cat", "dog", 1)).expect("writes");
    let error = encode(&plan).expect_err("has changed");
    assert_eq!(error.class(), Class::Data);
    assert!(
        error
            .to_string()
            .ends_with("a.ndjson` has changed since its shards were made"),
        "{error}"
    );
    std::fs::write(&plan.sources[0], &text[..10_000]).expect("writes");
    assert_eq!(encode(&plan).expect_err("is shorter").class(), Class::Data);
    assert!(files(&plan.target) == begun);

    // What comes behind the finished shards is read anew.
    let longer = format!("{text}{text}");
    std::fs::write(&plan.sources[0], &longer).expect("writes");
    encode(&plan).expect("goes on");
    let afresh = Ndjson {
        target: case.home.path().join("afresh"),
        ..plan.clone()
    };
    encode(&afresh).expect("encodes");
    assert!(files(&plan.target) == files(&afresh.target));

    // Finished, it is for these sources and options alone.
    for other in &others {
        assert_eq!(encode(other).expect_err("is another").class(), Class::Usage);
    }
    assert_eq!(
        encode(&plan).expect("is there"),
        codex_file::manifest::open(&plan.target.join("manifest.json")).expect("is whole")
    );
    std::fs::write(&plan.sources[0], &text).expect("writes");
    assert_eq!(encode(&plan).expect_err("has changed").class(), Class::Data);
    std::fs::write(&plan.sources[0], &longer).expect("writes");
    let shard = plan.target.join("train-00002.safetensors");
    let mut bytes = std::fs::read(&shard).expect("reads");
    bytes[99] ^= 4;
    std::fs::write(&shard, bytes).expect("writes");
    let error = encode(&plan).expect_err("is damaged");
    assert_eq!(error.class(), Class::Damage);
    assert!(
        error.to_string().contains("train-00002.safetensors` is damaged"),
        "{error}"
    );
}

#[test]
fn a_folder_with_anything_else_in_it_is_left_alone() {
    let case = Case::new(&[("a.ndjson", b"{\"text\":\"a\"}\n")]);
    for name in ["notes.txt", "train-00000.safetensors"] {
        let plan = case.plan(name);
        std::fs::create_dir(&plan.target).expect("makes");
        std::fs::write(plan.target.join(name), b"mine").expect("writes");
        let error = encode(&plan).expect_err("is in the way");
        assert_eq!(error.class(), Class::Usage);
        assert!(
            error.to_string().ends_with(&format!("{name}` is in the way")),
            "{error}"
        );
        assert_eq!(files(&plan.target).len(), 1);
    }
    assert_eq!(
        encode(&case.plan("a.ndjson")).expect_err("is a file").class(),
        Class::Machine
    );
}

#[test]
fn two_at_once_on_one_folder_are_refused() {
    let case = Case::new(&[("a.ndjson", lines(&documents()).as_bytes())]);
    let plan = case.plan("shards");
    let mut second = None;
    plan.encode(|_, _| {
        second.get_or_insert_with(|| encode(&plan).expect_err("is locked"));
        ControlFlow::Continue(())
    })
    .expect("encodes");
    let error = second.expect("was tried");
    assert_eq!(error.class(), Class::Locked);
    let pid = std::process::id();
    assert!(
        error
            .to_string()
            .contains(&format!("is held by process {pid} on")),
        "{error}"
    );
}

#[test]
fn too_many_bad_lines_are_no_documents_at_all() {
    let case = Case::new(&[("a.ndjson", "7\n".repeat(MAXIMUM_SKIPPED + 1).as_bytes())]);
    let plan = Ndjson {
        bad_lines: BadLines::Skip,
        ..case.plan("shards")
    };
    let error = encode(&plan).expect_err("too many");
    assert_eq!(error.class(), Class::Data);
    assert!(
        error
            .to_string()
            .starts_with("more than 100000 lines are no documents; the last: `"),
        "{error}"
    );
    assert!(!plan.target.join("manifest.json").exists());
}

#[test]
fn what_cannot_be_made_is_refused_before_anything_is_written() {
    let case = Case::new(&[("a.ndjson", b"{\"text\":\"a\"}\n")]);
    let good = case.plan("shards");
    for (plan, class) in [
        (
            Ndjson {
                sources: vec![],
                ..good.clone()
            },
            Class::Usage,
        ),
        (
            Ndjson {
                sources: vec![case.home.path().join("none")],
                ..good.clone()
            },
            Class::Missing,
        ),
        (
            Ndjson {
                split: "../x",
                ..good.clone()
            },
            Class::Usage,
        ),
        (
            Ndjson {
                shard_tokens: Some(0),
                ..good.clone()
            },
            Class::Usage,
        ),
        (
            Ndjson {
                end_of_document: Some("</s>"),
                ..good.clone()
            },
            Class::Usage,
        ),
    ] {
        assert_eq!(encode(&plan).expect_err("is refused").class(), class);
        assert!(!plan.target.exists());
    }
}
