use super::*;
use crate::tokenizer::{END_OF_DOCUMENT, Tokenizer};
use crate::train::WordCounts;
use codex_file::safetensors::parse;
use codex_file::{Class, fail};
use std::path::Path;
use std::sync::Arc;

fn tokenizer() -> Arc<Tokenizer> {
    let mut counts = WordCounts::default();
    counts.add_text("one two three one two one");
    Arc::new(counts.train(264, &[END_OF_DOCUMENT]).expect("trains"))
}

fn write(folder: &Path, texts: &[&str], shard_tokens: usize) -> Written {
    let mut writer =
        ShardWriter::new(folder.to_owned(), "train", tokenizer(), Some(shard_tokens)).expect("starts");
    for (number, text) in texts.iter().enumerate() {
        writer
            .add(&[(format!("{number:032x}").as_str(), *text)], None)
            .expect("adds");
    }
    writer.finish().expect("finishes")
}

fn documents(path: &Path) -> Vec<(u8, String)> {
    let layout = Layout::open(path, true).expect("opens");
    let bytes = std::fs::read(path).expect("reads");
    let offset = |place: usize| {
        let start = layout.offsets_start + place * 8;
        usize::try_from(u64::from_le_bytes(bytes[start..start + 8].try_into().expect("8"))).expect("fits")
    };
    let token = |place: usize| {
        let start = layout.tokens_start + place * 2;
        u32::from(u16::from_le_bytes([bytes[start], bytes[start + 1]]))
    };
    (0..layout.documents)
        .map(|number| {
            let ids: Vec<u32> = (offset(number)..offset(number + 1)).map(token).collect();
            let text = tokenizer().decode(&ids).expect("decodes");
            (
                bytes[layout.ids_start + number * 16 + 15],
                text.strip_suffix(END_OF_DOCUMENT).expect("ends").to_owned(),
            )
        })
        .collect()
}

#[test]
fn documents_come_back_from_as_many_shards_as_it_takes() {
    let folder = tempfile::tempdir().expect("a folder");
    let texts = [
        "one two",
        "",
        "three",
        "one one one one one one one",
        "two <|endoftext|>",
    ];
    let written = write(folder.path(), &texts, 5);
    assert_eq!(written.documents, 5);
    assert!(written.names.len() > 2, "{written:?}");
    let back: Vec<(u8, String)> = written
        .names
        .iter()
        .flat_map(|name| documents(&folder.path().join(name)))
        .collect();
    let expected: Vec<(u8, String)> = (0..).zip(texts.map(str::to_owned)).collect();
    assert_eq!(back, expected);
    let layouts: Vec<Layout> = written
        .names
        .iter()
        .map(|name| Layout::open(&folder.path().join(name), true).expect("opens"))
        .collect();
    assert_eq!(
        layouts.iter().map(|layout| layout.tokens as u64).sum::<u64>(),
        written.tokens
    );
    for layout in layouts {
        assert!(layout.tokens <= 5 || layout.documents == 1, "{layout:?}");
    }
}

#[test]
fn a_full_disk_leaves_no_half_shard() {
    let folder = tempfile::tempdir().expect("a folder");
    let armed = fail::arm("file.write=enospc", fail::Scope::Thread).expect("arms");
    let mut writer =
        ShardWriter::new(folder.path().to_owned(), "train", tokenizer(), Some(5)).expect("starts");
    let id = "0".repeat(32);
    writer
        .add(&[(id.as_str(), "one one one one")], None)
        .expect("fits in memory");
    let error = writer
        .add(&[(id.as_str(), "two two two two")], None)
        .expect_err("has to write");
    assert_eq!((error.class(), armed.fired()), (Class::DiskFull, 1));
    assert_eq!(std::fs::read_dir(folder.path()).expect("reads").count(), 0);
}

#[test]
fn no_documents_make_no_shard() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(write(folder.path(), &[], 5), Written::default());
    assert_eq!(std::fs::read_dir(folder.path()).expect("reads").count(), 0);
}

#[test]
fn one_flipped_bit_anywhere_is_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), &["one two three", "two"], 100);
    let good = std::fs::read(folder.path().join("train-00000.safetensors")).expect("reads");
    Layout::of(&good, true).expect("is good");
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        let error = Layout::of(&bad, true).expect_err("damaged");
        assert_eq!(error.class(), Class::Damage, "bit {bit}: {error}");
    }
}

#[test]
fn a_shard_cut_short_anywhere_is_damage_without_a_digest() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), &["one two three", "two"], 100);
    let path = folder.path().join("train-00000.safetensors");
    let good = std::fs::read(&path).expect("reads");
    for length in 0..good.len() {
        assert_eq!(
            Layout::of(&good[..length], false).expect_err("cut short").class(),
            Class::Damage,
            "{length} bytes"
        );
    }
    std::fs::write(&path, &good[..99]).expect("writes");
    let message = Layout::open(&path, false).expect_err("cut short").to_string();
    assert!(
        message.starts_with('`') && message.contains("train-00000.safetensors`: not a valid"),
        "{message}"
    );
    assert_eq!(
        Layout::open(folder.path().join("none").as_path(), false)
            .expect_err("missing")
            .class(),
        Class::Missing
    );
}

#[test]
fn a_large_vocabulary_takes_four_bytes_a_token() {
    assert_eq!(token_dtype(1 << 16), Dtype::U16);
    assert_eq!(token_dtype((1 << 16) + 1), Dtype::U32);
}

#[test]
fn what_cannot_be_a_shard_is_refused_before_it_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let new = |split, tokens| ShardWriter::new(folder.path().to_owned(), split, tokenizer(), Some(tokens));
    for split in ["", "../x", "a-b", "a\n"] {
        assert_eq!(
            new(split, 10).expect_err("not a name").class(),
            Class::Usage,
            "{split:?}"
        );
    }
    assert_eq!(new("train", 0).expect_err("no room").class(), Class::Usage);
    let plain = Arc::new(WordCounts::default().train(300, &[]).expect("trains"));
    let error = ShardWriter::new(folder.path().to_owned(), "train", plain, Some(10))
        .expect_err("nothing ends a document");
    assert_eq!(
        error.to_string(),
        "the tokenizer has no special token `<|endoftext|>` to end documents"
    );
    let mut writer = new("train", 10).expect("starts");
    for id in [
        "",
        "0",
        &"0".repeat(31),
        &"G".repeat(32),
        &"A".repeat(32),
        &"\u{e9}".repeat(16),
        &"+".repeat(32),
    ] {
        assert_eq!(
            writer.add(&[(id, "one")], None).expect_err("not an id").class(),
            Class::Data,
            "{id:?}"
        );
    }
}

#[test]
fn the_tensors_lie_as_the_official_library_lays_them() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), &["one"], 100);
    let bytes = std::fs::read(folder.path().join("train-00000.safetensors")).expect("reads");
    let names: Vec<String> = parse(&bytes)
        .expect("parses")
        .tensors
        .into_iter()
        .map(|tensor| tensor.name)
        .collect();
    assert_eq!(names, ["document_offsets", "tokens", "document_ids"]);
}
