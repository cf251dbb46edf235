#![allow(warnings, clippy::all, clippy::pedantic)]
//! dev
use std::io::Read;
fn main() {
    let mut args = std::env::args().skip(1);
    let size: usize = args.next().unwrap().parse().unwrap();
    let limit: usize = args.next().unwrap().parse().unwrap();
    let mut counts = codex_tokens::WordCounts::default();
    let started = std::time::Instant::now();
    let mut total = 0;
    for path in args {
        if total >= limit {
            break;
        }
        let mut data = Vec::new();
        std::fs::File::open(&path)
            .unwrap()
            .read_to_end(&mut data)
            .unwrap();
        let text = String::from_utf8_lossy(&data);
        total += text.len();
        counts.add_text(&text);
    }
    eprintln!("{total} bytes counted {:?}", started.elapsed());
    let t = counts.train(size, &["<|endoftext|>"]).unwrap();
    eprintln!("all {:?} {}", started.elapsed(), t.vocabulary_size());
    let mut u: libc_rusage = unsafe { std::mem::zeroed() };
    unsafe { getrusage(0, &mut u) };
    eprintln!(
        "peak {} MB cpu {}.{:06}",
        u.maxrss / 1024,
        u.ut.0 + u.st.0,
        u.ut.1 + u.st.1
    );
    std::fs::write("/tmp/d_dev/ours.json", t.to_json().unwrap()).unwrap();
}
#[repr(C)]
struct libc_rusage {
    ut: (i64, i64),
    st: (i64, i64),
    maxrss: i64,
    rest: [i64; 13],
}
unsafe extern "C" {
    fn getrusage(who: i32, u: *mut libc_rusage) -> i32;
}
