//! Bytes that are no text in any encoding.

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
