"""A tokenizer as what other libraries take: `transformers`' fast tokenizer, and the parts of a `tiktoken.Encoding`."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from codex.errors import DataError
from codex.file import write_atomic
from codex.tokens.foreign import require, to_library

if TYPE_CHECKING:
    from codex.tokens.interface import BaseTokenizer
    from codex.tokens.tokenizer import Tokenizer

__all__ = ["TiktokenParts", "save_tiktoken", "save_transformers", "tiktoken_parts", "transformers_tokenizer"]


class TiktokenParts(TypedDict):
    """The arguments of `tiktoken.Encoding` beside its name."""

    pat_str: str
    mergeable_ranks: dict[bytes, int]
    special_tokens: dict[str, int]


def transformers_tokenizer(tokenizer: BaseTokenizer) -> Any:
    """A `transformers.PreTrainedTokenizerFast` with equal ids, the named tokens and the chat template.

    Raises:
        MissingExtraError: if `transformers` is not installed.
    """
    require("transformers", "a tokenizer for transformers")
    import transformers

    made: Any = transformers.PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=to_library(tokenizer.to_json()), **_named_tokens(tokenizer)
    )
    made.chat_template = tokenizer.settings.chat_template
    return made


def _named_tokens(tokenizer: BaseTokenizer) -> dict[str, str]:
    """Those of the settings, and the end of a document as `eos_token`."""
    try:
        end = tokenizer.end_of_document_id
    except DataError:
        return tokenizer.settings.named_tokens()
    eos = next(name for name, number in tokenizer.special_tokens.items() if number == end)
    return {"eos_token": eos, **tokenizer.settings.named_tokens()}


def save_transformers(tokenizer: BaseTokenizer, folder: Path) -> list[Path]:
    """Write `tokenizer.json`, `tokenizer_config.json` and, if there is one, `chat_template.jinja`.

    `transformers.AutoTokenizer.from_pretrained(folder)` opens them; nothing of it is needed to write them.
    """
    config = {"tokenizer_class": "PreTrainedTokenizerFast", **_named_tokens(tokenizer)}
    files = {
        "tokenizer.json": tokenizer.to_json(),
        "tokenizer_config.json": json.dumps(config, ensure_ascii=False, indent=2).encode() + b"\n",
    }
    if tokenizer.settings.chat_template is not None:
        files["chat_template.jinja"] = tokenizer.settings.chat_template.encode()
    return _written(folder, files)


def tiktoken_parts(tokenizer: Tokenizer) -> TiktokenParts:
    """What makes a `tiktoken.Encoding` with equal ids.

    Raises:
        UsageError: naming what tiktoken has no word for: a normalizer, words cut by more than one pattern, characters in the
            place of bytes, ids that are not in the order of the merges.
        DataError: if it would make a token where the merges do not.
    """
    data, pattern, specials = tokenizer._core.to_ranks()
    merges = tokenizer.merges
    takes_whole_words = bool(json.loads(tokenizer.to_json())["model"].get("ignore_merges"))
    ranks = {base64.b64decode(token): int(rank) for token, rank in map(bytes.split, data.splitlines())}
    if not takes_whole_words:  # a token that nothing makes stands in the file for no text
        made = {left + right for left, right in merges}
        ranks = {token: rank for token, rank in ranks.items() if len(token) == 1 or token in made}
    _refuse_other_order(ranks, merges, takes_whole_words=takes_whole_words)
    return {"pat_str": pattern, "mergeable_ranks": ranks, "special_tokens": dict(specials)}


def save_tiktoken(tokenizer: Tokenizer, folder: Path) -> list[Path]:
    """Write `ranks.tiktoken`, a line of base64 and rank a token, and `tiktoken.json` with the pattern and the special tokens."""
    parts = tiktoken_parts(tokenizer)
    ranks = sorted(parts["mergeable_ranks"].items(), key=lambda item: item[1])
    lines = b"".join(base64.b64encode(token) + b" %d\n" % rank for token, rank in ranks)
    rest = {"pat_str": parts["pat_str"], "special_tokens": parts["special_tokens"]}
    config = json.dumps(rest, ensure_ascii=False, indent=2).encode() + b"\n"
    return _written(folder, {"ranks.tiktoken": lines, "tiktoken.json": config})


def _refuse_other_order(
    ranks: Mapping[bytes, int], merges: list[tuple[bytes, bytes]], *, takes_whole_words: bool
) -> None:
    """tiktoken joins the neighbours whose bytes have the lowest rank, merge or not: that has to be what the merges do.

    It is, if merges make ids in rising order and tiktoken comes to each token by one of its merges, or by none to one that has
    none. What stands around the bytes of a token makes no difference: until something joins over their edge, they are joined
    as they would be alone, and after it they are that token no more.
    """
    order = [ranks.get(left + right, -1) for left, right in merges]
    if order != sorted(order) or -1 in order:
        raise DataError("ids are not in the order of the merges, which is the order of tiktoken")
    pairs = set(merges)
    for token, rank in ranks.items():
        parts = _joined(token, ranks, rank)
        is_made = tuple(parts) in pairs
        if len(token) > 1 and (is_made != (len(parts) == 2) or not (is_made or takes_whole_words)):
            raise DataError(f"tiktoken would not make the token {token!r} where these merges do")


def _joined(token: bytes, ranks: Mapping[bytes, int], below: int) -> list[bytes]:
    """What the ranks below one make of some bytes."""
    parts = [token[i : i + 1] for i in range(len(token))]
    while len(parts) > 1:
        joins = [ranks.get(parts[i] + parts[i + 1], below) for i in range(len(parts) - 1)]
        best = min(joins)
        if best >= below:
            break
        at = joins.index(best)
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return parts


def _written(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        write_atomic(folder / name, data)
    return [folder / name for name in files]
