"""Write `src/unicode.rs`: what kind of character every scalar is to `tokenizers`.

The answers are asked of the installed `tokenizers`, scalar by scalar: parity with it is what codex promises, and its regex
engine and its pre-tokenizers each have a Unicode version of their own. Run from this folder:
`python make_unicode.py > src/unicode.rs`.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from itertools import groupby

import tokenizers
from tokenizers import Regex, pre_tokenizers

BLOCK = 4096
SCALARS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
CODES = string.ascii_letters
CATEGORIES = re.findall("..", "CcCfCnCoLlLmLoLtLuMcMeMnNdNlNoPcPdPePfPiPoPsScSkSmSoZlZpZs")
SCRIPTS = re.findall(
    r"\w+",
    "Arabic Armenian Bengali Bopomofo Cyrillic Devanagari Ethiopic Georgian Greek Gujarati Gurmukhi Han Hangul Hebrew"
    " Hiragana Kannada Katakana Khmer Lao Latin Malayalam Mongolian Myanmar Sinhala Tamil Telugu Thai Tibetan",
)


def removed_by(pre_tokenizer: pre_tokenizers.PreTokenizer) -> set[int]:
    """Every scalar that `pre_tokenizer` drops."""
    found = set()
    for start in range(0, len(SCALARS), BLOCK):
        block = SCALARS[start : start + BLOCK]
        kept = {
            i for _, (a, b) in pre_tokenizer.pre_tokenize_str("".join(map(chr, block))) for i in range(a, b)
        }
        found.update(c for i, c in enumerate(block) if i not in kept)
    return found


def matching(pattern: str) -> set[int]:
    """Every scalar that `pattern` matches."""
    return removed_by(pre_tokenizers.Split(Regex(pattern), "removed"))


def digits() -> set[int]:
    """Every scalar that `Digits` cuts off from the letters on both sides."""
    cut = pre_tokenizers.Digits(individual_digits=True)
    found = set()
    for start in range(0, len(SCALARS), BLOCK):
        block = SCALARS[start : start + BLOCK]
        pieces = cut.pre_tokenize_str("".join("ab" + chr(c) for c in block))
        found.update(block[a // 3] for _, (a, b) in pieces if b - a == 1 and a % 3 == 2)
    return found


def words() -> set[int]:
    """Every scalar that `Whitespace` leaves in one piece with a letter before it."""
    cut = pre_tokenizers.Whitespace()
    found = set()
    for start in range(0, len(SCALARS), BLOCK):
        block = SCALARS[start : start + BLOCK]
        pieces = cut.pre_tokenize_str("".join(f"a{chr(c)} " for c in block))
        found.update(block[a // 3] for _, (a, b) in pieces if b - a == 2)
    return found


def runs(codes: dict[int, str]) -> str:
    """`aaabcc` as `a3bc2`; no run goes on across the surrogates."""
    counted = [
        (code, len(list(of))) for (code, _), of in groupby(codes.items(), lambda c: (c[1], c[0] > 0xD800))
    ]
    return "".join(code + (str(n) if n > 1 else "") for code, n in counted)


def ranges(scalars: set[int]) -> list[tuple[int, int]]:
    """The same as inclusive ranges."""
    out: list[tuple[int, int]] = []
    for c in sorted(scalars):
        if out and out[-1][1] == c - 1:
            out[-1] = (out[-1][0], c)
        else:
            out.append((c, c))
    return out


def main() -> None:
    """Print the file."""
    category = {c: name for name in CATEGORIES for c in matching(rf"\p{{{name}}}")}
    assert len(category) == len(SCALARS), "every scalar has a category"
    marks = {
        "space": matching(r"\s"),
        "word": matching(r"\w"),
        "punctuation": removed_by(pre_tokenizers.Punctuation("removed")),
        "digit": digits(),
        "term": words(),
    }
    kinds = {c: (category[c], *(name for name, of in marks.items() if c in of)) for c in SCALARS}
    counted = Counter(kinds.values())
    names = sorted(counted)
    code_of = dict(zip(names, CODES, strict=False))
    print("//! What kind of character every scalar is, as `tokenizers` sees it.")
    print("//!")
    print(
        f"//! Written by `make_unicode.py` from the answers of tokenizers {tokenizers.__version__}; not edited by hand."
    )
    print(
        "\n/// The kinds, each with a letter for [`RUNS`]: its general category (Unicode 16.0) and what else holds for it:"
    )
    print(
        "/// `space` for `\\s` and `word` for `\\w` in a pattern; for the pre-tokenizers, whose tables are older and newer,"
    )
    print("/// `punctuation`, `digit`, and `term` for what `Whitespace` calls `\\w`.")
    print("pub(crate) const KINDS: &[(char, &str, &[&str])] = &[")
    for name in names:
        listed = ", ".join(f'"{mark}"' for mark in name[1:])
        print(f"    ('{code_of[name]}', \"{name[0]}\", &[{listed}]), // {counted[name]}")
    print("];")
    table = runs({c: code_of[kinds[c]] for c in SCALARS})
    print(
        "\n/// The kind of every scalar in order (surrogates are none), and how many have it one after the other, if not one."
    )
    print("#[rustfmt::skip]")
    print('pub(crate) const RUNS: &str = "\\')
    for start in range(0, len(table), 110):
        print(f"    {table[start : start + 110]}\\")
    print('";')
    print("\n/// Scripts, as inclusive ranges of scalars.")
    print("#[rustfmt::skip]")
    print("pub(crate) const SCRIPTS: &[(&str, &[(u32, u32)])] = &[")
    for name in SCRIPTS:
        print(f'    ("{name}", &[')
        rows = ranges(matching(rf"\p{{{name}}}"))
        for start in range(0, len(rows), 5):
            print("        " + " ".join(f"(0x{a:05x}, 0x{b:05x})," for a, b in rows[start : start + 5]))
        print("    ]),")
    print("];")


if __name__ == "__main__":
    main()
