//! The rules of fail points, read from their text.

use std::ops::RangeInclusive;

use rustix::io::Errno;

use super::POINTS;
use crate::error::{Error, Result};

/// What happens at a point.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Action {
    Kill,
    Fail(Errno),
    Short,
    SyncFails,
    /// The rules themselves cannot be read, so nothing may pass.
    Misread,
}

/// What stands behind a point.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Kind {
    Write,
    Sync,
    Other,
}

/// One rule, and how often it has been passed.
#[derive(Debug)]
pub(super) struct Rule {
    point: String,
    action: Action,
    /// The first and the last pass at which it fires.
    at: RangeInclusive<u64>,
    passed: u64,
}

impl Rule {
    /// What stands for rules that cannot be read.
    pub(super) fn misread() -> Self {
        Self {
            point: "*".to_owned(),
            action: Action::Misread,
            at: 1..=u64::MAX,
            passed: 0,
        }
    }

    /// Passes the point `name` within `place`: what happens there, if anything.
    pub(super) fn strikes(&mut self, name: &str, place: &str, kind: Kind) -> Option<Action> {
        let is_meant = match self.action {
            Action::Short => kind == Kind::Write,
            Action::SyncFails => kind == Kind::Sync,
            Action::Kill | Action::Fail(_) | Action::Misread => true,
        };
        if !is_meant || !self.is_at(name, place) {
            return None;
        }
        self.passed += 1;
        self.at.contains(&self.passed).then_some(self.action)
    }

    /// Whether the rule is about the call `name`, made within `place`.
    fn is_at(&self, name: &str, place: &str) -> bool {
        let call = name.strip_prefix("file.");
        let is_here = || {
            self.point
                .rsplit_once('.')
                .is_some_and(|(at, of)| at == place && Some(of) == call)
        };
        self.point == "*" || self.point == name || is_here()
    }
}

/// The rules of a list.
pub(super) fn parse(text: &str) -> Result<Vec<Rule>> {
    text.split(',')
        .map(str::trim)
        .filter(|rule| !rule.is_empty())
        .map(parse_rule)
        .collect()
}

fn parse_rule(text: &str) -> Result<Rule> {
    let bad = || {
        Error::usage(format!(
            "`{text}` is not a fail point, expected `<point>=<action>[@n[+]]`"
        ))
        .with_hint("actions: kill, eio, enospc, unsupported, short, sync-fails")
    };
    let (point, action) = text.split_once('=').ok_or_else(bad)?;
    let (action, at) = match action.split_once('@') {
        None => (action, 1..=u64::MAX),
        Some((action, pass)) => {
            let first = pass.strip_suffix('+').unwrap_or(pass);
            let first = first.parse().ok().filter(|&first| first > 0).ok_or_else(bad)?;
            (action, first..=if pass.ends_with('+') { u64::MAX } else { first })
        }
    };
    let action = match action {
        "kill" => Action::Kill,
        "eio" => Action::Fail(Errno::IO),
        "enospc" => Action::Fail(Errno::NOSPC),
        "unsupported" => Action::Fail(Errno::INVAL),
        "short" => Action::Short,
        "sync-fails" => Action::SyncFails,
        _ => return Err(bad()),
    };
    // A name of ours that does not exist is a slip of the pen, and would never strike.
    if point.is_empty() || (point.starts_with("file.") && !POINTS.contains(&point)) {
        return Err(bad());
    }
    Ok(Rule {
        point: point.to_owned(),
        action,
        at,
        passed: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_that_cannot_be_read_is_refused() {
        for text in [
            "a",
            "a=",
            "=eio",
            "a=eio@0",
            "a=eio@x",
            "a=explode",
            "a=eio@-1",
            "a=eio@+",
            "file.renam=eio",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
