use super::*;
use crate::alphabet;
use crate::tokenizer::{END_OF_DOCUMENT, Specials, Tokenizer};
use crate::train::WordCounts;
use codex_file::Class;

const GPT2: &str = crate::split::GPT2;

fn trained() -> Tokenizer {
    let mut counts = WordCounts::default();
    counts.add_text("low lower lowest, the newest and the widest: aaaa aaaaaa");
    counts.train(290, &[END_OF_DOCUMENT]).expect("trains")
}

fn ids(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    let mut ids = Vec::new();
    tokenizer.encode(text, Specials::Ids, &mut ids).expect("encodes");
    ids
}

/// The 256 bytes as ranks, and `more` behind them.
fn ranks(more: &[&[u8]]) -> Vec<u8> {
    let mut data = Vec::new();
    let bytes: Vec<Vec<u8>> = alphabet::bytes_in_id_order()
        .into_iter()
        .map(|byte| vec![byte])
        .collect();
    let all = bytes.iter().map(Vec::as_slice).chain(more.iter().copied());
    for (rank, token) in all.enumerate() {
        base64::write(token, &mut data);
        data.extend_from_slice(format!(" {rank}\n").as_bytes());
    }
    data
}

#[test]
fn merges_come_back_from_the_ranks_they_were_learnt_to() {
    let tokenizer = trained();
    let exported = tokenizer.to_ranks().expect("exports");
    let again =
        Tokenizer::from_ranks(&exported.ranks, &exported.pattern, &exported.special_tokens).expect("reads");
    assert!(again.merges().eq(tokenizer.merges()));
    assert_eq!(
        again.fingerprint().expect("digests"),
        tokenizer.fingerprint().expect("digests")
    );
    assert_eq!(again.to_ranks().expect("exports"), exported);
}

#[test]
fn a_token_that_no_merge_makes_is_found_as_a_whole_word() {
    // Of `abc` the ranks leave three parts.
    let tokenizer = Tokenizer::from_ranks(&ranks(&[b"abc"]), GPT2, &[]).expect("reads");
    assert_eq!(ids(&tokenizer, "abc"), [256]);
    assert_eq!(ids(&tokenizer, "abcd").len(), 4);
    let json = tokenizer.to_json().expect("serialises");
    assert_eq!(ids(&Tokenizer::from_json(&json).expect("reads"), "abc"), [256]);
}

#[test]
fn holes_below_special_tokens_stay_holes() {
    let specials = [("<|b|>".to_owned(), 260), (END_OF_DOCUMENT.to_owned(), 258)];
    let tokenizer = Tokenizer::from_ranks(&ranks(&[b"ab"]), GPT2, &specials).expect("reads");
    assert_eq!(tokenizer.vocabulary_size(), 261);
    assert_eq!(ids(&tokenizer, "ab<|endoftext|><|b|>"), [256, 258, 260]);
    assert_eq!(tokenizer.token_bytes(257), None);
    assert!(tokenizer.decode_bytes(&[259]).is_err());
    let again = Tokenizer::from_json(&tokenizer.to_json().expect("serialises")).expect("reads");
    assert_eq!(
        again.fingerprint().expect("digests"),
        tokenizer.fingerprint().expect("digests")
    );
    assert_eq!(again.token_bytes(257), None);
    assert_eq!(ids(&again, "<|b|>"), [260]);
}

#[test]
fn bad_ranks_are_refused_by_line() {
    let cases: [(&[u8], &str); 8] = [
        (
            b"YQ== 0\nYg==\n",
            "`line 2` is not a token in base64 and its rank",
        ),
        (b"YQ== 0 0\n", "`line 1` is not a token in base64 and its rank"),
        (b"YQ= 0\n", "`line 1` does not begin with a token in base64"),
        (b"YQ== x\n", "`line 1` does not end with a rank below 2097152"),
        (
            b"YQ== 4000000000\n",
            "`line 1` does not end with a rank below 2097152",
        ),
        (
            b"YQ== 0\nYg== 0\n",
            "`line 2` has the rank 0, which another line has too",
        ),
        (b"YQ== 0\nYg== 2\n", "`ranks` have none with the rank 1"),
        (b"YQ== 0\nYQ== 1\n", "`ranks[1]` is the token of rank 0 again"),
    ];
    for (data, message) in cases {
        let error = Tokenizer::from_ranks(data, GPT2, &[]).expect_err(message);
        assert_eq!(
            (error.to_string().as_str(), error.class()),
            (message, Class::Damage)
        );
    }
    let error = Tokenizer::from_ranks(b"YQ== 0\n", GPT2, &[]).expect_err("bytes are missing");
    assert_eq!(
        error.to_string(),
        "`model.vocab` lacks `\u{100}`, the token of byte 0x00"
    );
}

