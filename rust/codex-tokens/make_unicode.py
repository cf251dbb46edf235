"""Write `src/unicode.rs`: which scalars GPT-2's pattern takes for letters, numbers and white space.

The answer is asked of the installed `tokenizers`, scalar by scalar, because parity with it is what codex promises and its
regex engine has a Unicode version of its own. Run from this folder: `python make_unicode.py > src/unicode.rs`.
"""

from __future__ import annotations

import tokenizers
from tokenizers import Regex, pre_tokenizers

BLOCK = 4096


def matching(pattern: str) -> list[int]:
    """Every scalar that `pattern` matches, ascending."""
    splitter = pre_tokenizers.Split(Regex(pattern + "+"), "removed")
    scalars = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    found = []
    for start in range(0, len(scalars), BLOCK):
        block = scalars[start : start + BLOCK]
        kept = {i for _, (a, b) in splitter.pre_tokenize_str("".join(map(chr, block))) for i in range(a, b)}
        found += [c for i, c in enumerate(block) if i not in kept]
    return found


def ranges(scalars: list[int]) -> list[tuple[int, int]]:
    """The same as inclusive ranges."""
    out: list[tuple[int, int]] = []
    for c in scalars:
        if out and out[-1][1] == c - 1:
            out[-1] = (out[-1][0], c)
        else:
            out.append((c, c))
    return out


def main() -> None:
    """Print the file."""
    print(
        "//! What GPT-2's pattern calls a letter, a number and white space, as inclusive ranges of scalars."
    )
    print("//!")
    asked = f"tokenizers {tokenizers.__version__} (Unicode 16.0)"
    print(f"//! Written by `make_unicode.py` from the answers of {asked}; not edited by hand.")
    for name, what, pattern in [
        ("LETTERS", "`\\p{L}`", r"\p{L}"),
        ("NUMBERS", "`\\p{N}`", r"\p{N}"),
        ("SPACES", "`\\s`", r"\s"),
    ]:
        scalars = matching(pattern)
        table = ranges(scalars)
        print(f"\n/// {what}: {len(scalars)} scalars.")
        print("#[rustfmt::skip]")
        print(f"pub(crate) const {name}: &[(u32, u32)] = &[")
        for start in range(0, len(table), 5):
            print("    " + " ".join(f"(0x{a:05x}, 0x{b:05x})," for a, b in table[start : start + 5]))
        print("];")


if __name__ == "__main__":
    main()
