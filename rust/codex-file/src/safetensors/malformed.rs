//! Files that are not what they claim to be, each refused by name.

use super::{parse, parse_header, read_header};
use crate::error::Class;

fn file(json: &str, data_bytes: usize) -> Vec<u8> {
    let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(json.as_bytes());
    bytes.resize(bytes.len() + data_bytes, 0);
    bytes
}

#[test]
#[allow(clippy::too_many_lines)] // a table
fn every_malformed_file_is_refused_by_name() {
    let one = r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#;
    assert_eq!(parse(&file(one, 4)).unwrap().tensors.len(), 1);
    let table: [(&str, usize, &str); 44] = [
        (one, 3, "it is cut short: it has 3 bytes of data, needs 4"),
        (one, 5, "1 bytes follow the last tensor"),
        ("", 0, "its header does not begin with `{`"),
        (" {}", 0, "its header does not begin with `{`"),
        ("{}\n", 0, "its header does not end with `}` and spaces"),
        ("[]", 0, "its header does not begin with `{`"),
        ("{", 0, "its header does not end with `}` and spaces"),
        ("{}}", 0, "not valid JSON at byte 2: expected the end"),
        ("{\"a\":1}", 0, "tensor `a` is not an object"),
        (
            r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#,
            4,
            "the key `a` stands twice",
        ),
        (
            r#"{"a":{"dtype":"U8","dtype":"I8","shape":[4],"data_offsets":[0,4]}}"#,
            4,
            "the key `dtype` stands twice",
        ),
        (
            r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}"#,
            6,
            "bytes 0 to 2 belong to no tensor",
        ),
        (
            r#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[3,5]}}"#,
            5,
            "bytes 2 to 3 belong to no tensor, `b` comes next",
        ),
        (
            r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}"#,
            6,
            "tensor `b` starts at byte 2, inside another that ends at 4",
        ),
        (
            r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#,
            4,
            "tensor `b` starts at byte 0, inside another",
        ),
        (
            r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}}"#,
            4,
            "tensor `a` ends at byte 0 before it starts at 4",
        ),
        (
            r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,3]}}"#,
            3,
            "has 3 bytes, expected 4",
        ),
        (
            r#"{"a":{"dtype":"Q8","shape":[4],"data_offsets":[0,4]}}"#,
            4,
            "`Q8` is not a known dtype",
        ),
        (
            r#"{"a":{"dtype":"U8","shape":[-4],"data_offsets":[0,4]}}"#,
            4,
            "has no `shape` of whole numbers",
        ),
        (
            r#"{"a":{"dtype":"U8","shape":[4.0],"data_offsets":[0,4]}}"#,
            4,
            "has no `shape` of whole numbers",
        ),
        (
            r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4,4]}}"#,
            4,
            "has 3 offsets, expected 2",
        ),
        (
            r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"x":1}}"#,
            4,
            "has the unknown key `x`",
        ),
        (
            r#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#,
            0,
            "has no size in bytes as F32",
        ),
        (
            r#"{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}"#,
            1,
            "has no size in bytes as F4",
        ),
        (
            r#"{"__metadata__":{"a":1}}"#,
            0,
            "its metadata `a` is not a string",
        ),
        (r#"{"__metadata__":[]}"#, 0, "its metadata is not an object"),
        (
            r#"{"__metadata__":{},"__metadata__":{}}"#,
            0,
            "the key `__metadata__` stands twice",
        ),
        (
            r#"{"__metadata__":{"a":"","a":""}}"#,
            0,
            "the key `a` stands twice",
        ),
        (
            r#"{"a":{"shape":[4],"data_offsets":[0,4]}}"#,
            4,
            "tensor `a` has no `dtype`",
        ),
        (
            r#"{"a":{"dtype":"U8","data_offsets":[0,4]}}"#,
            4,
            "tensor `a` has no `shape`",
        ),
        (
            r#"{"a":{"dtype":"U8","shape":[4]}}"#,
            4,
            "tensor `a` has no `data_offsets`",
        ),
        (
            r#"{"a":{"dtype":8,"shape":[4],"data_offsets":[0,4]}}"#,
            4,
            "tensor `a` has no `dtype`",
        ),
        (
            r#"{"a":{"dtype":"U8","shape":{},"data_offsets":[0,4]}}"#,
            4,
            "has no `shape` of whole numbers",
        ),
        (
            r#"{"a":{"dtype":"U8","shape":[04],"data_offsets":[0,4]}}"#,
            4,
            "has no `shape` of whole numbers",
        ),
        (
            r#"{"a":{"dtype":"U8","shape":[18446744073709551616],"data_offsets":[0,4]}}"#,
            4,
            "has no `shape` of whole numbers",
        ),
        (
            r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,18446744073709551616]}}"#,
            4,
            "has no `data_offsets` of whole numbers",
        ),
        (
            r#"{"a":{"dtype":"U8","shape":[4,],"data_offsets":[0,4]}}"#,
            4,
            "has no `shape` of whole numbers",
        ),
        (r#"{"a":[[[[[[[[[[[[[[[["#, 0, "does not end with `}`"),
        (
            r#"{"a":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}"#,
            0,
            "tensor `a` is not an object",
        ),
        (
            r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},}"#,
            4,
            "expected a key",
        ),
        (
            r#"{"a" {"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#,
            4,
            "at byte 5: expected `:`",
        ),
        (
            r#"{"a":{"dtype":"U8" "shape":[4],"data_offsets":[0,4]}}"#,
            4,
            "expected `,` or `}`",
        ),
        (
            r#"{"\ud800":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#,
            4,
            "expected a string",
        ),
        (
            "{\"a\n\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}",
            4,
            "expected a string",
        ),
    ];
    for (json, data_bytes, reason) in table {
        let error = parse(&file(json, data_bytes)).expect_err(json);
        assert!(error.to_string().contains(reason), "{json}: {error}");
        assert_eq!(error.class(), Class::Damage);
    }
}

