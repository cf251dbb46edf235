//! Which encodings may be the answer.

/// Encodings by the names that answers have.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// Only these, unless there are none.
    pub include: Vec<String>,
    /// None of these.
    pub exclude: Vec<String>,
    /// The one that is expected: taken where the bytes fit it about as well as the likeliest.
    pub hint: Option<String>,
}

impl Limits {
    pub(crate) fn allows(&self, name: &str) -> bool {
        (self.include.is_empty() || self.include.iter().any(|included| included == name))
            && !self.exclude.iter().any(|excluded| excluded == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect_within;

    fn names(of: &[&str]) -> Vec<String> {
        of.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_answer_is_one_of_those_allowed() {
        let russian =
            b"\xcf\xf0\xe8\xe2\xe5\xf2, \xea\xe0\xea \xe4\xe5\xeb\xe0 \xf1\xe5\xe3\xee\xe4\xed\xff?";
        let answer = |include: &[&str], exclude: &[&str]| {
            let limits = Limits {
                include: names(include),
                exclude: names(exclude),
                hint: None,
            };
            detect_within(russian, limits).encoding
        };
        assert_eq!(answer(&[], &[]), Some("cp1251"));
        assert_eq!(answer(&["koi8-r", "cp1251"], &[]), Some("cp1251"));
        assert_eq!(answer(&["cp1252"], &[]), Some("cp1252"));
        assert!(answer(&[], &["cp1251"]).is_some_and(|name| name != "cp1251"));
    }

    #[test]
    fn a_hint_decides_what_the_bytes_do_not() {
        let hinted = |hint: &str| {
            let limits = Limits {
                hint: Some(hint.to_owned()),
                ..Limits::default()
            };
            detect_within(b"caf\xe9 cr\xe8me, d\xe9j\xe0 vu, gar\xe7on", limits).encoding
        };
        assert_eq!(hinted("iso8859-15"), Some("iso8859-15"));
        assert_eq!(hinted("koi8-r"), Some("cp1252"));
    }
}
