//! A model of a disk that promises as little as file systems do, to find what a power cut may leave. The tests of other crates
//! use it as well.
//!
//! What it assumes, and no more:
//! - a synced file keeps its content and its length, whatever happens to its name;
//! - a synced folder keeps the names it has, not the content of what they name and not its own name in the folder above;
//! - a write that was not synced is found whole, in its first half, as zeros or not at all, and a truncation is found or not,
//!   each whatever became of the others, also of earlier ones in the same file;
//! - a change of names that was not synced (made, removed, renamed, exchanged) is found or not, each whatever became of the
//!   others; those found follow each other in the order they were made in, and each is found as one step;
//! - bytes that were synced stay as they are, and locks are gone.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};

use codex_file::digest::{Algorithm, digest_bytes};
use codex_file::record::Event;

/// Up to as many unsynced operations, every combination of their fates is met.
const EXHAUSTIVE: usize = 3;

#[derive(Clone)]
enum Node {
    File { durable: Vec<u8>, cached: Vec<u8> },
    Folder { durable: Names, cached: Names },
}

type Names = BTreeMap<OsString, usize>;

/// An operation that was not synced yet, on the file or folder `node`.
#[derive(Clone)]
struct Operation {
    node: usize,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Write(usize, Vec<u8>),
    Truncate(usize),
    Link(OsString, usize),
    Unlink(OsString),
    Rename(OsString, OsString),
    Swap(OsString, OsString),
}

/// What became of one operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fate {
    Lost,
    Half,
    Zeros,
    Kept,
}

/// One outcome of a power cut: a fate for each operation that was not synced.
#[derive(Clone, Debug)]
pub(crate) struct Cut(Vec<Fate>);

impl Kind {
    fn fates(&self) -> &'static [Fate] {
        match self {
            Self::Write(..) => &[Fate::Lost, Fate::Half, Fate::Zeros, Fate::Kept],
            _ => &[Fate::Lost, Fate::Kept],
        }
    }

    /// Does to `node` what is left of the operation.
    fn apply(&self, node: &mut Node, fate: Fate) {
        match (node, self) {
            (Node::File { durable, .. }, kind) => kind.apply_to_content(durable, fate),
            (Node::Folder { durable, .. }, kind) if fate == Fate::Kept => kind.apply_to_names(durable),
            _ => {}
        }
    }

    fn apply_to_content(&self, content: &mut Vec<u8>, fate: Fate) {
        match (self, fate) {
            (_, Fate::Lost) => {}
            (Self::Truncate(bytes), _) => content.resize(*bytes, 0),
            (Self::Write(start, data), fate) => {
                let length = if fate == Fate::Half {
                    data.len() / 2
                } else {
                    data.len()
                };
                let end = start + length;
                content.resize(content.len().max(end), 0);
                if fate == Fate::Zeros {
                    content[*start..end].fill(0);
                } else {
                    content[*start..end].copy_from_slice(&data[..length]);
                }
            }
            _ => panic!("not an operation on a file"),
        }
    }

    /// Makes the change, if what it needs is there.
    fn apply_to_names(&self, names: &mut Names) {
        match self {
            Self::Link(name, node) => {
                names.insert(name.clone(), *node);
            }
            Self::Unlink(name) => {
                names.remove(name);
            }
            Self::Rename(old, new) => {
                if let Some(node) = names.remove(old) {
                    names.insert(new.clone(), node);
                }
            }
            Self::Swap(left, right) => {
                if let (Some(&at_left), Some(&at_right)) = (names.get(left), names.get(right)) {
                    names.insert(left.clone(), at_right);
                    names.insert(right.clone(), at_left);
                }
            }
            _ => panic!("not an operation on names"),
        }
    }
}

#[derive(Clone)]
pub(crate) struct Disk {
    /// The first is the folder in which everything happens.
    nodes: Vec<Node>,
    unsynced: Vec<Operation>,
}

impl Disk {
    /// The folder `home` as it is, all of it synced.
    pub(crate) fn read(home: &Path) -> Self {
        let mut disk = Self {
            nodes: Vec::new(),
            unsynced: Vec::new(),
        };
        disk.add(home);
        disk
    }

    fn add(&mut self, path: &Path) -> usize {
        let node = self.nodes.len();
        if path.is_dir() {
            self.nodes.push(folder(Names::new()));
            let mut names = Names::new();
            for entry in fs::read_dir(path).expect("a folder") {
                let below = entry.expect("an entry");
                names.insert(below.file_name(), self.add(&below.path()));
            }
            self.nodes[node] = folder(names);
        } else {
            self.nodes.push(file(fs::read(path).expect("a file")));
        }
        node
    }

    fn node(&self, path: &Path) -> usize {
        path.components()
            .fold(0, |node, part| match (&self.nodes[node], part) {
                (Node::Folder { cached, .. }, Component::Normal(name)) => cached[name],
                _ => panic!("{} is not a plain path", path.display()),
            })
    }

