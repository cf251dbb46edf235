//! Encodings in which every byte is one character or nothing.

/// A character for each byte; `NOTHING` where there is none.
#[derive(Debug)]
pub(crate) struct SingleByte {
    characters: [char; 256],
}

/// No text holds it, so it can stand for a hole.
const NOTHING: char = '\0';

impl SingleByte {
    /// Rows such as `80 2500 2502 -`: sixteen code points from a byte on. A byte in no row is its own character.
    pub(crate) fn parse(rows: &[&str]) -> Self {
        let mut characters = [NOTHING; 256];
        for (byte, character) in (0..=u8::MAX).zip(&mut characters) {
            *character = char::from(byte);
        }
        for row in rows {
            let mut points = row.split(' ').map(|word| u32::from_str_radix(word, 16).ok());
            let first = points.next().flatten().unwrap_or(0) as usize;
            for (character, point) in characters[first..].iter_mut().zip(points) {
                *character = point.and_then(char::from_u32).unwrap_or(NOTHING);
            }
        }
        Self { characters }
    }

    /// The character of each byte.
    pub(crate) fn characters(&self) -> &[char; 256] {
        &self.characters
    }

    /// The characters of `data`, or the offset of the first byte that stands for nothing.
    pub(crate) fn decode(&self, data: &[u8]) -> Result<String, usize> {
        let mut text = String::with_capacity(data.len() + data.len() / 8);
        for (at, byte) in data.iter().enumerate() {
            match self.characters[usize::from(*byte)] {
                NOTHING => return Err(at),
                character => text.push(character),
            }
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_changes_its_bytes_and_no_other() {
        let table = SingleByte::parse(&["80 20ac - 201a"]);
        assert_eq!(table.decode(b"a\x80\x82\x83\xff"), Ok("a€‚\u{83}ÿ".to_owned()));
        assert_eq!(table.decode(b"ab\x81"), Err(2));
    }
}
