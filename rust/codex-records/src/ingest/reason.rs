//! Why a document is left out, in words; those up to what is of one file alone are what is counted.

/// A reason up to what is of one file alone: a name, a place, a number.
///
/// ```
/// use codex_records::ingest::kind_of;
///
/// let kinds = ["duplicate of a: b", "not text: NUL byte at 4", "empty"].map(kind_of);
/// assert_eq!(kinds, ["duplicate", "not text", "empty"]);
/// ```
#[must_use]
pub fn kind_of(reason: &str) -> &str {
    let first = reason.chars().next().map_or(0, char::len_utf8);
    let ends = [": ", " of ", " after ", " ("];
    let end = ends
        .iter()
        .filter_map(|end| reason[first..].find(end))
        .min()
        .map_or(reason.len(), |at| first + at);
    &reason[..end]
}

/// What was said of a file, without its path on this machine, which stands in backticks: a manifest must not hold one.
#[must_use]
pub fn reason_of(message: &str) -> String {
    let Some((before, rest)) = message.split_once('`') else {
        return message.to_owned();
    };
    let after = rest.rsplit('`').next().unwrap_or_default();
    format!("{}{after}", before.trim_end())
        .trim_start_matches([':', ' '])
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_one_file_alone_is_not_part_of_the_kind() {
        for (reason, kind) in [
            ("", ""),
            ("too large: more than 7 bytes", "too large"),
            (
                "the gzip stream is cut short after 3 plain bytes",
                "the gzip stream is cut short",
            ),
            (
                "the xz stream is damaged (why) after 3 plain bytes",
                "the xz stream is damaged",
            ),
            (
                "holds more than the limit of 7 bytes",
                "holds more than the limit",
            ),
            (": a", ": a"),
            ("é of b", "é"),
        ] {
            assert_eq!(kind_of(reason), kind);
        }
    }

    #[test]
    fn the_path_on_this_machine_is_left_out() {
        for (message, reason) in [
            (
                "cannot read `/home/a`: permission denied",
                "cannot read: permission denied",
            ),
            (
                "`/home/a`: the gzip stream is cut short",
                "the gzip stream is cut short",
            ),
            (
                "`/a` holds more than the limit of 7 bytes",
                "holds more than the limit of 7 bytes",
            ),
            ("`/home/`b`: odd", "odd"),
            ("nothing in ticks", "nothing in ticks"),
        ] {
            assert_eq!(reason_of(message), reason);
        }
    }
}
