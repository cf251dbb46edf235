use super::*;
use crate::mutate::Mutations;
use crate::{BadLine, Fault};
use serde_json::Value;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const STRICT: Rules = Rules {
    refuses_twins: true,
    takes_nan: false,
};
const LENIENT: Rules = Rules {
    refuses_twins: false,
    takes_nan: true,
};

/// A row back to a value, taking tokens off the front; integers beyond 64 bits as their digits.
fn value(rows: &Rows, tokens: &mut &[Token], wanted: &[&str]) -> Value {
    let text = |start, end| String::from_utf8(rows.text(start, end).to_vec()).expect("UTF-8");
    let (token, rest) = tokens.split_first().expect("a token");
    *tokens = rest;
    match *token {
        Token::Null => Value::Null,
        Token::Boolean(value) => value.into(),
        Token::Integer(value) => value.into(),
        Token::Digits(start, end) => {
            let digits = text(start, end);
            serde_json::from_str(&digits).expect("a number")
        }
        Token::Float(value) => value.into(),
        Token::Text(start, end) => text(start, end).into(),
        Token::Array(count) => (0..count).map(|_| value(rows, tokens, wanted)).collect(),
        Token::Object(count) => {
            let member = |_| {
                let (key, rest) = tokens.split_first().expect("a key");
                *tokens = rest;
                let key = match *key {
                    Token::Key(start, end) => text(start, end),
                    Token::Wanted(number) => wanted[number as usize].to_owned(),
                    other => panic!("{other:?} is no key"),
                };
                (key, value(rows, tokens, wanted))
            };
            (0..count).map(member).collect()
        }
        Token::Key(..) | Token::Wanted(_) => panic!("a key without an object"),
    }
}

fn take<T: Take>(line: &str, plan: &T::Plan, rules: Rules) -> std::result::Result<T, Fault> {
    let mut taken = T::default();
    let is_taken = taken.take_line(line.as_bytes(), plan, rules);
    let fault = T::fault(line, plan, rules);
    assert_eq!(is_taken, fault.is_none(), "{line}: {fault:?}");
    assert_eq!(taken.rows(), usize::from(is_taken));
    fault.map_or(Ok(taken), |fault| {
        assert!(fault.at <= line.len(), "{line}");
        Err(fault)
    })
}

fn text(line: &str, rules: Rules) -> std::result::Result<String, Fault> {
    take::<Texts>(line, &"text".to_owned(), rules)
        .map(|taken| String::from_utf8(taken.iter().next().expect("one").to_vec()).expect("UTF-8"))
}

fn row(line: &str, wanted: Option<&[&str]>, rules: Rules) -> std::result::Result<Value, Fault> {
    let plan = wanted.map(|keys| keys.iter().map(|key| (*key).to_owned()).collect());
    take::<Rows>(line, &plan, rules).map(|rows| {
        let mut tokens = rows.tokens();
        let value = value(&rows, &mut tokens, wanted.unwrap_or_default());
        assert!(tokens.is_empty());
        value
    })
}

fn types() -> Vec<(String, ColumnType)> {
    [
        ("text", ColumnType::Text),
        ("n", ColumnType::Integer),
        ("x", ColumnType::Float),
        ("b", ColumnType::Boolean),
        ("m", ColumnType::Json),
    ]
    .map(|(name, kind)| (name.to_owned(), kind))
    .to_vec()
}