#[test]
fn bad_special_tokens_are_refused() {
    let refused = |specials: &[(&str, u32)]| {
        let specials: Vec<(String, u32)> = specials.iter().map(|&(text, id)| (text.to_owned(), id)).collect();
        Tokenizer::from_ranks(&ranks(&[]), GPT2, &specials)
            .expect_err("refused")
            .to_string()
    };
    assert_eq!(
        refused(&[("<a>", 255)]),
        "special token `<a>` has the id 255, which is a rank too"
    );
    assert_eq!(
        refused(&[("<a>", 256), ("<b>", 256)]),
        "special token `<b>` has the id 256 of another"
    );
    assert_eq!(
        refused(&[("<a>", 256), ("<a>", 257)]),
        "special token `<a>` is given twice"
    );
    assert_eq!(refused(&[("", 256)]), "a special token is empty");
    assert_eq!(
        refused(&[("<a>", u32::MAX)]),
        format!("the largest special id is {}, expected below 65792", u32::MAX - 1)
    );
}

#[test]
fn patterns_that_only_tiktoken_reads_are_written_as_tokenizers_reads_them_or_not_at_all() {
    let known = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s";
    let tokenizer = Tokenizer::from_ranks(&ranks(&[]), known, &[]).expect("reads");
    let json = tokenizer.to_json().expect("serialises");
    let again = Tokenizer::from_json(&json).expect("reads");
    assert_eq!(again.to_ranks().expect("exports").pattern, known);
    assert_eq!(
        again.fingerprint().expect("digests"),
        tokenizer.fingerprint().expect("digests")
    );

    let other = Tokenizer::from_ranks(&ranks(&[]), r"\p{L}{1,4}+|\s+|.", &[]).expect("reads");
    assert_eq!(other.to_json().expect_err("no such mark").class(), Class::Usage);
    let alike = Tokenizer::from_ranks(&ranks(&[]), r"\p{L}++|[^\p{L}]+", &[]).expect("reads");
    assert!(alike.to_json().is_ok());
}

#[test]
fn what_tiktoken_cannot_say_is_not_exported() {
    let mut document: serde_json::Value =
        serde_json::from_slice(&trained().to_json().expect("serialises")).expect("JSON");
    document["normalizer"] = serde_json::json!({"type": "NFC"});
    let normalizes = Tokenizer::from_json(document.to_string().as_bytes()).expect("reads");
    let error = normalizes.to_ranks().expect_err("refused");
    assert_eq!(
        error.to_string(),
        "the text is normalized, which tiktoken cannot say"
    );
    document["normalizer"] = serde_json::Value::Null;
    document["added_tokens"][0]["lstrip"] = true.into();
    let strips = Tokenizer::from_json(document.to_string().as_bytes()).expect("reads");
    let error = strips.to_ranks().expect_err("refused").to_string();
    assert_eq!(
        error,
        "the added token `<|endoftext|>` is not special, or has flags, which tiktoken cannot say"
    );
}

/// A field of a message.
fn field(number: u8, kind: u8, value: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | kind];
    if kind == 2 {
        out.push(u8::try_from(value.len()).expect("short"));
    }
    out.extend_from_slice(value);
    out
}

/// A model of these pieces: text, score, sort.
fn model(pieces: &[(&str, f32, u8)], normalizer: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for (text, score, sort) in pieces {
        let piece = [
            field(1, 2, text.as_bytes()),
            field(2, 5, &score.to_le_bytes()),
            field(3, 0, &[*sort]),
        ]
        .concat();
        out.extend(field(1, 2, &piece));
    }
    out.extend(field(2, 2, &field(3, 0, &[2])));
    out.extend(field(3, 2, normalizer));
    out
}

