//! Bytes that are no text in any encoding.

/// The chance that two bytes of a text are the same, as one in so many at most: long texts have 1 in 75 and more (Chinese in gb18030),
/// bytes at random of 80 and more 1 in 128, of a0 and more 1 in 96.
const SAME_IN: u64 = 88;
/// So many bytes at least tell.
const MANY: u64 = 1 << 14;

/// Whether bytes that occur so often are spread so evenly that they are no text but one of wide units.
pub(crate) fn is_even(counts: &[u32; 256]) -> bool {
    let counts = counts.map(u64::from);
    let all: u64 = counts.iter().sum();
    let same: u64 = counts.iter().map(|count| count * count.saturating_sub(1)).sum();
    all >= MANY && same * SAME_IN < all * (all - 1)
}

/// First bytes of formats that may look like text further on.
const MAGIC: [(&[u8], &str); 18] = [
    (b"\x7fELF", "ELF"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x1f\x8b\x08", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"\0asm", "WebAssembly"),
    (b"\xca\xfe\xba\xbe", "Java class"),
    (b"SQLite format 3\0", "SQLite"),
    (b"OggS\0", "Ogg"),
    (b"%PDF-", "PDF"),
];

/// The format that the first bytes name.
pub(crate) fn magic(head: &[u8]) -> Option<&'static str> {
    MAGIC
        .iter()
        .find(|(bytes, _)| head.starts_with(bytes))
        .map(|(_, name)| *name)
}
