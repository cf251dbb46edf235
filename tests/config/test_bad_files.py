"""What is not a configuration is refused in one block that says where and why."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from codex.config import load
from codex.config.find import MAXIMUM_BYTES, packaged_names
from codex.errors import ConfigError

Block = Callable[..., str]

TEXTS = {
    "tab for indentation": (
        "train:\n\tmax_steps: 1\n",
        "a tab indents this line, expected spaces (my.yaml:2:1)\nhint: indent by two spaces",
    ),
    "tab after spaces": (
        "train:\n  \tmax_steps: 1\n",
        "a tab indents this line, expected spaces (my.yaml:2:3)\nhint: indent by two spaces",
    ),
    "tab in a later line": (
        "train:\n  max_steps: 1\n\twarmup_steps: 0\n",
        "a tab indents this line, expected spaces (my.yaml:3:1)\nhint: indent by two spaces",
    ),
    "tab after the colon": (
        "train:\n  max_steps:\t1\n",
        "a tab stands here, expected a space (my.yaml:2:13)",
    ),
    "key twice": (
        "train:\n  max_steps: 100\n  max_steps: 200\n",
        "`train.max_steps` is written twice, first at my.yaml:2:3 (my.yaml:3:3)\nhint: keep one of them",
    ),
    "section twice": (
        "train: {}\nmodel: {}\ntrain: {}\n",
        "`train` is written twice, first at my.yaml:1:1 (my.yaml:3:1)\nhint: keep one of them",
    ),
    "text with a colon": (
        "generate:\n  prompt: def f(x): pass\n",
        "not YAML: a colon where no key can stand (my.yaml:2:19)\n"
        "hint: quote text that holds `: `; check the indentation, and the colon of the line above",
    ),
    "indentation that falls between": (
        "train:\n  max_steps: 100\n warmup_steps: 1\n",
        "not YAML: this line is indented unlike the ones above it (my.yaml:3:2)\n"
        "hint: keys of one section start in one column",
    ),
    "text after a quoted value": (
        'generate:\n  prompt: "def" f\n',
        "not YAML: something follows a complete value (my.yaml:2:17)\nhint: quote the whole value",
    ),
    "key without a colon": (
        "train:\n  max_steps: 100\n  warmup_steps\nmodel:\n",
        "not YAML: a key without a colon (my.yaml:3:3)\nhint: a key is a name, a colon and a space",
    ),
    "open list": (
        "data:\n  paths: [a, b\n",
        "not YAML: a list that is not closed, expected `,` or `]` (my.yaml:3:1)",
    ),
    "open mapping": (
        "data: {paths: [a]\n",
        "not YAML: a mapping that is not closed, expected `,` or `}` (my.yaml:2:1)",
    ),
    "open quote": ('generate:\n  prompt: "def\n', "not YAML: a quote that is not closed (my.yaml:2:11)"),
    "Windows path in double quotes": (
        'data:\n  paths: ["C:\\data"]\n',
        "not YAML: an unknown escape in double quotes (my.yaml:2:15)\nhint: single quotes take `\\` as it is",
    ),
    "value that starts with %": (
        "generate:\n  prompt: %d\n",
        "not YAML: a character that cannot start a value (my.yaml:2:11)\nhint: put it in quotes",
    ),
    "what no table foresees": (
        "%YAML 3.0\n---\nrun:\n",
        "not YAML: found incompatible YAML document (version 1.* is required) (my.yaml:1:1)",
    ),
    "list instead of sections": (
        "- train\n- model\n",
        "not a configuration, expected sections (my.yaml:1:1)\n"
        "hint: a configuration starts with the name of a section, such as `train:`",
    ),
    "a word": (
        "hello\n",
        "not a configuration, expected sections (my.yaml:1:1)\n"
        "hint: a configuration starts with the name of a section, such as `train:`",
    ),
    "a quoted nothing": (
        "''\n",
        "not a configuration, expected sections (my.yaml:1:1)\n"
        "hint: a configuration starts with the name of a section, such as `train:`",
    ),
    "nothing": (
        "",
        "an empty file, expected sections (my.yaml:1:1)\nhint: `include: base` takes every default",
    ),
    "only comments": (
        "# later\n",
        "an empty file, expected sections (my.yaml:1:1)\nhint: `include: base` takes every default",
    ),
    "two documents": (
        "train:\n---\nmodel:\n",
        "a second document starts here, expected one (my.yaml:2:1)\nhint: remove the line `---`",
    ),
    "merge key": (
        "train:\n  <<: {max_steps: 50}\n",
        "`<<` (merge) is not part of YAML 1.2 (my.yaml:2:3)\nhint: `include:` merges files",
    ),
    "tag that would run code": (
        "run:\n  name: !!python/object/apply:os.system [ls]\n",
        "2 faults in the configuration\n"
        "  the tag `!!python/object/apply:os.system` is not taken: a configuration is plain data "
        "(my.yaml:2:9)\n"
        "    hint: quote text, write numbers bare\n"
        "  `run.name` is a list, expected text, or null (my.yaml:2:9)",
    ),
    "tag of YAML's own": (
        "train:\n  max_steps: !!int 100\n",
        "the tag `!!int` is not taken: a configuration is plain data (my.yaml:2:14)\n"
        "hint: quote text, write numbers bare",
    ),
    "key with its dot": (
        "train.max_steps: 50\n",
        "unknown key `train.max_steps` (my.yaml:1:1)\nhint: in a file `max_steps:` stands below `train:`, indented",
    ),
    "list as a key": (
        "? [a]\n: b\n",
        "expected a word as a key (my.yaml:1:3)\nhint: a key is a name followed by a colon",
    ),
    "alias to nothing": ("run: *a\n", "`*a` stands before the end of its `&a`, or has none (my.yaml:1:6)"),
    "alias to itself": (
        "run: &a [*a]\n",
        "`*a` stands before the end of its `&a`, or has none (my.yaml:1:10)",
    ),
    "control character": (
        "generate:\n  prompt: \x1b[31m\n",
        "`\\x1b` is a control character, expected text (my.yaml:2:11)\n"
        'hint: write it as an escape in double quotes, such as "\\x1b"',
    ),
    "half a character": (
        'generate:\n  prompt: "\\ud800"\n',
        "half a surrogate pair, expected text (my.yaml:2:11)\nhint: write the character itself",
    ),
    "bytes that are not UTF-8": (
        "generate:\n  prompt: hé\n".encode("latin-1"),
        "not UTF-8: byte 0xe9 (my.yaml:2:12)\nhint: save the file as UTF-8",
    ),
    "UTF-16 with its mark": (
        "run:\n".encode("utf-16"),
        "this file is UTF-16 or UTF-32, expected UTF-8 (my.yaml:1:1)\nhint: save it as UTF-8",
    ),
    "UTF-16 without": (
        "run:\n".encode("utf-16-be"),
        "this file is UTF-16 or UTF-32, expected UTF-8 (my.yaml:1:1)\nhint: save it as UTF-8",
    ),
    "UTF-32": (
        "run:\n".encode("utf-32"),
        "this file is UTF-16 or UTF-32, expected UTF-8 (my.yaml:1:1)\nhint: save it as UTF-8",
    ),
}


@pytest.mark.parametrize(("text", "expected"), TEXTS.values(), ids=TEXTS.keys())
def test_bad_text_is_refused_with_its_place(block: Block, text: str | bytes, expected: str) -> None:
    assert block(text) == expected


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_every_way_to_save_utf8_reads_the_same(
    read: Callable[..., object], mark: bytes, newline: str
) -> None:
    text = newline.join(["# é", "train:", "  max_steps: 100", ""])
    config = read(mark + text.encode())
    assert config == read("train: {max_steps: 100}")


BOMBS = {
    "aliases": "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(
        f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefghi", "bcdefghij", strict=True)
    ),
    "aliases of sections": "a: &a {x: 1}\n"
    + "".join(
        f"{b}: &{b} {{p: *{a}, q: *{a}}}\n"
        for a, b in zip("abcdefghijklmnopq", "bcdefghijklmnopqr", strict=True)
    ),
    "depth in a line": "a: " + "[" * 5000,
    "depth in lines": "\n".join(f"{' ' * depth}a:" for depth in range(500)),
    "many keys": "\n".join(f"k{number}: 1" for number in range(12_000)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bomb_is_refused_before_it_is_expanded(block: Block, name: str) -> None:
    assert ("more than 10000 values" in block(BOMBS[name])) != (
        "nested more than 32 deep" in block(BOMBS[name])
    )


def test_alias_bomb_costs_less_than_a_plain_file_of_its_limit(block: Block) -> None:
    def seconds(text: str) -> float:
        start = time.process_time()
        block(text)
        return time.process_time() - start

    assert seconds(BOMBS["aliases"]) < seconds(BOMBS["many keys"])


def test_alias_repeats_a_value_where_it_is_used(read: Callable[..., object]) -> None:
    aliased = read("train: {max_steps: &steps 100}\nevaluate: {every_steps: *steps}\n")
    assert aliased == read("train: {max_steps: 100}\nevaluate: {every_steps: 100}\n")


def test_fault_in_an_alias_is_placed_where_the_alias_stands(block: Block) -> None:
    text = "run: {name: &name word}\ntrain: {max_steps: *name}\n"
    assert "`train.max_steps` is the text `word`" in block(text)
    assert "(my.yaml:2:20)" in block(text)


def test_file_of_one_mebibyte_is_read_and_one_byte_more_is_not(
    block: Block, read: Callable[..., object]
) -> None:
    text = "run:\n#".ljust(MAXIMUM_BYTES, "x")
    read(text)
    assert block(text + "x") == "`my.yaml` is larger than 1 MiB, expected a configuration"


def test_missing_file_names_the_nearest(write: Callable[..., Path], tmp_path: Path) -> None:
    write(mine="run:\n")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "other.yml").touch()
    for asked, meant in {
        "mime.yaml": "mine.yaml",
        "deep/othr.yml": "deep/other.yml",
        "bas": "base",
        "tinyllama": "tinyllama-1.1b",
        "training/smok": "training/smoke",
    }.items():
        with pytest.raises(ConfigError, match=f"^no configuration file `{asked}`$") as caught:
            load(asked)
        assert (caught.value.hint, caught.value.exit_code) == (f"did you mean `{meant}`?", 2)


def test_missing_file_unlike_any_lists_the_packaged_ones(write: Callable[..., Path]) -> None:
    write(mine="run:\n")
    with pytest.raises(ConfigError) as caught:
        load("/no/such/place/at-all")
    assert caught.value.hint == f"packaged configurations: {', '.join(packaged_names())}"


def test_folder_for_a_file_is_refused(write: Callable[..., Path], tmp_path: Path) -> None:
    write(mine="run:\n")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigError, match=r"^`folder` is a folder, expected a file$"):
        load("folder")


def test_folder_does_not_hide_a_packaged_name(write: Callable[..., Path], tmp_path: Path) -> None:
    write(mine="run:\n")
    (tmp_path / "base").mkdir()
    assert load("base").source.name == "base.yaml"


def test_unreadable_file_is_refused() -> None:
    # Readable for nobody at its first byte, not even for root.
    with pytest.raises(ConfigError, match=r"^`/proc/self/mem` cannot be read: input/output error$"):
        load("/proc/self/mem")


def test_forbidden_file_is_refused(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(mine="run:\n")

    def refuse(*_: object) -> object:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ConfigError, match=r"^`mine\.yaml` cannot be read: permission denied$"):
        load(path)


def test_file_in_a_forbidden_folder_is_refused(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(mine="run:\n")

    def refuse(*_: object, **__: object) -> object:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", refuse)
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ConfigError, match=r"^`mine\.yaml` cannot be read: permission denied$"):
        load(path)


def test_name_that_no_file_can_have_is_missing(write: Callable[..., Path]) -> None:
    write(mine="run:\n")
    for name in ("a\0b", "x" * 5000, ""):
        with pytest.raises(ConfigError):
            load(name)


def test_path_with_spaces_and_unicode_is_read_and_named(write: Callable[..., Path], tmp_path: Path) -> None:
    write(mine="run:\n")
    path = Path("mein Lauf — 実験.yaml")
    path.write_text("train:\n  max_stps: 5\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"\(mein Lauf — 実験\.yaml:2:3\)$"):
        load(path)
