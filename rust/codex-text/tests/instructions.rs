//! Input made to be slow, by the instructions it takes: no clock, so that a busy machine changes nothing.
//!
//! The test runs itself under `valgrind --tool=callgrind`, which writes down before each call of `look_at` what came since the last.

use std::path::Path;
use std::process::Command;

use codex_text::detect;

/// Bytes of each flood, and how many times as many the second time.
const BYTES: u32 = 1 << 20;
const TIMES: u32 = 4;
/// Instructions for a byte more, at most, over those for a byte more of plain text.
const MOST_OF_PLAIN: f64 = 3.0;
/// The instructions that an answer takes besides, however large the file is, at most.
const MOST_BESIDES: f64 = 20e6;

const PLAIN: (&str, &[u8]) = ("plain", b"A plain line of text, and another.\n");
const FLOODS: [(&str, &[u8]); 18] = [
    (
        "base64",
        b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo+YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo/\n",
    ),
    ("a plus before each word", b"+AGE"),
    ("a tilde and a brace", b"~{"),
    ("a declared charset", b"<meta charset="),
    ("escapes", b"\x1b"),
    ("escapes to Japanese", b"\x1b$B"),
    ("one high byte", b"\xe9"),
    ("bytes that never begin a character", b"\x80"),
    ("first bytes of UTF-8", b"\xc3"),
    ("first halves of characters", b"\xf0\x9f"),
    ("four bytes of gb18030", b"\x81\x30\x81\x30"),
    ("half UTF-8, half not", b"\xc3\xa9\xff"),
    (
        "good sequences beside bad ones",
        b"\xc3\x87a, d\xc3\xa9j\xc3\xa0?\n\xe9t\xe9 \xff\x80 \xe2\x82z\n",
    ),
    (
        "Shift JIS with a bad byte in each line",
        b"\x93\xfa\x96{\x8c\xea \x85\n",
    ),
    ("accents", b"\xe9t\xe9, d\xe9j\xe0 vu\n"),
    ("carriage returns", b"\r"),
    ("zero bytes", b"\0"),
    ("at signs", b"@@@@@@ \xc1"),
];

/// The names of the floods, and what each repeats; plain text first.
fn floods() -> Vec<(&'static str, Vec<u8>)> {
    let mut random = 88_172_645_463_325_252_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random.to_le_bytes()[7]
    })
    .take(1 << 16)
    .collect();
    let high = noise.iter().map(|byte| byte | 0x80).collect();
    let written = std::iter::once(PLAIN).chain(FLOODS);
    written
        .map(|(name, flood)| (name, flood.to_vec()))
        .chain([("bytes at random", noise), ("high bytes at random", high)])
        .collect()
}

/// Set where a missing valgrind is a failure: by `.ci/run`.
const REQUIRED: &str = "CODEX_REQUIRE_VALGRIND";
/// Set in the process that valgrind watches.
const WATCHED: &str = "CODEX_TEXT_WATCHED";

#[inline(never)]
fn look_at(data: &[u8]) {
    std::hint::black_box(detect(std::hint::black_box(data)));
}

#[test]
#[cfg_attr(
    debug_assertions,
    ignore = "of the code that is shipped; `cargo test --release`"
)]
fn a_flood_costs_no_more_than_three_times_the_plain_scan() {
    if std::env::var_os(WATCHED).is_some() {
        let made: Vec<Vec<u8>> = floods()
            .into_iter()
            .flat_map(|(_, flood)| {
                [BYTES, BYTES * TIMES].map(|bytes| flood.repeat(bytes as usize / flood.len()))
            })
            .collect();
        for data in made.iter().step_by(2) {
            std::hint::black_box(detect(data)); // tables are parsed only once
        }
        for data in &made {
            look_at(data);
        }
        look_at(b""); // so that the last is written down too
        return;
    }
    let Some(counts) = counted() else {
        assert!(
            std::env::var_os(REQUIRED).is_none(),
            "`valgrind` is missing; hint: apt-get install valgrind"
        );
        eprintln!("nothing was counted: `valgrind` is missing");
        return;
    };
    let counts: Vec<[f64; 2]> = counts.as_chunks::<2>().0.to_vec();
    assert_eq!(counts.len(), floods().len());
    let more = |[few, many]: [f64; 2]| (many - few) / f64::from(BYTES * (TIMES - 1));
    let plain = more(counts[0]);
    for ((name, _), counts) in floods().into_iter().zip(counts) {
        let besides = counts[0] - more(counts) * f64::from(BYTES);
        eprintln!(
            "{name}: {:.2} a byte more, {:.2} times plain, {:.1} M besides",
            more(counts),
            more(counts) / plain,
            besides / 1e6
        );
        assert!(more(counts) <= MOST_OF_PLAIN * plain, "{name}");
        assert!(besides <= MOST_BESIDES, "{name}");
    }
}

/// The instructions of each call of `look_at`, in their order; none without valgrind.
fn counted() -> Option<Vec<f64>> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("instructions-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder to write to");
    let watched = Command::new("valgrind")
        .args(["--tool=callgrind", "--dump-before=*look_at*"])
        .arg(format!(
            "--callgrind-out-file={}",
            folder.join("counts").display()
        ))
        .arg(std::env::current_exe().expect("this program has a path"))
        .args(["--test-threads=1", "a_flood_costs"])
        .env(WATCHED, "1")
        .output()
        .ok()?;
    assert!(
        watched.status.success(),
        "{}",
        String::from_utf8_lossy(&watched.stderr)
    );
    let counts = (2..) // the first is of what comes before any call
        .map(|number| folder.join(format!("counts.{number}")))
        .map_while(|path| std::fs::read_to_string(path).ok())
        .map(|text| {
            let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
            total
                .and_then(|total| total.trim().parse().ok())
                .expect("callgrind writes a total")
        })
        .collect();
    std::fs::remove_dir_all(&folder).expect("the folder is ours");
    Some(counts)
}
