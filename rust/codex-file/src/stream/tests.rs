//! Every format, whole, in several members, cut and damaged.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::*;
use crate::error::Class;

const FORMATS: [Format; 4] = [Format::Gzip, Format::Bzip2, Format::Xz, Format::Zstd];

fn compress(format: Format, data: &[u8]) -> Vec<u8> {
    match format {
        Format::Plain => data.to_vec(),
        Format::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(data).unwrap();
            encoder.finish().unwrap()
        }
        Format::Bzip2 => {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
            encoder.write_all(data).unwrap();
            encoder.finish().unwrap()
        }
        Format::Xz => {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 6);
            encoder.write_all(data).unwrap();
            encoder.finish().unwrap()
        }
        Format::Zstd => {
            let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
            encoder.include_checksum(true).unwrap();
            encoder.write_all(data).unwrap();
            encoder.finish().unwrap()
        }
    }
}

fn text(lines: u32) -> Vec<u8> {
    (0..lines)
        .flat_map(|line| format!("line {line}: {:x}\n", line.wrapping_mul(2_654_435_761)).into_bytes())
        .collect()
}

/// A file whose name says nothing about its format.
fn stored(home: &Path, content: &[u8]) -> PathBuf {
    let path = home.join("data.txt");
    fs::write(&path, content).unwrap();
    path
}

#[test]
fn every_format_is_told_by_its_first_bytes_and_read_through_all_members() {
    let home = tempfile::tempdir().unwrap();
    for format in FORMATS {
        for members in [
            vec![vec![]],
            vec![text(1)],
            vec![text(3), vec![], text(20_000), text(2)],
        ] {
            let packed: Vec<u8> = members
                .iter()
                .flat_map(|member| compress(format, member))
                .collect();
            assert_eq!(sniff(&packed), format);
            let path = stored(home.path(), &packed);
            assert_eq!(
                read_all(&path, u64::MAX).unwrap(),
                members.concat(),
                "{}",
                format.name()
            );
            let mut again = Vec::new();
            reader(Cursor::new(packed))
                .unwrap()
                .read_to_end(&mut again)
                .unwrap();
            assert_eq!(again, members.concat());
        }
    }
}

#[test]
fn what_has_no_magic_number_is_plain() {
    let home = tempfile::tempdir().unwrap();
    for content in [
        &b""[..],
        b"B",
        b"BZh9 is how this text begins",
        b"\x1f\x8b",
        b"\xfd7zXZ",
        b"(\xb5/",
        b"PK\x03\x04zip",
    ] {
        assert_eq!(sniff(content), Format::Plain);
        assert_eq!(read_all(&stored(home.path(), content), 100).unwrap(), content);
    }
}

#[test]
fn a_stream_cut_anywhere_says_so() {
    let home = tempfile::tempdir().unwrap();
    for format in FORMATS {
        let (first, second) = (compress(format, &text(5)), compress(format, &text(40)));
        let whole = [first.as_slice(), &second].concat();
        for length in MAGIC_BYTES..whole.len() {
            let answer = read_all(&stored(home.path(), &whole[..length]), u64::MAX);
            if length == first.len() {
                // Cut between two members it is a whole stream; only a digest can tell.
                assert_eq!(answer.unwrap(), text(5));
                continue;
            }
            let error = answer.expect_err(&format!("{} cut at {length}", format.name()));
            assert_eq!(error.class(), Class::Data);
            assert!(error.to_string().contains("data.txt`: the "), "{error}");
            assert!(error.to_string().contains(format.name()), "{error}");
        }
    }
}

#[test]
fn a_flipped_bit_never_passes_for_other_data() {
    let home = tempfile::tempdir().unwrap();
    for format in FORMATS {
        let whole = compress(format, &text(12));
        let mut refused = 0;
        for bit in 8 * MAGIC_BYTES..8 * whole.len() {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            match read_all(&stored(home.path(), &damaged), 1 << 20) {
                Ok(data) => assert_eq!(data, text(12), "{} bit {bit}", format.name()),
                Err(error) => {
                    assert_eq!(error.class(), Class::Data);
                    refused += 1;
                }
            }
        }
        assert!(
            refused * 10 > (whole.len() - MAGIC_BYTES) * 8 * 9,
            "{}: {refused}",
            format.name()
        );
    }
}

#[test]
fn what_follows_the_last_member_is_damage() {
    let home = tempfile::tempdir().unwrap();
    for format in FORMATS {
        let packed = [compress(format, &text(5)).as_slice(), b"something else"].concat();
        let error = read_all(&stored(home.path(), &packed), u64::MAX).expect_err(format.name());
        assert_eq!(error.class(), Class::Data);
    }
}

#[test]
fn one_byte_over_the_limit_is_refused_however_small_it_was_packed() {
    let home = tempfile::tempdir().unwrap();
    let zeros = vec![0; 50_000_000];
    for format in [
        Format::Plain,
        Format::Gzip,
        Format::Bzip2,
        Format::Xz,
        Format::Zstd,
    ] {
        let path = stored(home.path(), &compress(format, &zeros[..1000]));
        assert_eq!(read_all(&path, 1000).unwrap().len(), 1000);
        let error = read_all(&path, 999).unwrap_err();
        assert_eq!(error.class(), Class::Data);
        assert!(
            error
                .to_string()
                .ends_with("data.txt` holds more than the limit of 999 bytes"),
            "{error}"
        );
    }
    let bomb = stored(home.path(), &compress(Format::Zstd, &zeros));
    assert!(fs::metadata(&bomb).unwrap().len() < 10_000);
    assert!(read_all(&bomb, 1 << 20).is_err());
}

#[test]
fn a_zstd_stream_may_begin_with_a_skippable_frame() {
    let home = tempfile::tempdir().unwrap();
    let skipped = [&[0x5e, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"any"].concat();
    let packed = [skipped.as_slice(), &compress(Format::Zstd, b"text"), &skipped].concat();
    assert_eq!(read_all(&stored(home.path(), &packed), 100).unwrap(), b"text");
}

#[test]
fn an_xz_stream_cannot_ask_for_all_the_memory() {
    let home = tempfile::tempdir().unwrap();
    let mut packed = compress(Format::Xz, b"text");
    // The block header at 12: size, flags, filter, length of its properties, dictionary size, padding, CRC-32.
    assert_eq!(packed[14..16], [0x21, 1]);
    packed[16] = 40; // 4 GiB - 1
    let header_bytes = (usize::from(packed[12]) + 1) * 4;
    let mut crc = flate2::Crc::new();
    crc.update(&packed[12..12 + header_bytes - 4]);
    packed[12 + header_bytes - 4..12 + header_bytes].copy_from_slice(&crc.sum().to_le_bytes());
    let error = read_all(&stored(home.path(), &packed), 100).unwrap_err();
    assert!(error.to_string().to_lowercase().contains("mem"), "{error}");
}

#[test]
fn a_folder_and_a_missing_file_are_refused_by_name() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(read_all(home.path(), 9).unwrap_err().class(), Class::Data);
    let error = read_all(&home.path().join("gone"), 9).unwrap_err();
    assert_eq!(error.class(), Class::Missing);
    assert!(error.to_string().contains("gone"), "{error}");
}
