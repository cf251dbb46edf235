//! The ways of writing, as one table that every kind of fault is run over.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use tempfile::TempDir;

use crate::durable::{AppendLog, PartialFolder, create_folder, remove_folder, sweep_partial, write_atomic};
use crate::error::{Error, Result};
use crate::fail::{Scope, arm};
use crate::lock::Lock;

/// Everything below a folder: path to content, folders with none.
pub(super) type Tree = BTreeMap<String, Option<Vec<u8>>>;

/// One way of writing: what is there before, what it does, and what a next start does first.
pub(super) struct Protocol {
    pub(super) name: &'static str,
    pub(super) prepare: fn(&Path),
    pub(super) run: fn(&Path) -> Result<()>,
    pub(super) recover: fn(&Path),
    /// Whether a tree, once recovered, is one that may be met between the first and the last step.
    pub(super) between: fn(&Tree, old: &Tree, new: &Tree) -> bool,
}

pub(super) const ALL: [Protocol; 12] = [
    Protocol {
        name: "a new file",
        prepare: nothing,
        run: |home| write_atomic(&home.join("file"), &large(b'n')),
        ..ATOMIC
    },
    Protocol {
        name: "a replaced file",
        prepare: |home| fs::write(home.join("file"), large(b'o')).unwrap(),
        run: |home| write_atomic(&home.join("file"), &large(b'n')),
        ..ATOMIC
    },
    Protocol {
        name: "a new folder",
        prepare: nothing,
        run: |home| filled(home)?.commit(),
        ..ATOMIC
    },
    Protocol {
        name: "a new folder without a sure free name",
        prepare: nothing,
        run: |home| {
            let _armed = arm("file.rename=unsupported", Scope::Thread)?;
            filled(home)?.commit()
        },
        ..ATOMIC
    },
    Protocol {
        name: "a replaced folder",
        prepare: old_folder,
        run: |home| filled(home)?.commit_replacing(),
        ..ATOMIC
    },
    Protocol {
        name: "a folder replaced without an exchange",
        prepare: old_folder,
        run: |home| {
            let _armed = arm("file.swap=unsupported", Scope::Thread)?;
            filled(home)?.commit_replacing()
        },
        ..ATOMIC
    },
    Protocol {
        name: "a removed folder",
        prepare: old_folder,
        run: |home| remove_folder(&home.join("folder")),
        ..ATOMIC
    },
    Protocol {
        name: "folders made on the way",
        prepare: nothing,
        run: |home| create_folder(&home.join("a/b/c")),
        between: |tree, _, new| tree.iter().all(|entry| new.get(entry.0) == Some(entry.1)),
        ..ATOMIC
    },
    Protocol {
        name: "lines appended",
        prepare: |home| fs::write(home.join("log"), "one\ntwo\n").unwrap(),
        run: |home| append(home, b"three\nfour\n"),
        recover: reopen_log,
        between: |tree, _, _| {
            let log = content(tree, "log");
            ["one\ntwo\n", "one\ntwo\nthree\n", "one\ntwo\nthree\nfour\n"]
                .iter()
                .any(|whole| log == whole.as_bytes())
        },
    },
    Protocol {
        name: "a first line",
        prepare: nothing,
        run: |home| append(home, b"one\n"),
        recover: reopen_log,
        between: |tree, _, _| [&b""[..], b"one\n"].contains(&content(tree, "log")),
    },
    Protocol {
        name: "a mended log",
        prepare: |home| fs::write(home.join("log"), "one\ntwo\nthr").unwrap(),
        run: |home| AppendLog::open(&home.join("log")).map(drop),
        recover: reopen_log,
        // The torn end is never lost: it has been moved, perhaps twice.
        between: |tree, _, _| {
            content(tree, "log") == b"one\ntwo\n"
                && content(tree, "log.torn").windows(4).any(|part| part == b"thr\n")
        },
    },
    Protocol {
        name: "a lock",
        prepare: nothing,
        run: |home| Lock::acquire(&home.join("lock")).map(drop),
        recover: |home| drop(Lock::acquire(&home.join("lock")).unwrap()),
        between: |tree, _, _| tree.contains_key("lock"),
    },
];

