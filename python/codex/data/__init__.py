"""Corpora, ingest, splits, token shards and batches: everything between raw files and the model.

`prepare` runs the four stages and caches each by content; `load.TokenBatches` is what training reads. Each
stage is a folder with a manifest, written whole or not at all; see `docs/data.md`.
"""

from __future__ import annotations

__all__: list[str] = []
