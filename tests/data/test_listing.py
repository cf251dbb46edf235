"""What belongs to a corpus: globs, links, odd files, names, and the order of it all."""

from __future__ import annotations

import os
import random
import re
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from codex.data.corpora import Corpus, corpora, python_stdlib, user_paths
from codex.data.listing import Listing, glob_matcher, list_files, name_roots
from codex.errors import ConfigError, DataError, MissingDataError, RegistryError

NOBODY = 65534


def listed(*roots: Path, **rules: object) -> Listing:
    rules.setdefault("maximum_file_bytes", 1000)
    return list_files(user_paths(tuple(map(str, roots))), **rules)  # type: ignore[arg-type]


def names(listing: Listing) -> list[str]:
    return [found.name for found in listing.files]


def grow(folder: Path, *files: str) -> Path:
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


@pytest.fixture
def as_nobody() -> Iterator[Path]:
    """A folder of somebody who may not read everything, and the rights of that somebody."""
    if os.geteuid() != 0:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
        return
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, NOBODY, NOBODY)
        os.seteuid(NOBODY)
        try:
            yield Path(folder)
        finally:
            os.seteuid(0)


GLOBS = [
    ("*.py", ["a.py", "x/a.py"], ["a.pyc", "a.py~"]),
    ("/*.py", ["a.py"], ["x/a.py"]),
    ("docs/*.md", ["docs/a.md"], ["docs/x/a.md", "x/docs/a.md"]),
    ("docs/**", ["docs/a.md", "docs/x/a.md"], ["docs", "xdocs/a"]),
    ("**/old", ["old", "a/b/old", "a/old/file"], ["older"]),
    ("a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["ab", "a/xb"]),
    ("node_modules", ["node_modules", "x/node_modules/y/z.js"], ["node_modules2"]),
    ("build/", ["build/x", "a/build/x"], ["rebuild/x"]),
    ("?.txt", ["a.txt", "é.txt"], ["ab.txt", ".txt"]),
    ("[a-c].txt", ["b.txt"], ["d.txt"]),
    ("[!a-c].txt", ["d.txt"], ["b.txt"]),
    ("a[!x]b", ["ayb"], ["a/b", "axb"]),
    ("[]].txt", ["].txt"], ["a.txt"]),
    ("[", ["["], ["a"]),
    ("a+b (1).txt", ["a+b (1).txt"], ["aab 1.txt"]),
    ("line\nbreak*", ["line\nbreak\n2"], ["line"]),
]


@pytest.mark.parametrize(("glob", "yes", "no"), GLOBS, ids=[repr(glob) for glob, _, _ in GLOBS])
def test_glob_matches(glob: str, yes: list[str], no: list[str]) -> None:
    matcher = glob_matcher([glob])
    assert [name for name in yes if not matcher.matches(name)] == []
    assert [name for name in no if matcher.matches(name)] == []


def test_glob_that_is_none_is_named() -> None:
    with pytest.raises(ConfigError, match=r"`\[z-a\]` is no glob"):
        glob_matcher(["*.py", "[z-a]"])


def test_no_globs_match_nothing() -> None:
    assert not glob_matcher([]).matches("")


def slow_matcher(glob: str) -> re.Pattern[str]:
    """The same as a regular expression, whose `fullmatch` is asked."""
    body = glob.strip("/")
    pattern = "" if "/" in glob.rstrip("/") else "(?:.*/)?"
    place = 0
    while place < len(body):
        rest = body[place:]
        if rest.startswith("**/"):
            pattern, place = pattern + "(?:.*/)?", place + 3
        elif rest.startswith("**"):
            pattern, place = pattern + ".*", place + 2
        elif rest[0] == "*":
            pattern, place = pattern + "[^/]*", place + 1
        elif rest[0] == "?":
            pattern, place = pattern + "[^/]", place + 1
        elif choice := re.match(r"\[(!?)(\]?[^\]]*)\]", rest):
            negated, letters = choice.groups()
            if not letters:
                raise re.error("empty")
            letters = re.sub(r"([\\\]\[^&~|])", r"\\\1", letters)
            pattern += f"(?!/)[{'^' if negated else ''}{letters}]"
            place += choice.end()
        else:
            pattern, place = pattern + re.escape(rest[0]), place + 1
    return re.compile(f"(?:{pattern}(?:/.*)?)", re.DOTALL)


@pytest.mark.filterwarnings("ignore::FutureWarning")  # of sets in sets, which these are not
def test_globs_are_regular_expressions() -> None:
    chance = random.Random(8)
    pieces = [
        "a",
        "b",
        "é",
        "/",
        "/",
        "*",
        "**",
        "?",
        ".",
        "[ab]",
        "[!a]",
        "[a-c]",
        "[]",
        "[",
        "]",
        "-",
        "!",
        "^",
        "\\",
        "\n",
    ]
    letters = ["a", "b", "c", "é", "/", "/", ".", "[", "]", "-", "!", "^", "\\", "\n"]
    compared = 0
    for _ in range(20_000):
        glob = "".join(chance.choices(pieces, k=chance.randrange(8)))
        try:
            slow = slow_matcher(glob)
        except re.error:
            with pytest.raises(ConfigError):
                glob_matcher([glob])
            continue
        fast = glob_matcher([glob])
        for _ in range(5):
            name = "".join(chance.choices(letters, k=chance.randrange(8)))
            assert fast.matches(name) == bool(slow.fullmatch(name)), (glob, name)
            compared += fast.matches(name)
    assert compared > 5000


def test_files_come_in_the_order_of_their_names_whatever_the_disk_says(tmp_path: Path) -> None:
    files = ["b", "a/z", "a.txt", "a/b/c", "é", "Z", "a b"]
    orders = []
    for seed in range(5):
        shuffled = random.Random(seed).sample(files, len(files))
        orders.append(names(listed(grow(tmp_path / str(seed), *shuffled))))
    assert orders == [sorted(files)] * 5


def test_include_and_exclude_both_count_and_exclude_wins(tmp_path: Path) -> None:
    grow(tmp_path, "a.py", "b.py", "c.txt", "old/d.py", "old/e.txt")
    listing = listed(tmp_path, include=["*.py"], exclude=["b.*", "old"])
    assert names(listing) == ["a.py"]
    assert listing.skipped == []
    assert listing.set_aside == 3  # b.py, c.txt, and `old` with all in it


def test_globs_of_the_corpus_and_of_the_user_both_count(tmp_path: Path) -> None:
    grow(tmp_path, "a.py", "b.py", "b.txt")
    corpus = Corpus(name="x", roots=(tmp_path,), include=("*.py",), exclude=())
    assert names(list_files(corpus, include=["b.*"], maximum_file_bytes=1000)) == ["b.py"]


def test_links_are_listed_and_never_followed(tmp_path: Path) -> None:
    outside = grow(tmp_path / "outside", "secret")
    inside = grow(tmp_path / "inside", "file")
    (inside / "out").symlink_to(outside)
    (inside / "out-file").symlink_to(outside / "secret")
    (inside / "in-file").symlink_to("file")
    (inside / "loop").symlink_to(".")
    (inside / "broken").symlink_to("nowhere")
    listing = listed(inside)
    assert names(listing) == ["file"]
    assert {skipped.path: skipped.reason for skipped in listing.skipped} == {
        "broken": "a symbolic link: not followed",
        "in-file": "a symbolic link: not followed",
        "loop": "a symbolic link to a folder: not followed",
        "out": "a symbolic link to a folder: not followed",
        "out-file": "a symbolic link: not followed",
    }


def test_link_to_a_folder_is_listed_even_where_only_some_names_are_read(tmp_path: Path) -> None:
    inside = grow(tmp_path / "inside", "file.md")
    (inside / "more").symlink_to(grow(tmp_path / "outside", "more.md"))
    (inside / "link.txt").symlink_to("file.md")
    listing = listed(inside, include=["*.md"])
    assert [skipped.path for skipped in listing.skipped] == ["more"]
    assert listing.set_aside == 1


def test_place_that_is_a_link_is_followed_for_the_user_named_it(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(grow(tmp_path / "real", "file"))
    assert names(listed(tmp_path / "link")) == ["file"]


def test_fifo_and_socket_are_listed_and_never_opened(tmp_path: Path) -> None:
    grow(tmp_path, "file")
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as endpoint:
        endpoint.bind(str(tmp_path / "socket"))
        listing = listed(tmp_path)
    assert names(listing) == ["file"]
    assert [(skipped.path, skipped.reason) for skipped in listing.skipped] == [
        ("fifo", "a FIFO: not opened"),
        ("socket", "a socket: not opened"),
    ]


def test_large_file_is_listed_with_its_size(tmp_path: Path) -> None:
    (tmp_path / "fits").write_bytes(b"x" * 10)
    (tmp_path / "large").write_bytes(b"x" * 11)
    listing = listed(tmp_path, maximum_file_bytes=10)
    assert names(listing) == ["fits"]
    assert [(s.path, s.reason, s.bytes) for s in listing.skipped] == [
        ("large", "too large: more than 10 bytes", 11)
    ]


def test_name_that_is_not_utf_8_is_shown_with_its_bytes(tmp_path: Path) -> None:
    grow(tmp_path, "straße/mit leer.txt")
    (tmp_path / os.fsdecode(b"caf\xe9")).write_text("x")
    assert names(listed(tmp_path)) == ["caf\\xe9", "straße/mit leer.txt"]


def test_version_control_is_set_aside(tmp_path: Path) -> None:
    grow(tmp_path, ".git/config", "sub/.hg/x", ".gitignore")
    assert names(listed(tmp_path)) == [".gitignore"]


def test_our_own_output_is_no_input(tmp_path: Path) -> None:
    grow(tmp_path, "file", "cache/prepared/x", "out/records/records.ndjson")
    assert names(listed(tmp_path, not_input=[tmp_path / "cache", tmp_path / "out", tmp_path / "none"])) == [
        "file"
    ]


def test_several_places_are_told_apart_by_name(tmp_path: Path) -> None:
    grow(tmp_path, "a/docs/x", "b/docs/x", "alone")
    expected = ["a/docs/x", "alone", "b/docs/x"]
    roots = [tmp_path / "a/docs", tmp_path / "b/docs", tmp_path / "alone"]
    assert names(listed(*roots)) == expected
    assert names(listed(*roots[::-1], roots[0])) == expected


def test_lone_file_keeps_its_name(tmp_path: Path) -> None:
    assert names(listed(grow(tmp_path, "some file.txt") / "some file.txt")) == ["some file.txt"]


def test_places_whose_names_end_alike_are_told_apart() -> None:
    roots = [Path("/docs"), Path("/x/docs")]
    assert len({name for name, _ in name_roots(roots)}) == 2


def test_missing_place_says_which(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match=rf"`{tmp_path}/ not here` does not exist"):
        listed(tmp_path / " not here")


def test_place_that_is_a_device_is_refused() -> None:
    with pytest.raises(
        DataError, match=r"`/dev/null` of the corpus is a character device, expected a file or folder"
    ):
        listed(Path("/dev/null"))


def test_unreadable_folder_within_is_listed(as_nobody: Path) -> None:
    grow(as_nobody, "closed/file", "open/file")
    (as_nobody / "closed").chmod(0)
    try:
        listing = listed(as_nobody)
    finally:
        (as_nobody / "closed").chmod(0o700)
    assert names(listing) == ["open/file"]
    assert [(s.path, s.reason) for s in listing.skipped] == [
        ("closed/", "folder cannot be read: permission denied")
    ]


def test_unreadable_place_is_an_error(as_nobody: Path) -> None:
    grow(as_nobody, "closed/file")
    (as_nobody / "closed").chmod(0)
    try:
        with pytest.raises(DataError, match=r"closed` of the corpus cannot be read: permission denied"):
            listed(as_nobody / "closed")
    finally:
        (as_nobody / "closed").chmod(0o700)


def test_standard_library_holds_the_modules_and_no_tests() -> None:
    listing = list_files(python_stdlib(), maximum_file_bytes=1 << 24)
    found = set(names(listing))
    assert {"json/decoder.py", "this.py", "asyncio/events.py"} <= found
    assert all(name.endswith(".py") for name in found)
    parts = {part for name in found for part in name.split("/")}
    assert not parts & {"site-packages", "dist-packages", "test", "tests", "__pycache__"}


def test_unknown_corpus_lists_what_there_is() -> None:
    with pytest.raises(RegistryError, match=r"unknown corpus `python-stdlb`") as caught:
        corpora["python-stdlb"]
    assert caught.value.hint == "did you mean `python-stdlib`?"
