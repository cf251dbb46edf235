"""Text to tokens and back: the tokenizer, its training, and shards of tokens on disk.

Ids and merges are those of Hugging Face `tokenizers` 0.23.3, and `tokenizer.json` goes both ways. The interpreter is
released during the work. `docs/tokens.md` tells all of it.
"""

from __future__ import annotations

from codex.tokens.interface import END_OF_DOCUMENT, BaseTokenizer, Specials
from codex.tokens.kinds import load_tokenizer
from codex.tokens.padding import Padded
from codex.tokens.shards import BadLines, Shard, ShardsWritten, encode_ndjson, open_shard, write_shards
from codex.tokens.stream import StreamDecoder
from codex.tokens.tokenizer import Tokenizer
from codex.tokens.train import BpeOptions, TrainedTokenizer, learn_bpe, train_bpe

__all__ = [
    "END_OF_DOCUMENT",
    "BadLines",
    "BaseTokenizer",
    "BpeOptions",
    "Padded",
    "Shard",
    "ShardsWritten",
    "Specials",
    "StreamDecoder",
    "Tokenizer",
    "TrainedTokenizer",
    "encode_ndjson",
    "learn_bpe",
    "load_tokenizer",
    "open_shard",
    "train_bpe",
    "write_shards",
]