    /// Does what was recorded.
    pub(crate) fn replay(&mut self, event: &Event) {
        match event {
            Event::Create(path) => self.make(path, file(vec![])),
            Event::MakeFolder(path) => self.make(path, folder(Names::new())),
            Event::Write(path, data) => {
                let node = self.node(path);
                let start = self.cached_content(node).len();
                self.change(node, Kind::Write(start, data.clone()));
            }
            Event::Truncate(path, bytes) => {
                let bytes = usize::try_from(*bytes).expect("a length");
                self.change(self.node(path), Kind::Truncate(bytes));
            }
            Event::Sync(path) | Event::SyncFolder(path) => self.sync(self.node(path)),
            Event::Rename(old, new) => self.change(self.above(old), Kind::Rename(name(old), name(new))),
            Event::Swap(left, right) => self.change(self.above(left), Kind::Swap(name(left), name(right))),
            Event::Remove(path) => self.change(self.above(path), Kind::Unlink(name(path))),
        }
    }

    fn above(&self, path: &Path) -> usize {
        self.node(path.parent().expect("a folder above"))
    }

    fn make(&mut self, path: &Path, node: Node) {
        let above = self.above(path);
        if matches!(&self.nodes[above], Node::Folder { cached, .. } if cached.contains_key(&name(path))) {
            return;
        }
        self.nodes.push(node);
        self.change(above, Kind::Link(name(path), self.nodes.len() - 1));
    }

    fn cached_content(&mut self, node: usize) -> &mut Vec<u8> {
        match &mut self.nodes[node] {
            Node::File { cached, .. } => cached,
            Node::Folder { .. } => panic!("a folder has no content"),
        }
    }

    fn change(&mut self, node: usize, kind: Kind) {
        match &mut self.nodes[node] {
            Node::File { cached, .. } => kind.apply_to_content(cached, Fate::Kept),
            Node::Folder { cached, .. } => kind.apply_to_names(cached),
        }
        self.unsynced.push(Operation { node, kind });
    }

    fn sync(&mut self, node: usize) {
        for operation in self.unsynced.extract_if(.., |operation| operation.node == node) {
            operation.kind.apply(&mut self.nodes[node], Fate::Kept);
        }
    }

    /// What a power cut at this moment may leave: everything that can be for up to three operations; for more, nothing, all,
    /// each beginning, each loss of a single one, and `at_random` others from `seed`.
    pub(crate) fn cuts(&self, at_random: usize, seed: &str) -> Vec<Cut> {
        let fates: Vec<&[Fate]> = self
            .unsynced
            .iter()
            .map(|operation| operation.kind.fates())
            .collect();
        let count = fates.len();
        if count <= EXHAUSTIVE {
            let mut cuts = vec![Cut(vec![])];
            for fates in fates {
                let longer = |cut: &Cut| {
                    fates
                        .iter()
                        .map(|&fate| Cut([&cut.0[..], &[fate]].concat()))
                        .collect::<Vec<_>>()
                };
                cuts = cuts.iter().flat_map(longer).collect();
            }
            return cuts;
        }
        let all_but = |lost: std::ops::Range<usize>| {
            Cut((0..count)
                .map(|at| {
                    if lost.contains(&at) {
                        Fate::Lost
                    } else {
                        Fate::Kept
                    }
                })
                .collect())
        };
        let beginnings = (0..=count).map(|kept| all_but(kept..count));
        let without_one = (0..count).map(|lost| all_but(lost..lost + 1));
        let random = (0..at_random).map(|round| {
            let pick = |(at, fates): (usize, &&[Fate])| {
                let digest = digest_bytes(Algorithm::Xxh3, format!("{seed} {round} {at}").as_bytes());
                fates[usize::from(digest.as_bytes()[0]) % fates.len()]
            };
            Cut(fates.iter().enumerate().map(pick).collect())
        });
        beginnings.chain(without_one).chain(random).collect()
    }

    /// What is found after the power cut.
    pub(crate) fn state(&self, cut: &Cut) -> State {
        let mut found = self.clone();
        for (operation, &fate) in self.unsynced.iter().zip(&cut.0) {
            operation.kind.apply(&mut found.nodes[operation.node], fate);
        }
        let mut state = State::default();
        found.add_to(&mut state, 0, Path::new(""));
        state
    }

    fn add_to(&self, state: &mut State, node: usize, path: &Path) {
        match &self.nodes[node] {
            Node::Folder { durable, .. } => {
                state.0.insert(path.to_owned(), None);
                for (name, &below) in durable {
                    self.add_to(state, below, &path.join(name));
                }
            }
            Node::File { durable, .. } => drop(state.0.insert(path.to_owned(), Some(durable.clone()))),
        }
    }
}

/// A tree of files and folders (`None`), each above what is in it.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct State(BTreeMap<PathBuf, Option<Vec<u8>>>);

impl State {
    /// Puts the tree into the empty folder `target`.
    pub(crate) fn lay_out(&self, target: &Path) {
        for (path, content) in &self.0 {
            match content {
                Some(bytes) => fs::write(target.join(path), bytes).expect("a file"),
                None => fs::create_dir_all(target.join(path)).expect("a folder"),
            }
        }
    }
}

fn file(content: Vec<u8>) -> Node {
    Node::File {
        durable: content.clone(),
        cached: content,
    }
}

fn folder(names: Names) -> Node {
    Node::Folder {
        durable: names.clone(),
        cached: names,
    }
}

fn name(path: &Path) -> OsString {
    path.file_name().expect("a name").to_owned()
}
