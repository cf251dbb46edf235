//! Known answers, and one spelling for each.

use super::*;

/// From FIPS 180-2 and the reference implementation of xxHash (`xxhsum -H128`).
const KNOWN: [(Algorithm, &[u8], &str); 4] = [
    (
        Algorithm::Sha256,
        b"",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ),
    (
        Algorithm::Sha256,
        b"abc",
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    ),
    (Algorithm::Xxh3, b"", "xxh3-128:99aa06d3014798d86001c324468d497f"),
    (
        Algorithm::Xxh3,
        b"abc",
        "xxh3-128:06b05ab6733a618578af5f94892f3950",
    ),
];

#[test]
fn known_answers() {
    for (algorithm, data, expected) in KNOWN {
        assert_eq!(digest_bytes(algorithm, data).to_string(), expected);
    }
}

#[test]
fn pieces_make_no_difference_and_a_file_is_its_bytes() {
    let data: Vec<u8> = (0..3 * BLOCK_BYTES + 7)
        .map(|i| u8::try_from(i * 7 % 251).unwrap())
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    std::fs::write(&path, &data).unwrap();
    for algorithm in [Algorithm::Xxh3, Algorithm::Sha256] {
        let whole = digest_bytes(algorithm, &data);
        for piece_bytes in [1000, 4096, 65537] {
            let mut hasher = Hasher::new(algorithm);
            data.chunks(piece_bytes).for_each(|piece| hasher.update(piece));
            assert_eq!(hasher.finish(), whole);
        }
        assert_eq!(digest_file(algorithm, &path).unwrap(), (data.len() as u64, whole));
    }
}

#[test]
fn text_has_one_spelling() {
    for (_, _, text) in KNOWN {
        assert_eq!(text.parse::<Digest>().unwrap().to_string(), text);
        for bad in [
            text.to_uppercase(),
            text[..text.len() - 1].to_owned(),
            format!("{text}0"),
            text.replace(':', " "),
        ] {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
    }
    assert!("md5:d41d8cd98f00b204e9800998ecf8427e".parse::<Digest>().is_err());
}

#[test]
fn many_at_once_have_the_digests_of_each() {
    let data: Vec<u8> = (0..=250).cycle().take(6000).collect();
    let lengths = (0..200).chain([1000, 3, 4096, 64, 4999, 0, 127]);
    let texts: Vec<&[u8]> = lengths
        .map(|length| &data[length / 7..length / 7 + length])
        .collect();
    for count in [0, 1, 2, 3, texts.len()] {
        let found = sha256_each(&texts[..count]);
        assert_eq!(found.len(), count);
        for (text, found) in texts.iter().zip(found) {
            assert_eq!(
                digest_bytes(Algorithm::Sha256, text).as_bytes(),
                found,
                "{}",
                text.len()
            );
        }
    }
}