#[test]
fn a_mutated_line_is_taken_both_ways_or_neither_and_as_serde_json_takes_it() {
    let lines = [
        r#"{"id":"ba78","m":{"k":[-1.5e3,0,true,null,123456789012.5e1]},"text":"a\n\u00e9\ud83d\ude00\" long enough, \\ yes","n":7}"#,
        r#"{"n":-12,"x":1.5,"b":false,"text":"","text2":[1e400,NaN,-Infinity,18446744073709551616],"\u0078":null}"#,
        r#"{"a0":0,"a1":0,"a2":0,"a3":0,"a4":0,"a5":0,"a6":0,"a7":0,"a8":0,"a9":0,"b0":0,"b1":0,"b2":0,"b3":0,"b4":0,"b5":0,"b6":{"b6":1},"b7":0,"text":"t"}"#,
    ];
    let mut mutations = Mutations(20_261_121);
    let mut accepted = 0;
    for number in 0..30_000 {
        let line = lines[number % lines.len()].as_bytes();
        let Some(mutated) = mutations.next(line, 0) else {
            continue;
        };
        let mutated = mutated.as_str();
        let theirs = serde_json::from_str::<Value>(mutated);
        for rules in [STRICT, LENIENT] {
            let _ = take::<Columns>(mutated, &types(), rules);
            let _ = row(mutated, Some(&["n", "x"]), rules);
            let (ours, found) = (row(mutated, None, rules), text(mutated, rules));
            match (&ours, &theirs) {
                (Ok(ours), Ok(theirs)) => {
                    accepted += 1;
                    assert_eq!(ours, theirs, "{mutated}");
                    if let Some(text) = theirs["text"].as_str() {
                        assert_eq!(found.as_deref(), Ok(text), "{mutated}");
                    }
                }
                (Ok(_), Err(error)) => assert!(
                    rules == LENIENT && mutated.contains("NaN") || mutated.contains("Infinity"),
                    "{mutated}: {error}"
                ),
                (Err(fault), Ok(theirs)) => assert!(
                    !theirs.is_object() || fault.reason.contains("stands twice"),
                    "{mutated}: {}",
                    fault.reason
                ),
                (Err(_), Err(_)) => {}
            }
        }
    }
    assert!(accepted > 5000, "{accepted}");
}

