//! The order of keys in canonical JSON (RFC 8785): that of their UTF-16, found on their UTF-8.

use std::cmp::Ordering;

/// The places of `keys` in the order of their UTF-16.
pub(super) fn in_utf16_order(keys: &[&str]) -> Vec<usize> {
    let heads = keys.iter().map(|key| head(key.as_bytes()));
    let mut order: Vec<(u128, usize)> = heads.zip(0..).collect();
    // Nearly all are told apart by what stands beside their places, without a look at memory elsewhere.
    order.sort_unstable();
    for alike in order.chunk_by_mut(|left, right| left.0 == right.0) {
        alike.sort_unstable_by(|&(_, left), &(_, right)| {
            compared(keys[left].as_bytes(), keys[right].as_bytes())
        });
    }
    order.into_iter().map(|(_, place)| place).collect()
}

/// The first sixteen bytes, zeros behind the last, as a number that ascends as the order does.
fn head(key: &[u8]) -> u128 {
    let mut head = [0; 16];
    for (ranked, &byte) in head.iter_mut().zip(key) {
        *ranked = rank(byte);
    }
    u128::from_be_bytes(head)
}

fn compared(left: &[u8], right: &[u8]) -> Ordering {
    left.iter()
        .copied()
        .map(rank)
        .cmp(right.iter().copied().map(rank))
}

/// Bytes of UTF-8 stand in the order of UTF-16 but where a character begins that UTF-16 writes as two halves, with 0xf0 and above:
/// they come before U+E000 to U+FFFF, which begin with 0xee and 0xef.
fn rank(byte: u8) -> u8 {
    match byte {
        0xee | 0xef => byte + 8,
        _ => byte,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::random;

    #[test]
    fn the_order_is_that_of_utf16() {
        let scalars = [
            "\0",
            "a",
            "b",
            "\u{7f}",
            "\u{e9}",
            "\u{7ff}",
            "\u{4e2d}",
            "\u{d7ff}",
            "\u{e000}",
            "\u{efff}",
            "\u{ffff}",
            "\u{10000}",
            "\u{10ffff}",
        ];
        let mut random = random::<usize>(5);
        let mut keys: Vec<String> = (0..4000)
            .map(|_| (0..random(20)).map(|_| scalars[random(scalars.len())]).collect())
            .collect();
        keys.sort_unstable();
        keys.dedup();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let mut expected: Vec<usize> = (0..keys.len()).collect();
        expected.sort_by(|&left, &right| keys[left].encode_utf16().cmp(keys[right].encode_utf16()));
        assert_eq!(in_utf16_order(&keys), expected);
    }
}