#[test]
fn a_header_that_is_not_utf_8_or_has_too_many_axes_is_refused() {
    let mut bytes = file(r#"{"?":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#, 4);
    bytes[10] = 0xff;
    let error = parse(&bytes).unwrap_err().to_string();
    assert!(error.ends_with("its header is not UTF-8 at byte 2"), "{error}");
    let ones = |axes| vec!["1"; axes].join(",");
    let json = |axes| {
        format!(
            r#"{{"a":{{"dtype":"U8","shape":[{}],"data_offsets":[0,1]}}}}"#,
            ones(axes)
        )
    };
    assert_eq!(parse(&file(&json(64), 1)).unwrap().tensors[0].shape, [1; 64]);
    let error = parse(&file(&json(65), 1)).unwrap_err().to_string();
    assert!(
        error.ends_with("tensor `a` has more than 64 numbers in `shape`"),
        "{error}"
    );
}

#[test]
fn a_length_that_lies_is_refused_before_anything_is_read() {
    for (bytes, reason) in [
        (&b""[..], "it has 0 bytes, expected at least 8"),
        (b"\x02\0\0\0\0\0\0", "it has 7 bytes, expected at least 8"),
        (
            b"\x03\0\0\0\0\0\0\0{}",
            "its header claims 3 bytes, the file has 10",
        ),
        (
            b"\x01\xe1\xf5\x05\0\0\0\0{}",
            "its header claims 100000001 bytes, expected at most 100000000",
        ),
        (
            b"\xff\xff\xff\xff\xff\xff\xff\xff{}",
            "expected at most 100000000",
        ),
    ] {
        assert!(parse(bytes).unwrap_err().to_string().contains(reason));
    }
    let huge = parse_header(b"\x09\0\0\0\0\0\0\0{}", 1 << 40).unwrap_err();
    assert!(huge.to_string().contains("claims 9 bytes, 2 were read"), "{huge}");
}

#[test]
fn empty_tensors_may_lie_anywhere_between() {
    let json = r#"{"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"a":{"dtype":"F32","shape":[0],"data_offsets":[2,2]},"c":{"dtype":"U8","shape":[0,9],"data_offsets":[0,0]}}  "#;
    let names: Vec<String> = parse(&file(json, 2))
        .unwrap()
        .tensors
        .into_iter()
        .map(|tensor| tensor.name)
        .collect();
    assert_eq!(names, ["c", "b", "a"]);
}

#[test]
fn the_header_alone_is_enough() {
    let whole = file(r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#, 4);
    assert_eq!(
        parse_header(&whole[..whole.len() - 4], whole.len() as u64).unwrap(),
        parse(&whole).unwrap()
    );
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a.safetensors");
    std::fs::write(&path, &whole).unwrap();
    assert_eq!(read_header(&path).unwrap(), parse(&whole).unwrap());
    for length in 0..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        let error = read_header(&path).unwrap_err();
        assert_eq!(error.class(), Class::Damage);
        assert!(
            error
                .to_string()
                .contains("a.safetensors`: not a valid safetensors file"),
            "{error}"
        );
    }
}