const KEEPS_SPACES: &[u8] = &[4 << 3, 0];

const PIECES: [(&str, f32, u8); 10] = [
    ("<unk>", 0.0, 2),
    ("<s>", 0.0, 3),
    ("<0x41>", 0.0, 6),
    ("<x>", 0.0, 4),
    ("\u{2581}a", -1.0, 1),
    ("ab", -2.0, 1),
    ("\u{2581}ab", -3.0, 1),
    ("\u{2581}", -4.0, 1),
    ("a", -5.0, 1),
    ("b", -6.0, 1),
];

#[test]
fn a_sentencepiece_model_marks_merges_and_falls_back() {
    let tokenizer = Tokenizer::from_sentencepiece_model(&model(&PIECES, KEEPS_SPACES)).expect("reads");
    assert_eq!(ids(&tokenizer, "ab b"), [6, 7, 9]);
    assert_eq!(ids(&tokenizer, "A"), [7, 2], "a byte of its own");
    assert_eq!(
        ids(&tokenizer, "\u{e9}\u{e9}"),
        [7, 0],
        "unknown, and one for both"
    );
    assert_eq!(ids(&tokenizer, "a<x>b"), [4, 3, 7, 9]);
    assert_eq!(tokenizer.ids_around(), (&[1][..], &[][..]));
    assert_eq!(tokenizer.decode(&[6, 7, 9, 2]).expect("decodes"), "ab bA");
    let again = Tokenizer::from_json(&tokenizer.to_json().expect("serialises")).expect("reads");
    assert_eq!(
        again.fingerprint().expect("digests"),
        tokenizer.fingerprint().expect("digests")
    );
    assert_eq!(ids(&again, "ab bA\u{e9}<x>"), ids(&tokenizer, "ab bA\u{e9}<x>"));
}

#[test]
fn models_that_need_more_are_refused_by_field() {
    let refused = |data: &[u8]| {
        Tokenizer::from_sentencepiece_model(data)
            .expect_err("refused")
            .to_string()
    };
    assert!(refused(&model(&PIECES, &[])).starts_with("`normalizer_spec.remove_extra_whitespaces` is true"));
    let rules = [field(2, 2, b"rules"), KEEPS_SPACES.to_vec()].concat();
    assert!(refused(&model(&PIECES, &rules)).starts_with("`normalizer_spec.precompiled_charsmap` has rules"));
    let unigram = [field(1, 2, &field(1, 2, b"a")), field(2, 2, &field(3, 0, &[1]))].concat();
    assert!(refused(&unigram).starts_with("`trainer_spec.model_type` is not 2"));
    let twice = model(&[PIECES[0], PIECES[8], PIECES[8]], KEEPS_SPACES);
    assert_eq!(refused(&twice), "`pieces[2]` is `a`, as pieces[1]");
    assert_eq!(refused(&[]), "`pieces` are none");
    assert_eq!(refused(b"\x0b"), "`model` is no protocol buffer at byte 0");
}

#[test]
fn no_damaged_byte_of_a_model_or_of_ranks_panics() {
    let (model, ranks) = (model(&PIECES, KEEPS_SPACES), ranks(&[b"ab", b"abc"]));
    for at in 0..model.len() {
        for change in [0, 1, 0x7f, 0xff] {
            let mut bad = model.clone();
            bad[at] = change;
            if let Ok(tokenizer) = Tokenizer::from_sentencepiece_model(&bad) {
                ids(&tokenizer, "ab a\u{e9}A");
            }
        }
        let _ = Tokenizer::from_sentencepiece_model(&model[..at]);
    }
    for at in (0..ranks.len()).step_by(11) {
        for change in [b'A', b' ', b'\n', b'9', 0xff] {
            let mut bad = ranks.clone();
            bad[at] = change;
            if let Ok(tokenizer) = Tokenizer::from_ranks(&bad, GPT2, &[]) {
                ids(&tokenizer, "ab abc\u{e9}");
            }
        }
        // At the end of a line it is a smaller vocabulary, of which some byte is missing unless little is cut off.
        let is_cut = Tokenizer::from_ranks(&ranks[..at], GPT2, &[]).is_err();
        assert!(is_cut || at + 20 > ranks.len(), "cut at {at}");
    }
}
