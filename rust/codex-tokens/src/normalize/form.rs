//! The normalization forms of Unicode, cluster by cluster.
//!
//! A character that nothing before it can change or join is the start of a cluster. A cluster of one is left as it is, and most
//! text is nothing else, so the tables are asked only about the rest.

use std::iter;
use std::ops::Range;
use std::sync::OnceLock;
use unicode_normalization as newer;
use unicode_normalization_alignments as older;

/// Which edition of Unicode says what is composed and decomposed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unicode {
    /// That of `tokenizers` 0.23.3: Unicode 9.
    #[default]
    Tokenizers0_23,
    /// A newer one, as in `tokenizers` 1.0: scalars assigned since then compose too.
    Newer,
}

/// One of the four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Form {
    Nfc,
    Nfd,
    Nfkc,
    Nfkd,
}

/// For each form and edition, a bit for each scalar of the basic plane: set if it starts a cluster and stays as it is.
static STARTS: [OnceLock<Box<[u64; 1024]>>; 8] = [const { OnceLock::new() }; 8];

impl Form {
    /// Hands `each` the clusters of `text` that are not in this form, in order, and what they become.
    pub(super) fn changes(self, text: &str, unicode: Unicode, each: &mut dyn FnMut(Range<usize>, &str)) {
        if text.is_ascii() {
            return;
        }
        let starts = STARTS[self as usize * 2 + unicode as usize].get_or_init(|| self.starts(unicode));
        let is_start = |character: char| {
            let code = character as usize;
            match starts.get(code >> 6) {
                Some(bits) => bits >> (code & 63) & 1 == 1,
                None => self.is_start(character, unicode),
            }
        };
        // Where the last cluster begins, as far as the text has been looked at.
        let mut cluster = 0;
        let mut characters = text.char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            if is_start(character) {
                cluster = at;
                continue;
            }
            while characters.next_if(|&(_, next)| !is_start(next)).is_some() {}
            let end = characters.peek().map_or(text.len(), |&(at, _)| at);
            let old = &text[cluster..end];
            if !self.is_surely_normal(old, unicode) {
                let new = self.of(old, unicode);
                if new != old {
                    each(cluster..end, &new);
                }
            }
        }
    }

    fn starts(self, unicode: Unicode) -> Box<[u64; 1024]> {
        let mut bits = Box::new([0; 1024]);
        for character in '\0'..='\u{ffff}' {
            let code = character as usize;
            bits[code >> 6] |= u64::from(self.is_start(character, unicode)) << (code & 63);
        }
        bits
    }

    /// Whether `character` has no part in what stands before it, and stays as it is if nothing that follows changes it.
    fn is_start(self, character: char, unicode: Unicode) -> bool {
        let class = match unicode {
            Unicode::Tokenizers0_23 => older::char::canonical_combining_class(character),
            Unicode::Newer => newer::char::canonical_combining_class(character),
        };
        class == 0 && self.is_surely_normal(character.encode_utf8(&mut [0; 4]), unicode)
    }

    /// The quick check of Unicode's annex 15; a false answer means that it has to be tried.
    fn is_surely_normal(self, text: &str, unicode: Unicode) -> bool {
        let text = text.chars();
        match unicode {
            Unicode::Tokenizers0_23 => {
                older::IsNormalized::Yes
                    == match self {
                        Self::Nfc => older::is_nfc_quick(text),
                        Self::Nfd => older::is_nfd_quick(text),
                        Self::Nfkc => older::is_nfkc_quick(text),
                        Self::Nfkd => older::is_nfkd_quick(text),
                    }
            }
            Unicode::Newer => {
                newer::IsNormalized::Yes
                    == match self {
                        Self::Nfc => newer::is_nfc_quick(text),
                        Self::Nfd => newer::is_nfd_quick(text),
                        Self::Nfkc => newer::is_nfkc_quick(text),
                        Self::Nfkd => newer::is_nfkd_quick(text),
                    }
            }
        }
    }

    /// All of `text` in this form: the slow twin of [`Form::changes`].
    pub(super) fn of(self, text: &str, unicode: Unicode) -> String {
        match unicode {
            Unicode::Tokenizers0_23 => self.older(text).map(|(character, _)| character).collect(),
            Unicode::Newer => {
                let text = text.chars();
                match self {
                    Self::Nfc => newer::UnicodeNormalization::nfc(text).collect(),
                    Self::Nfd => newer::UnicodeNormalization::nfd(text).collect(),
                    Self::Nfkc => newer::UnicodeNormalization::nfkc(text).collect(),
                    Self::Nfkd => newer::UnicodeNormalization::nfkd(text).collect(),
                }
            }
        }
    }

    /// The characters of `text` in this form by the older edition. With each comes 0 if it replaces the next character of the
    /// text, 1 if it is one more than that became, and otherwise how many characters behind it are taken in, as a negative number.
    fn older(self, text: &str) -> Box<dyn Iterator<Item = (char, isize)> + '_> {
        let text = text.chars();
        match self {
            Self::Nfc => Box::new(older::UnicodeNormalization::nfc(text)),
            Self::Nfd => Box::new(older::UnicodeNormalization::nfd(text)),
            Self::Nfkc => Box::new(older::UnicodeNormalization::nfkc(text)),
            Self::Nfkd => Box::new(older::UnicodeNormalization::nfkd(text)),
        }
    }

    /// The stretch of `cluster` that each character of it in this form comes from. Of a newer edition all come from all of it.
    pub(super) fn sources(self, cluster: &str, unicode: Unicode) -> Vec<Range<usize>> {
        if unicode == Unicode::Newer {
            let count = self.of(cluster, unicode).chars().count();
            return iter::repeat_n(0..cluster.len(), count).collect();
        }
        let mut old = cluster
            .char_indices()
            .map(|(at, character)| at..at + character.len_utf8());
        let mut last = 0..0;
        let sources = self.older(cluster).map(|(_, change)| {
            if change <= 0 {
                last = old.next().unwrap_or(last.clone());
            }
            let source = last.clone();
            if change < 0 {
                last = old.nth(change.unsigned_abs() - 1).unwrap_or(last.clone());
            }
            source
        });
        sources.collect()
    }
}
