"""Names of encodings, as `codecs.lookup` knows them, and which of them may be an answer."""

from __future__ import annotations

import codecs
from collections.abc import Iterable

from codex.errors import UsageError

__all__ = ["known", "limits"]

#: What answers are called where a name stands for more than one of them, or for less than what is looked for.
_ANSWERS = {
    "utf-8": ("utf-8", "utf-8-sig"),
    "utf-16": ("utf-16", "utf-16-le", "utf-16-be"),
    "utf-32": ("utf-32", "utf-32-le", "utf-32-be"),
    "shift_jis": ("cp932",),
    "euc_kr": ("cp949",),
    "gb2312": ("gb18030",),
    "gbk": ("gb18030",),
    "big5": ("cp950",),
    "shift_jisx0213": ("shift_jis_2004",),
    "euc_jisx0213": ("euc_jis_2004",),
}


def known(encoding: str) -> str:
    """The encoding's name.

    Raises:
        UsageError: if Python has none of that name that decodes bytes to text.
    """
    try:
        name = codecs.lookup(encoding).name
        b" ".decode(encoding)
    except UnicodeDecodeError:
        return name  # of text, in which one byte is no character
    except (LookupError, ValueError):
        raise UsageError(f"`{encoding}` is no encoding of text") from None
    return name


def limits(
    include: Iterable[str], exclude: Iterable[str], hint: str | None
) -> tuple[list[str], list[str], str | None]:
    """The answers that are allowed (all if the first list is empty), those that are not, and the one expected.

    Raises:
        UsageError: if a name is unknown, or the lists contradict each other or the hint.
    """
    included = [answer for name in include for answer in _answers(name)]
    excluded = [answer for name in exclude for answer in _answers(name)]
    if included and not set(included) - set(excluded):
        raise UsageError("`include` and `exclude` leave no encoding")
    if hint is None:
        return included, excluded, None
    expected = _answers(hint)[0]
    if expected in excluded or (included and expected not in included):
        raise UsageError(f"the hint `{hint}` is not among the encodings that are left")
    return included, excluded, expected


def _answers(name: str) -> tuple[str, ...]:
    canonical = known(name)
    return _ANSWERS.get(canonical, (canonical,))