#[test]
fn every_fault_has_its_byte_and_its_reason() {
    let plan = types();
    for (line, at, reason) in [
        (
            r#"{"text":"a","n":1.0}"#,
            16,
            "expected an integer of 64 bits, found `1.0`",
        ),
        (
            r#"{"n":9223372036854775808}"#,
            5,
            "expected an integer of 64 bits, found `9223372036854775808`",
        ),
        (
            r#"{"x":9007199254740993}"#,
            5,
            "expected a number that a double holds exactly, found `9007199254740993`",
        ),
        (r#"{"x":1e400}"#, 5, "the number 1e400 is out of range"),
        (r#"{"b":0}"#, 5, "expected a boolean, found `0`"),
        (r#"{"text":7}"#, 8, "expected a string, found `7`"),
        (r#"{"m":{"a":1,"a":2}}"#, 12, "the key `a` stands twice"),
        (r#"{"m":NaN}"#, 5, "expected a value, found `N`"),
    ] {
        let fault = take::<Columns>(line, &plan, STRICT).expect_err(line);
        assert_eq!((fault.at, fault.reason.as_str()), (at, reason), "{line}");
    }
    for (line, at, reason) in [
        (r#"{"n":1e400}"#, 5, "the number 1e400 is out of range"),
        (r#"{"n":[NaN]}"#, 6, "expected a value, found `N`"),
        (r#"{"n":1} {"n":2}"#, 8, "expected the end of the line, found `{`"),
        (r#"{"n":{"k":1,"k":2}}"#, 12, "the key `k` stands twice"),
        (r#"{"n":1,"\u006e":2}"#, 7, "the key `n` stands twice"),
        (r#"{"n":"\ud800"}"#, 6, "lone surrogate `\\ud800`"),
    ] {
        let fault = row(line, None, STRICT).expect_err(line);
        assert_eq!((fault.at, fault.reason.as_str()), (at, reason), "{line}");
    }
    assert_eq!(
        text("{}", STRICT).expect_err("no text").reason,
        "the key `text` is missing"
    );
    for (digits, is_taken) in [(4300, true), (4301, false)] {
        let line = format!("{{\"n\":-{}}}", "1".repeat(digits));
        assert_eq!(take::<Rows>(&line, &None, STRICT).is_ok(), is_taken);
        assert!(take::<Columns>(&line, &plan, STRICT).is_err());
    }
    // What is not asked for only has to be JSON.
    assert_eq!(text(r#"{"n":1e400,"text":"a"}"#, STRICT).as_deref(), Ok("a"));
}

#[test]
fn the_last_of_two_keys_counts_where_two_are_taken() {
    let line = r#"{"text":"one","n":1,"n":2,"text":"two","x":null,"x":3,"b":true,"b":null}"#;
    assert_eq!(text(line, LENIENT).as_deref(), Ok("two"));
    let taken = take::<Columns>(line, &types(), LENIENT).expect("columns");
    let [text, n, x, b, m] = taken.columns() else {
        panic!("five columns");
    };
    assert!(matches!(&text.values, Values::Text { bytes, ends, .. } if bytes == b"two" && ends == &[0, 3]));
    assert!(matches!(&n.values, Values::Integer(values) if values == &[2]));
    assert!(matches!(&x.values, Values::Float(values) if values == &[3.0]));
    assert_eq!((text.nulls, x.nulls, b.nulls, m.nulls), (0, 0, 1, 1));
    assert_eq!((&*b.validity, &*x.validity), (&[0][..], &[1][..]));
}

#[test]
fn lines_that_are_alike_and_lines_that_are_not_are_read_by_one_reader_as_alone() {
    let lines = [
        r#"{"a":1,"b":2,"text":"x"}"#,
        r#"{"a":1,"b":2,"text":"x"}"#,
        r#"{ "a" : 1, "b":2, "text":"x" }"#,
        r#"{"a":1,"text":"x","b":2}"#,
        r#"{"a":1,"b":2,"a":3,"text":"x"}"#,
        r#"{"a":1,"b":2,"text":"x","b":3}"#,
        r#"{"a":1,"b":2,"text":"x","text":"y"}"#,
        r#"{"a":1}"#,
        "{}",
        r#"{"\u0061":1,"b":2,"a":3}"#,
        r#"{"a":{"a":1,"b":{"a":[]}},"b":2,"text":"x"}"#,
        r#"{"a":1,"b":2,"text":"x","more":[{"a":1}]}"#,
        r#"{"a":1,"b":2,"text"}"#,
        r#"{"a":1,"b":2,"#,
        r#"{"a":1,"b"#,
    ];
    let mut source = Mutations(99);
    let (mut texts, mut rows, mut columns) = (Texts::default(), Rows::default(), Columns::default());
    for _ in 0..20_000 {
        let line = lines[source.random(lines.len())];
        for rules in [STRICT, LENIENT] {
            texts.clear();
            rows.clear();
            let (key, none) = ("text".to_owned(), None);
            assert_eq!(
                texts.take_line(line.as_bytes(), &key, rules),
                text(line, rules).is_ok(),
                "{line}"
            );
            assert_eq!(
                rows.take_line(line.as_bytes(), &none, rules),
                row(line, None, rules).is_ok(),
                "{line}"
            );
            let alone = take::<Columns>(line, &types(), rules);
            assert_eq!(
                columns.take_line(line.as_bytes(), &types(), rules),
                alone.is_ok(),
                "{line}"
            );
            if rows.rows() == 1 {
                assert_eq!(
                    value(&rows, &mut rows.tokens(), &[]),
                    row(line, None, rules).expect("taken")
                );
            }
        }
    }
}

#[test]
fn numbers_are_exact() {
    for digits in [
        "0",
        "-1",
        "999999999999999999",
        "9223372036854775807",
        "-123456789012345678901234567890",
        "-0",
    ] {
        let taken = take::<Rows>(&format!("{{\"n\":{digits}}}"), &None, STRICT).expect(digits);
        match taken.tokens()[2] {
            Token::Integer(value) => assert_eq!(value.to_string(), digits),
            Token::Digits(start, end) => assert_eq!(taken.text(start, end), digits.as_bytes()),
            other => panic!("{digits}: {other:?}"),
        }
    }
}

/// How many texts come before a bad line, the line, and what stands on it.
type BadText = (usize, BadLine, Vec<u8>);

/// What a file reads as with so many threads: texts, bad lines and what stands on them.
fn read(path: &Path, threads: usize) -> (Vec<String>, Vec<BadText>) {
    let (mut texts, mut bad) = (Vec::new(), Vec::new());
    let mut batches =
        Batches::<Texts>::open(path, "text".to_owned(), STRICT, threads, true).expect("it is there");
    while let Some(batch) = batches.read().expect("it can be read") {
        bad.extend(
            batch
                .bad
                .into_iter()
                .map(|bad| (texts.len() + bad.row, bad.place, bad.line)),
        );
        texts.extend(
            batch
                .taken
                .iter()
                .map(|text| String::from_utf8(text.to_vec()).expect("UTF-8")),
        );
        batches.give_back(batch.taken);
    }
    assert!(batches.read().expect("it has ended").is_none());
    (texts, bad)
}

#[test]
fn any_number_of_threads_reads_the_same_in_the_same_order() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("lines.ndjson");
    let mut file = b"\xef\xbb\xbf".to_vec();
    let mut wanted = Vec::new();
    for number in 0..60_000_u32 {
        match number % 10_007 {
            17 => file.extend_from_slice(b"{\"text\":\xff}\r\n"),
            18 => file.extend_from_slice(b" \t\r\n\n"),
            19 => file.extend_from_slice(b"{\"text\": 7}\n"),
            _ => {
                let text = "é😀 ".repeat((number % 13) as usize) + &number.to_string();
                file.extend_from_slice(format!("{{\"n\":{number},\"text\":\"{text}\\n\"}}\n").as_bytes());
                wanted.push(text + "\n");
            }
        }
    }
    file.extend_from_slice(b"{\"text\":\"torn");
    std::fs::write(&path, &file).expect("the folder is writable");
    let (texts, bad) = read(&path, 1);
    assert_eq!(texts, wanted);
    for (row, place, line) in &bad {
        let start = file
            .split(|byte| *byte == b'\n')
            .nth(usize::try_from(place.line).expect("small") - 1);
        assert_eq!(start, Some(&line[..]));
        assert!(*row <= texts.len());
        assert_eq!(place.path, path);
    }
    assert_eq!(bad.len(), 13);
    assert!(bad[12].1.reason.starts_with("the last line is torn: "));
    for threads in [2, 3, 8] {
        assert_eq!(read(&path, threads), (texts.clone(), bad.clone()));
    }
}

#[test]
fn an_error_comes_behind_what_was_whole_and_a_reader_may_be_dropped_at_any_time() {
    let folder = TempDir::new().expect("a folder");
    let path: PathBuf = folder.path().join("lines.zst");
    let plain = "{\"text\":\"a long enough text\"}\n".repeat(200_000);
    let packed = zstd::encode_all(plain.as_bytes(), 1).expect("it is compressed");
    std::fs::write(&path, &packed[..packed.len() - 9]).expect("the folder is writable");
    for threads in [1, 2, 5] {
        let open =
            || Batches::<Texts>::open(&path, "text".to_owned(), STRICT, threads, false).expect("it is there");
        let mut batches = open();
        let mut rows = 0;
        let error = loop {
            match batches.read() {
                Ok(Some(batch)) => rows += batch.taken.rows(),
                Ok(None) => panic!("the end of a damaged file"),
                Err(error) => break error,
            }
        };
        assert!(
            rows > 100_000 && error.to_string().contains("cut short"),
            "{rows}: {error}"
        );
        drop(open());
        let mut started = open();
        assert!(started.read().expect("a batch").is_some());
    }
}
