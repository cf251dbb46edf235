// What must hold of any bytes; the fuzz target and the crate's own test are made of it.

/// Nothing panics, and a second look and any cut give the same answer. `cut` tells a number below the one it is given.
fn check(data: &[u8], mut cut: impl FnMut(usize) -> usize) {
    for name in ["a.txt", "a.py"] {
        if let Ok(decoded) = codex_text::decode(data, name) {
            assert!(!decoded.text.contains(['\0', '\r']), "{name}");
        }
    }
    let whole = codex_text::detect(data);
    assert!((0.0..=1.0).contains(&whole.confidence), "{whole:?}");
    assert_eq!(codex_text::detect(data), whole);
    let mut detector = codex_text::Detector::default();
    let mut rest = data;
    while !rest.is_empty() {
        let (piece, later) = rest.split_at(1 + cut(rest.len()));
        detector.feed(piece);
        rest = later;
    }
    assert_eq!(detector.close(), whole);
}
