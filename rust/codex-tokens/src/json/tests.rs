use crate::tokenizer::{END_OF_DOCUMENT, Specials, Tokenizer};
use crate::train::WordCounts;
use codex_file::Class;
use serde_json::{Value, json};

fn tokenizer() -> Tokenizer {
    let mut counts = WordCounts::default();
    counts.add_text("low lower lowest");
    counts.train(262, &[END_OF_DOCUMENT]).expect("trains")
}

fn document() -> Value {
    serde_json::from_slice(&tokenizer().to_json().expect("serialises")).expect("is JSON")
}

fn read(document: &Value) -> crate::Result<Tokenizer> {
    Tokenizer::from_json(&serde_json::to_vec(document).expect("serialises"))
}

/// What reading says once `pointer` holds `value`.
fn refusal(pointer: &str, value: Value) -> String {
    let mut document = document();
    *document
        .pointer_mut(pointer)
        .unwrap_or_else(|| panic!("no {pointer}")) = value;
    let error = read(&document).expect_err(pointer);
    assert_eq!(error.class(), Class::Damage);
    error.to_string()
}

#[test]
fn what_is_written_is_read_back_to_the_same_bytes() {
    let json = tokenizer().to_json().expect("serialises");
    let again = Tokenizer::from_json(&json).expect("reads");
    assert_eq!(again.to_json().expect("serialises"), json);
    assert_eq!(
        again.fingerprint().expect("digests"),
        tokenizer().fingerprint().expect("digests")
    );
}

#[test]
fn a_file_is_replaced_whole_and_errors_name_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tokenizer.json");
    tokenizer().save(&path).expect("saves");
    Tokenizer::from_file(&path).expect("reads");
    std::fs::write(&path, b"{}").expect("writes");
    let message = Tokenizer::from_file(&path).expect_err("damaged").to_string();
    assert!(
        message.starts_with('`') && message.contains("tokenizer.json`: `model` is null"),
        "{message}"
    );
    let missing = Tokenizer::from_file(&folder.path().join("none")).expect_err("missing");
    assert_eq!(missing.class(), Class::Missing);
}

#[test]
fn the_fingerprint_is_of_the_meaning_not_of_the_notation() {
    let mut other = document();
    for merge in other["model"]["merges"].as_array_mut().expect("merges") {
        *merge = format!(
            "{} {}",
            merge[0].as_str().expect("text"),
            merge[1].as_str().expect("text")
        )
        .into();
    }
    other["normalizer"] = json!({"type": "Sequence", "normalizers": []});
    other["pre_tokenizer"] = json!({"type": "Sequence", "pretokenizers": [other["pre_tokenizer"]]});
    other["model"].as_object_mut().expect("an object").remove("type");
    let other = read(&other).expect("reads");
    assert_eq!(
        other.fingerprint().expect("digests"),
        tokenizer().fingerprint().expect("digests")
    );

    let mut counts = WordCounts::default();
    counts.add_text("low lower lowest");
    let smaller = counts.train(261, &[END_OF_DOCUMENT]).expect("trains");
    assert_ne!(
        smaller.fingerprint().expect("digests"),
        tokenizer().fingerprint().expect("digests")
    );
}

