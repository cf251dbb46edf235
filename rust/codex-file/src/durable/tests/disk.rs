//! A model of a disk that promises as little as POSIX does.
//!
//! Content counts once its file is synced, names once their folder is. Names that were not may have reached the disk in
//! any selection, content that was not in whole, in half, as zeros or not at all.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path};

use crate::system::trace::Event;

#[derive(Clone)]
enum Node {
    File { durable: Vec<u8>, cached: Vec<u8> },
    Folder { durable: Names, cached: Names },
}

type Names = BTreeMap<OsString, usize>;

/// A change of names inside the folder `folder`.
#[derive(Clone)]
struct Change {
    folder: usize,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Link(OsString, usize),
    Unlink(OsString),
    Rename(OsString, OsString),
    Swap(OsString, OsString),
}

impl Kind {
    /// Makes the change, if what it needs is there.
    fn apply(&self, names: &mut Names) {
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
        }
    }
}

/// What of an unsynced file's content reached the disk.
#[derive(Clone, Copy, Debug)]
pub(super) enum Content {
    None,
    Half,
    Zeros,
    All,
}

#[derive(Clone)]
pub(super) struct Disk {
    /// The first is the folder in which everything happens.
    nodes: Vec<Node>,
    unsynced: Vec<Change>,
}

impl Disk {
    pub(super) fn read(home: &Path) -> Self {
        let mut disk = Self {
            nodes: Vec::new(),
            unsynced: Vec::new(),
        };
        disk.add(home);
        disk
    }

    /// The states in which unsynced content may be found: one if there is none.
    pub(super) fn contents(&self) -> &'static [Content] {
        let is_unsynced = |node: &Node| matches!(node, Node::File { durable, cached } if durable != cached);
        if self.nodes.iter().any(is_unsynced) {
            &[Content::None, Content::Half, Content::Zeros, Content::All]
        } else {
            &[Content::All]
        }
    }

    fn add(&mut self, path: &Path) -> usize {
        let node = self.nodes.len();
        if path.is_dir() {
            self.nodes.push(Node::Folder {
                durable: Names::new(),
                cached: Names::new(),
            });
            let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
            let names: Names = entries
                .map(|below| (below.file_name().unwrap().to_owned(), self.add(&below)))
                .collect();
            self.nodes[node] = Node::Folder {
                durable: names.clone(),
                cached: names,
            };
        } else {
            let content = fs::read(path).unwrap();
            self.nodes.push(Node::File {
                durable: content.clone(),
                cached: content,
            });
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

    fn file(&mut self, path: &Path) -> (&mut Vec<u8>, &mut Vec<u8>) {
        let node = self.node(path);
        match &mut self.nodes[node] {
            Node::File { durable, cached } => (durable, cached),
            Node::Folder { .. } => panic!("{} is a folder", path.display()),
        }
    }

    fn change(&mut self, path: &Path, kind: Kind) {
        let folder = self.node(path.parent().unwrap());
        let Node::Folder { cached, .. } = &mut self.nodes[folder] else {
            unreachable!()
        };
        kind.apply(cached);
        self.unsynced.push(Change { folder, kind });
    }

    fn link(&mut self, path: &Path, node: Node) {
        let parent = self.node(path.parent().unwrap());
        let name = path.file_name().unwrap().to_owned();
        if matches!(&self.nodes[parent], Node::Folder { cached, .. } if cached.contains_key(&name)) {
            return;
        }
        self.nodes.push(node);
        self.change(path, Kind::Link(name, self.nodes.len() - 1));
    }

    pub(super) fn replay(&mut self, event: Event, home: &Path) {
        let here = |path: &Path| path.strip_prefix(home).unwrap().to_owned();
        let name = |path: &Path| path.file_name().unwrap().to_owned();
        match event {
            Event::Create(path) => self.link(
                &here(&path),
                Node::File {
                    durable: vec![],
                    cached: vec![],
                },
            ),
            Event::MakeFolder(path) => {
                self.link(
                    &here(&path),
                    Node::Folder {
                        durable: Names::new(),
                        cached: Names::new(),
                    },
                );
            }
            Event::Write(path, data) => self.file(&here(&path)).1.extend(data),
            Event::Truncate(path, bytes) => self
                .file(&here(&path))
                .1
                .truncate(usize::try_from(bytes).unwrap()),
            Event::Sync(path) => {
                let (durable, cached) = self.file(&here(&path));
                durable.clone_from(cached);
            }
            Event::SyncFolder(path) => {
                let synced = self.node(&here(&path));
                let Node::Folder { durable, .. } = &mut self.nodes[synced] else {
                    unreachable!()
                };
                for change in self.unsynced.extract_if(.., |change| change.folder == synced) {
                    change.kind.apply(durable);
                }
            }
            Event::Rename(old, new) => self.change(&here(&old), Kind::Rename(name(&old), name(&new))),
            Event::Swap(left, right) => self.change(&here(&left), Kind::Swap(name(&left), name(&right))),
            Event::Remove(path) => self.change(&here(&path), Kind::Unlink(name(&path))),
        }
    }

    /// The selections of unsynced changes that may have reached the disk: all of them, or for many the prefixes and the
    /// cases in which a single one is missing.
    pub(super) fn selections(&self) -> Vec<u64> {
        let count = self.unsynced.len();
        let all = (1_u64 << count) - 1;
        if count <= 6 {
            return (0..=all).collect();
        }
        (0..=count)
            .map(|prefix| (1 << prefix) - 1)
            .chain((0..count).map(|missing| all & !(1 << missing)))
            .collect()
    }

    /// Lays out in `target` what is found after the power cut.
    pub(super) fn lay_out(&self, selection: u64, content: Content, target: &Path) {
        let mut found = self.clone();
        for (index, change) in self.unsynced.iter().enumerate() {
            if selection & 1 << index != 0 {
                let Node::Folder { durable, .. } = &mut found.nodes[change.folder] else {
                    unreachable!()
                };
                change.kind.apply(durable);
            }
        }
        found.lay_out_node(0, content, target);
    }

    fn lay_out_node(&self, node: usize, content: Content, target: &Path) {
        match &self.nodes[node] {
            Node::Folder { durable, .. } => {
                fs::create_dir_all(target).unwrap();
                for (name, &below) in durable {
                    self.lay_out_node(below, content, &target.join(name));
                }
            }
            Node::File { durable, cached } => {
                let kept = durable
                    .iter()
                    .zip(cached)
                    .take_while(|(left, right)| left == right)
                    .count();
                let added = cached.len() - kept;
                let bytes = match content {
                    Content::All => cached.clone(),
                    Content::Half if added > 0 => cached[..kept + added / 2].to_vec(),
                    Content::Zeros if added > 0 => [&cached[..kept], &vec![0; added]].concat(),
                    _ => durable.clone(),
                };
                fs::write(target, bytes).unwrap();
            }
        }
    }
}
