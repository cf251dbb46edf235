//! As much of protocol buffers as a `SentencePiece` model needs: the fields of a message, one after the other.

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Float(f32),
    /// Eight bytes that no field read here has.
    Long,
}

/// The numbers of the fields of `message` with what they hold; `Err` is the byte where it cannot be one.
pub(super) fn fields(message: &[u8]) -> impl Iterator<Item = Result<(u64, Field<'_>), usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        if at >= message.len() {
            return None;
        }
        let start = at;
        let field = field(message, &mut at);
        if field.is_none() {
            at = message.len();
        }
        Some(field.ok_or(start))
    })
}

fn field<'a>(message: &'a [u8], at: &mut usize) -> Option<(u64, Field<'a>)> {
    let key = number(message, at)?;
    let field = match key & 7 {
        0 => Field::Number(number(message, at)?),
        1 => {
            take(message, at, 8)?;
            Field::Long
        }
        2 => {
            let length = usize::try_from(number(message, at)?).ok()?;
            Field::Bytes(take(message, at, length)?)
        }
        5 => Field::Float(f32::from_le_bytes(take(message, at, 4)?.try_into().ok()?)),
        _ => return None,
    };
    (key >> 3 != 0).then_some((key >> 3, field))
}

fn take<'a>(message: &'a [u8], at: &mut usize, length: usize) -> Option<&'a [u8]> {
    let bytes = message.get(*at..)?.get(..length)?;
    *at += length;
    Some(bytes)
}

/// Seven bits a byte, the lowest first.
fn number(message: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = *message.get(*at)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_one_after_the_other() {
        let message = [
            0x08, 0x96, 0x01, 0x12, 2, b'h', b'i', 0x1d, 0, 0, 0x80, 0x3f, 0x21, 0, 0, 0, 0, 0, 0, 0, 0,
        ];
        let all: Vec<_> = fields(&message).map(|field| field.expect("a field")).collect();
        let expected = [
            (1, Field::Number(150)),
            (2, Field::Bytes(b"hi")),
            (3, Field::Float(1.0)),
            (4, Field::Long),
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn what_is_cut_short_or_of_no_known_kind_is_told_once() {
        let endless = [
            0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01,
        ];
        for bad in [
            &[0x12, 5, b'h'][..],
            &[0x08],
            &[0x0b],
            &[0x00, 0x00],
            &[0x1d, 0, 0],
            &endless,
        ] {
            let all: Vec<_> = fields(bad).collect();
            assert_eq!(all, [Err(0)], "{bad:?}");
        }
    }
}
