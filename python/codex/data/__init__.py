"""Corpora, ingest, splits, token shards and batches: everything between raw files and the model.

`prepare` runs the four stages and caches each by content; `load.TokenBatches` is what training reads. Each
stage is a folder with a manifest, written whole or not at all; see `docs/data.md`. Scripts read a corpus with `get_dataset`,
a text in pieces with `stream_texts`, and divide lines with `split_dataset`.
"""

from __future__ import annotations

from codex.data.dataset import Dataset, get_dataset, stream_texts
from codex.data.line_split import LineSplit, split_dataset

__all__ = ["Dataset", "LineSplit", "get_dataset", "split_dataset", "stream_texts"]