/// After a sweep the old tree is there or the new one, and nothing else.
const ATOMIC: Protocol = Protocol {
    name: "",
    prepare: nothing,
    run: |_| Ok(()),
    recover: |home| {
        sweep_partial(home).unwrap();
    },
    between: |tree, old, new| tree == old || tree == new,
};

impl Protocol {
    /// The tree before and the tree after, as they are when nothing fails.
    pub(super) fn ends(&self) -> (Tree, Tree) {
        let home = fresh_home();
        (self.prepare)(home.path());
        let old = tree(home.path());
        (self.run)(home.path()).unwrap();
        (old, tree(home.path()))
    }

    /// Recovers from a fault and looks at what is there; `done` if the writer was told that all is well.
    pub(super) fn check(&self, home: &Path, (old, new): &(Tree, Tree), done: bool, fault: &str) {
        (self.recover)(home);
        let found = tree(home);
        // A lock says who holds it, and a mended log may have been mended twice.
        let is_new = &found == new || matches!(self.name, "a lock" | "a mended log");
        assert!(
            (self.between)(&found, old, new),
            "{}, {fault}: {:?}",
            self.name,
            found.keys()
        );
        assert!(
            is_new || !done,
            "{}, {fault}: it was said to be done, but is not: {:?}",
            self.name,
            found.keys()
        );
        if !is_new {
            (self.run)(home).unwrap_or_else(|error| panic!("{}, {fault}, tried again: {error}", self.name));
            let names = |tree: &Tree| {
                tree.keys()
                    .filter(|name| *name != "log.torn")
                    .cloned()
                    .collect::<Vec<_>>()
            };
            assert_eq!(names(&tree(home)), names(new), "{}, {fault}", self.name);
        }
    }
}

pub(super) fn tree(home: &Path) -> Tree {
    let mut found = Tree::new();
    for entry in fs::read_dir(home).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            found.extend(
                tree(&path)
                    .into_iter()
                    .map(|(below, content)| (format!("{name}/{below}"), content)),
            );
            found.insert(name, None);
        } else {
            found.insert(name, Some(fs::read(&path).unwrap()));
        }
    }
    found
}

fn content<'a>(tree: &'a Tree, name: &str) -> &'a [u8] {
    tree.get(name)
        .and_then(|content| content.as_deref())
        .unwrap_or_default()
}

fn nothing(_: &Path) {}

/// A folder in memory where there is one: thousands of syncs then cost nothing.
pub(super) fn fresh_home() -> TempDir {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    };
    tempfile::tempdir_in(parent).unwrap()
}

/// More than is gathered before a write.
fn large(byte: u8) -> Vec<u8> {
    vec![byte; 140_000]
}

fn old_folder(home: &Path) {
    fs::create_dir_all(home.join("folder/sub")).unwrap();
    fs::write(home.join("folder/one"), "old one").unwrap();
    fs::write(home.join("folder/sub/gone"), "old, and not in the new").unwrap();
}

/// A folder `folder` ready to be committed.
fn filled(home: &Path) -> Result<PartialFolder> {
    let folder = PartialFolder::begin(&home.join("folder"))?;
    for (name, content) in [("one", large(b'1')), ("sub/two", b"two".to_vec())] {
        let mut file = folder.create_file(name)?;
        file.write_all(&content)
            .map_err(|error| Error::io("write", Path::new(name), error))?;
        file.finish()?;
    }
    Ok(folder)
}

fn append(home: &Path, lines: &[u8]) -> Result<()> {
    let mut log = AppendLog::open(&home.join("log"))?;
    log.append(lines)?;
    log.sync()
}

fn reopen_log(home: &Path) {
    drop(AppendLog::open(&home.join("log")).unwrap());
}
