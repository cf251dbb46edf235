//! A number for each language, added up for many languages at a time.

/// As many languages as there may be; a multiple of what a vector holds.
pub(crate) const LANES: usize = 48;
/// By the number of the language; those of no language mean nothing.
pub(crate) type Lanes = [u32; LANES];

/// Adds each row as often as it is said.
pub(crate) fn add_rows<'a, T: Copy + Into<u32> + 'a>(
    sums: &mut Lanes,
    rows: impl Iterator<Item = (&'a [T; LANES], u32)>,
) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor was just asked for AVX2.
        #[expect(unsafe_code, reason = "the compiler cannot know the processor")]
        return unsafe { add_rows_wide(sums, rows) };
    }
    add_rows_plainly(sums, rows);
}

/// The same, by vectors of 32 bytes.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn add_rows_wide<'a, T: Copy + Into<u32> + 'a>(
    sums: &mut Lanes,
    rows: impl Iterator<Item = (&'a [T; LANES], u32)>,
) {
    add_rows_plainly(sums, rows);
}

/// The same, by what vectors the caller may use.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "a call would be made for no processor but the oldest"
)]
fn add_rows_plainly<'a, T: Copy + Into<u32> + 'a>(
    sums: &mut Lanes,
    rows: impl Iterator<Item = (&'a [T; LANES], u32)>,
) {
    let mut held = *sums; // in registers, which the memory behind a reference is not
    for (row, times) in rows {
        for (sum, number) in held.iter_mut().zip(row) {
            *sum += (*number).into() * times;
        }
    }
    *sums = held;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::dice;

    #[test]
    fn vectors_add_up_as_one_by_one() {
        let mut random = dice(11);
        let rows: Vec<[u16; LANES]> = (0..40)
            .map(|_| std::array::from_fn(|_| u16::try_from(random(1 << 16)).unwrap()))
            .collect();
        for count in [0, 1, 2, 3, 40] {
            let rows = || rows[..count].iter().zip(1..);
            let (mut sums, mut plain) = ([7; LANES], [7; LANES]);
            add_rows(&mut sums, rows());
            add_rows_plainly(&mut plain, rows());
            assert_eq!(sums, plain, "{count}");
        }
    }
}
