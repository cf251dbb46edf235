//! The twin is flate2: what it reads we read, what it refuses we refuse.

use std::io::{Cursor, Write};

use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};

use super::*;

/// Numbers that follow from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).expect("31 bits") % bound
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).expect("a byte")
    }
}

fn packed(data: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(data).expect("memory");
    encoder.finish().expect("memory")
}

/// What is read in pieces of so many bytes, the source giving so many at a time, and whether that went well.
fn read(packed: &[u8], piece: usize, given: usize) -> (Vec<u8>, Result<(), ErrorKind>) {
    struct Slow<'a>(&'a [u8], usize);
    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let given = buffer.len().min(self.1);
            self.0.read(&mut buffer[..given])
        }
    }
    let mut decoder = Decoder::new(Slow(packed, given));
    let (mut plain, mut buffer) = (Vec::new(), vec![0; piece]);
    loop {
        match decoder.read(&mut buffer) {
            Ok(0) => return (plain, Ok(())),
            Ok(count) => plain.extend_from_slice(&buffer[..count]),
            Err(error) => {
                assert!(decoder.read(&mut buffer).is_err(), "it stays failed");
                return (plain, Err(error.kind()));
            }
        }
    }
}

fn twin(packed: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let answer = MultiGzDecoder::new(packed).read_to_end(&mut plain);
    answer.ok().map(|_| plain)
}

/// Texts of every kind a block is made for.
fn samples() -> Vec<Vec<u8>> {
    let mut random = Random(8);
    let noise: Vec<u8> = (0..300_000).map(|_| random.byte()).collect();
    let words: Vec<u8> = (0..80_000)
        .flat_map(|_| format!("{} ", random.below(3000)).into_bytes())
        .collect();
    let mut mixed = Vec::new();
    while mixed.len() < 500_000 {
        // Runs and repetitions of every distance, near and as far as a match reaches.
        let (kind, length) = (random.below(4), 1 + random.below(600));
        let distance = 1 + random.below([3, 20, 300, 32_768][kind]);
        for _ in 0..length {
            let again = mixed.len().checked_sub(distance).map(|place: usize| mixed[place]);
            mixed.push(again.unwrap_or_else(|| random.byte()));
        }
        mixed.push(random.byte());
    }
    vec![vec![], b"a".to_vec(), vec![b'a'; 400_000], noise, words, mixed]
}

#[test]
fn every_kind_of_block_is_read_as_by_the_twin() {
    for sample in samples() {
        for level in [0, 1, 4, 6, 9] {
            let packed = packed(&sample, level);
            assert_eq!(twin(&packed).as_ref(), Some(&sample));
            for (piece, given) in [(1 << 20, 1 << 20), (1000, 1 << 20), (70_000, 1), (999_999, 4096)] {
                let (plain, answer) = read(&packed, piece, given);
                assert!(
                    answer.is_ok() && plain == sample,
                    "level {level}, {} bytes",
                    sample.len()
                );
            }
        }
    }
}

#[test]
fn members_and_their_headers_are_passed_and_none_reaches_into_another() {
    let mut whole = Vec::new();
    for (name, extra) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut builder = GzBuilder::new().mtime(7);
        if name {
            builder = builder.filename("lines").comment("a comment");
        }
        if extra {
            builder = builder.extra(vec![7; 300]);
        }
        let mut encoder = builder.write(&mut whole, Compression::best());
        encoder
            .write_all(&b"the same again ".repeat(3000))
            .expect("memory");
        encoder.finish().expect("memory");
    }
    let wanted = b"the same again ".repeat(12_000);
    assert_eq!(read(&whole, 50_000, 3), (wanted.clone(), Ok(())));
    assert_eq!(twin(&whole), Some(wanted));
    // A match of the second member that reaches into the first: a stored block would be as long as it says.
    let far = [
        packed(b"abcabcabc", 9),
        vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b, 0x04, 0x11, 0x00],
    ]
    .concat();
    assert_eq!(twin(&far), None);
    assert!(read(&far, 100, 100).1.is_err());
}

#[test]
fn cut_anywhere_it_gives_what_came_before_and_says_so() {
    let sample: Vec<u8> = samples()[4][..3000].to_vec();
    for level in [0, 6] {
        let packed = packed(&sample, level);
        for length in 0..packed.len() {
            let (plain, answer) = read(&packed[..length], 500, 7);
            assert_eq!(answer, Err(ErrorKind::UnexpectedEof), "{length}");
            assert!(sample.starts_with(&plain));
        }
    }
    // Most of what a long stream had is there.
    let packed = packed(&samples()[4], 6);
    let (plain, answer) = read(&packed[..packed.len() - 20], 1 << 20, 1 << 20);
    assert_eq!(answer, Err(ErrorKind::UnexpectedEof));
    assert!(plain.len() > samples()[4].len() - 100 && samples()[4].starts_with(&plain));
}

#[test]
fn a_changed_stream_is_refused_where_the_twin_refuses_it() {
    let mut random = Random(9);
    for sample in samples().iter().map(|sample| &sample[..sample.len().min(20_000)]) {
        for level in [0, 1, 6] {
            let whole = packed(sample, level);
            for _ in 0..300 {
                let mut changed = whole.clone();
                for _ in 0..=random.below(3) {
                    let place = random.below(changed.len());
                    changed[place] ^= 1 << random.below(8);
                }
                let (plain, answer) = read(&changed, 5000, 5000);
                assert_eq!(answer.is_ok().then_some(plain), twin(&changed));
            }
        }
    }
}

#[test]
fn any_bytes_are_decoded_or_refused_as_by_the_twin() {
    let mut random = Random(10);
    for _ in 0..20_000 {
        let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
        // Most kinds of block need a plausible start to get far.
        bytes.push([0x05, 0x04, 0x03, 0x02, 0x4b][random.below(5)]);
        bytes.extend((0..random.below(200)).map(|_| random.byte()));
        let mut plain = Vec::new();
        let mut theirs = flate2::bufread::DeflateDecoder::new(Cursor::new(&bytes[10..]));
        let answer = theirs.read_to_end(&mut plain);
        let (own, outcome) = read(&bytes, 1000, 1000);
        // Without a right checksum none is whole; what was decoded until then is the same.
        assert!(outcome.is_err());
        if answer.is_ok() {
            assert_eq!(own, plain);
        }
    }
}

#[test]
fn a_source_that_fails_says_why() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::from_raw_os_error(5))
        }
    }
    let whole = packed(&samples()[4], 6);
    let mut plain = Vec::new();
    let source = Cursor::new(whole[..whole.len() / 2].to_vec()).chain(Failing);
    let error = Decoder::new(source)
        .read_to_end(&mut plain)
        .expect_err("it fails");
    assert_eq!(error.raw_os_error(), Some(5));
    assert!(!plain.is_empty() && samples()[4].starts_with(&plain));
}
