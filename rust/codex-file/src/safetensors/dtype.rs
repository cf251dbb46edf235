//! The element types of safetensors.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

macro_rules! dtypes {
    ($($name:ident $text:literal $bits:literal $sentence:literal)*) => {
        /// The type of one element, in the order in which the official library lays tensors out, last first.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Dtype {
            $(#[doc = $sentence] $name,)*
        }

        impl Dtype {
            /// Every type.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// How many bits one element takes; below eight, elements are packed.
            #[must_use]
            pub fn bits(self) -> u64 {
                match self {
                    $(Self::$name => $bits,)*
                }
            }

            /// The name in the header.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

dtypes! {
    Bool "BOOL" 8 "True or false, one byte."
    F4 "F4" 4 "E2M1, two to a byte."
    F6E2M3 "F6_E2M3" 6 "Four to three bytes."
    F6E3M2 "F6_E3M2" 6 "Four to three bytes."
    U8 "U8" 8 "0 to 255."
    I8 "I8" 8 "-128 to 127."
    F8E5M2 "F8_E5M2" 8 "Eight bits with a wide range."
    F8E4M3 "F8_E4M3" 8 "Eight bits with more precision."
    F8E8M0 "F8_E8M0" 8 "A power of two: the scale of a block."
    F8E4M3Fnuz "F8_E4M3FNUZ" 8 "E4M3 without a negative zero."
    F8E5M2Fnuz "F8_E5M2FNUZ" 8 "E5M2 without a negative zero."
    I16 "I16" 16 "Signed, two bytes."
    U16 "U16" 16 "Unsigned, two bytes."
    F16 "F16" 16 "IEEE half."
    Bf16 "BF16" 16 "The upper half of an F32."
    I32 "I32" 32 "Signed, four bytes."
    U32 "U32" 32 "Unsigned, four bytes."
    F32 "F32" 32 "IEEE single."
    C64 "C64" 64 "A complex number of two F32."
    F64 "F64" 64 "IEEE double."
    I64 "I64" 64 "Signed, eight bytes."
    U64 "U64" 64 "Unsigned, eight bytes."
}

impl Dtype {
    /// How many bytes a tensor of `shape` takes, or `None` if that overflows or does not end on a whole byte.
    #[must_use]
    pub fn bytes_of(self, shape: &[u64]) -> Option<u64> {
        let elements = shape
            .iter()
            .try_fold(1_u64, |product, &size| product.checked_mul(size))?;
        let bits = elements.checked_mul(self.bits())?;
        (bits % 8 == 0).then_some(bits / 8)
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Dtype {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.iter().find(|dtype| dtype.name() == text);
        found
            .copied()
            .ok_or_else(|| Error::data(format!("`{}` is not a known dtype", text.escape_debug())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        for &dtype in Dtype::ALL {
            assert_eq!(dtype.to_string().parse::<Dtype>().unwrap(), dtype);
        }
        assert!("f32".parse::<Dtype>().is_err());
    }

    #[test]
    fn sizes_are_whole_bytes_or_nothing() {
        assert_eq!(Dtype::Bf16.bytes_of(&[3, 5]), Some(30));
        assert_eq!(Dtype::F64.bytes_of(&[]), Some(8));
        assert_eq!(Dtype::U64.bytes_of(&[0, u64::MAX]), Some(0));
        assert_eq!(Dtype::F4.bytes_of(&[2]), Some(1));
        assert_eq!(Dtype::F4.bytes_of(&[3]), None);
        assert_eq!(Dtype::F6E3M2.bytes_of(&[4]), Some(3));
        assert_eq!(Dtype::U8.bytes_of(&[u64::MAX, 2]), None);
        assert_eq!(Dtype::U64.bytes_of(&[u64::MAX]), None);
    }
}