#[test]
fn special_tokens_may_stand_outside_the_vocabulary() {
    let mut document = document();
    let token = |id: u32, content: &str| {
        json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
               "special": true})
    };
    let added = document["added_tokens"].as_array_mut().expect("an array");
    added.extend([token(262, "<|a|>"), token(263, "<|b|>")]);
    let tokenizer = read(&document).expect("reads");
    let mut ids = Vec::new();
    tokenizer
        .encode("<|b|>", Specials::Ids, &mut ids)
        .expect("encodes");
    assert_eq!((ids, tokenizer.vocabulary_size()), (vec![263], 264));

    document["added_tokens"][2]["id"] = 264.into();
    let message = read(&document).expect_err("a hole").to_string();
    assert_eq!(
        message,
        "`added_tokens` gives `<|b|>` the id 264, expected 263, the next one"
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn unsupported_parts_are_refused_by_name() {
    let cases = [
        (
            "/version",
            json!("2.0"),
            "`version` is \"2.0\", expected \"1.0\" or null",
        ),
        (
            "/truncation",
            json!({"max_length": 4}),
            "`truncation` is an object of 1, expected null",
        ),
        (
            "/padding",
            json!({}),
            "`padding` is an object of 0, expected null",
        ),
        (
            "/normalizer",
            json!({"type": "Nmt"}),
            "`normalizer.type` is \"Nmt\", expected `NFC`, `NFD`, `NFKC`, `NFKD`, `Lowercase`, `Strip`, `StripAccents`, `Replace`, \
             `Prepend` or `Sequence`",
        ),
        (
            "/normalizer",
            json!({"type": "Replace", "pattern": {"Regex": "(a)\\1"}, "content": ""}),
            "`normalizer.pattern` cannot be used: ",
        ),
        (
            "/normalizer",
            json!({"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Replace", "pattern": {"String": ""}, "content": ""}]}),
            "`normalizer.normalizers[1].pattern.String` is \"\", expected a text",
        ),
        (
            "/pre_tokenizer",
            json!({"type": "Split", "pattern": {"String": "a"}, "behavior": "Kept", "invert": false}),
            "`pre_tokenizer.behavior` is \"Kept\", expected \"Removed\" or \"Isolated\" or \"MergedWithPrevious\" or \
             \"MergedWithNext\" or \"Contiguous\"",
        ),
        (
            "/pre_tokenizer",
            json!({"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, {"type": "Metaspace", "replacement": "_"}]}),
            "`pre_tokenizer.pretokenizers[1]` is a `Metaspace` behind others, expected first",
        ),
        (
            "/pre_tokenizer",
            Value::Null,
            "`decoder` is an object of 4, expected no `ByteLevel`, as the pre-tokenizer",
        ),
        (
            "/decoder",
            Value::Null,
            "`decoder` is null, expected one `ByteLevel`, `Replace` before it, or what decodes a vocabulary of characters",
        ),
        (
            "/decoder/type",
            json!("Fuse"),
            "`decoder.add_prefix_space` is not known",
        ),
        (
            "/post_processor",
            json!({"type": "BertProcessing", "sep": ["a", 1], "cls": ["b"]}),
            "`post_processor.cls` is an array of 1, expected a text and its id",
        ),
        (
            "/post_processor",
            json!({"type": "BertProcessing", "sep": ["a", 1], "cls": ["b", 262]}),
            "`post_processor` has the id 262, expected below 262",
        ),
        (
            "/post_processor",
            json!({"type": "TemplateProcessing", "single": [], "pair": [], "special_tokens": {}}),
            "`post_processor.single` does not hold the sequence `A` once",
        ),
        (
            "/post_processor",
            json!({"type": "TemplateProcessing", "pair": [], "special_tokens": {}, "single": [
                {"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]}),
            "`post_processor` has no `<s>` among its `special_tokens`",
        ),
        (
            "/model/type",
            json!("WordPiece"),
            "`model.type` is \"WordPiece\", expected \"BPE\" or null",
        ),
        (
            "/model/dropout",
            json!(0.1),
            "`model.dropout` is 0.1, expected null",
        ),
        (
            "/model/end_of_word_suffix",
            json!(7),
            "`model.end_of_word_suffix` is 7, expected a string",
        ),
        (
            "/model/continuing_subword_prefix",
            json!("##"),
            "`model.merges[0]` has `o` on the right, which does not begin with `##`",
        ),
    ];
    for (pointer, value, message) in cases {
        let refusal = refusal(pointer, value);
        // What an engine says of a pattern is its own.
        assert!(
            refusal == message || message.ends_with(": ") && refusal.starts_with(message),
            "{refusal}"
        );
    }
    let mut unknown = document();
    unknown["model"]["speed"] = 11.into();
    assert_eq!(
        read(&unknown).expect_err("unknown").to_string(),
        "`model.speed` is not known"
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn damaged_parts_are_refused_by_name() {
    let cases = [
        (
            "/model",
            json!([]),
            "`model` is an array of 0, expected an object",
        ),
        (
            "/model/vocab/\u{100}",
            json!(262),
            "`model.vocab` has no token with the id 189, but ordinary ones above it (a hole in the ids)",
        ),
        (
            "/model/vocab/low",
            json!(-1),
            "`model.vocab.low` is -1, expected an id",
        ),
        (
            "/model/vocab/low",
            json!(1),
            "`model.vocab.low` is 1, which another token has too",
        ),
        (
            "/model/vocab/low",
            json!(262),
            "`model.vocab` has no token with the id 258, but ordinary ones above it (a hole in the ids)",
        ),
        (
            "/model/vocab/low",
            json!(2_097_152),
            "`model.vocab.low` is 2097152, expected below 2097152",
        ),
        (
            "/model/vocab/low",
            json!(1e3),
            "`model.vocab.low` is 1000.0, expected an id",
        ),
        (
            "/added_tokens/0/id",
            json!(5),
            "`model.vocab.<|endoftext|>` is 0, but 5 in `added_tokens`",
        ),
        (
            "/added_tokens/0/content",
            json!(""),
            "`added_tokens[0].content` is \"\", expected a text",
        ),
        (
            "/added_tokens/0/content",
            json!("<|x|>"),
            "`added_tokens` gives `<|x|>` the id 0, expected 262, the next one",
        ),
        (
            "/added_tokens/0/content",
            json!("low"),
            "`model.vocab.low` is 258, but 0 in `added_tokens`",
        ),
        (
            "/model/merges",
            json!("l o"),
            "`model.merges` is \"l o\", expected an array",
        ),
        (
            "/model/merges/1",
            json!(["l", "o"]),
            "`model.merges[1]` merges `l` and `o` a second time",
        ),
        (
            "/model/merges/1",
            json!("l o w"),
            "`model.merges[1]` is \"l o w\", expected two spellings",
        ),
        (
            "/model/merges/1",
            json!(["l"]),
            "`model.merges[1]` is an array of 1, expected two spellings",
        ),
        (
            "/model/merges/1",
            json!(["q", "x"]),
            "`model.merges[1]` needs `qx`, which is no token of the vocabulary",
        ),
        (
            "/model/merges/1",
            json!(["q", "\u{4e2d}"]),
            "`model.merges[1]` needs `\u{4e2d}`, which is no token of the vocabulary",
        ),
    ];
    for (pointer, value, message) in cases {
        assert_eq!(refusal(pointer, value), message);
    }
    // Merges are looked up some at a time; what is told is the first that is wrong.
    let mut two = document();
    two["model"]["merges"][0] = json!("q x");
    two["model"]["merges"][1] = json!(7);
    let message = read(&two).expect_err("two are wrong").to_string();
    assert_eq!(
        message,
        "`model.merges[0]` needs `qx`, which is no token of the vocabulary"
    );
    let mut nothing = document();
    nothing["normalizer"] = json!({"type": "Strip", "strip_left": true, "strip_right": true});
    nothing["added_tokens"][0]["normalized"] = true.into();
    nothing["added_tokens"][0]["id"] = 262.into();
    nothing["added_tokens"][0]["content"] = "  ".into();
    let message = read(&nothing).expect_err("nothing is left").to_string();
    assert_eq!(
        message,
        "`added_tokens` has `  `, of which the normalizer leaves nothing"
    );
    let twice = String::from_utf8(tokenizer().to_json().expect("serialises")).expect("text");
    let twice = twice.replacen("\"low\": 258", "\"low\": 258, \"low\": 258", 1);
    let message = Tokenizer::from_json(twice.as_bytes())
        .expect_err("a key twice")
        .to_string();
    assert!(message.contains("the key `low` stands twice"), "{message}");
}

#[test]
fn no_damaged_byte_panics() {
    let good = tokenizer().to_json().expect("serialises");
    for at in (0..good.len()).step_by(7) {
        for change in [b'"', b'0', b'}', 0xff] {
            let mut bad = good.clone();
            bad[at] = change;
            if let Ok(tokenizer) = Tokenizer::from_json(&bad) {
                let mut ids = Vec::new();
                tokenizer
                    .encode("lowest \u{e9}", Specials::Text, &mut ids)
                    .expect("encodes");
                assert_eq!(tokenizer.decode(&ids).expect("decodes"), "lowest \u{e9}");
            }
        }
        assert!(Tokenizer::from_json(&good[..at]).is_err(), "cut at {at}");
    }
}
