//! The copy that a snapshot is: on several threads, and past the caches, for what is written is not read again soon.

use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::beside;

/// What a thread takes at a time.
const PIECE_BYTES: usize = 1 << 20;

/// The memory of a machine gives no more to more threads.
const MAX_THREADS: usize = 8;

/// Copies each source to the place beside it.
///
/// Ordinary stores read every line of the target before they overwrite it; these do not, which leaves 0.6 of the time.
///
/// # Panics
/// If a place has not the length of its source.
pub fn copy_all(pairs: Vec<(&mut [u8], &[u8])>) {
    for (to, from) in &pairs {
        assert_eq!(to.len(), from.len(), "a place has the length of its source");
    }
    let bytes: usize = pairs.iter().map(|(_, from)| from.len()).sum();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let threads = bytes.div_ceil(PIECE_BYTES).min(cores).min(MAX_THREADS);
    let pieces = pairs
        .into_iter()
        .flat_map(|(to, from)| to.chunks_mut(PIECE_BYTES).zip(from.chunks(PIECE_BYTES)));
    let pieces = Mutex::new(pieces);
    let work = || {
        loop {
            let piece = pieces.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((to, from)) = piece else { break };
            copy(to, from);
        }
    };
    beside::run(threads - 1, &work);
}

#[cfg(not(target_arch = "x86_64"))]
fn copy(to: &mut [u8], from: &[u8]) {
    to.copy_from_slice(from);
}

#[cfg(target_arch = "x86_64")]
fn copy(to: &mut [u8], from: &[u8]) {
    use std::arch::x86_64::{__m128i, _mm_loadu_si128, _mm_sfence, _mm_stream_si128};

    const LINE: usize = 4;
    // SAFETY: any sixteen bytes are a vector.
    #[expect(unsafe_code, reason = "a view of aligned bytes as vectors")]
    let (head, vectors, _) = unsafe { to.align_to_mut::<__m128i>() };
    let (head, lines) = (head.len(), vectors.as_chunks_mut::<LINE>().0);
    let (first, rest) = from.split_at(head);
    let (middle, last) = rest.split_at(size_of_val(lines));
    for (line, bytes) in lines.iter_mut().zip(middle.as_chunks::<64>().0) {
        // SAFETY: every x86-64 has SSE2; `bytes` are a line to read, `line` is aligned and ours alone.
        #[expect(unsafe_code, reason = "stores past the caches")]
        unsafe {
            let vectors: [__m128i; LINE] =
                std::array::from_fn(|place| _mm_loadu_si128(bytes[place * 16..].as_ptr().cast()));
            for (place, vector) in line.iter_mut().zip(vectors) {
                _mm_stream_si128(place, vector);
            }
        }
    }
    let copied = to.len() - last.len();
    to[..head].copy_from_slice(first);
    to[copied..].copy_from_slice(last);
    // SAFETY: every x86-64 has SSE. The fence orders these stores before whatever tells others that the copy is there.
    #[expect(unsafe_code, reason = "stores past the caches are ordered by hand")]
    unsafe {
        _mm_sfence();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_of_every_piece_arrives_at_any_length_and_place() {
        let lengths = [
            0,
            1,
            15,
            16,
            17,
            63,
            64,
            123,
            4096,
            PIECE_BYTES - 1,
            PIECE_BYTES,
            3 * PIECE_BYTES + 5,
        ];
        for shift in [0, 1, 7, 15] {
            let from: Vec<Vec<u8>> = lengths
                .iter()
                .map(|&length| (0..=250).cycle().take(shift + length).collect())
                .collect();
            let mut to: Vec<Vec<u8>> = lengths
                .iter()
                .map(|&length| vec![0xaa; length + shift + 1])
                .collect();
            let pairs = to
                .iter_mut()
                .zip(&from)
                .map(|(to, from)| (&mut to[shift..shift + from.len() - shift], &from[shift..]))
                .collect();
            copy_all(pairs);
            for (to, from) in to.iter().zip(&from) {
                assert!(
                    to[..shift].iter().all(|&byte| byte == 0xaa),
                    "what lies before is as it was"
                );
                assert_eq!(to[shift..from.len()], from[shift..]);
                assert!(
                    to[from.len()..].iter().all(|&byte| byte == 0xaa),
                    "what lies behind is as it was"
                );
            }
        }
    }

    #[test]
    #[should_panic(expected = "the length of its source")]
    fn a_place_of_another_length_is_refused() {
        copy_all(vec![(&mut [0; 3], &[1; 4])]);
    }
}
