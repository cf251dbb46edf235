"""Model, optimizer and state to a folder and back: whole and proved, or not there.

`save` writes one folder and returns when it would survive a power cut, `Checkpointer` does so again and again,
on a thread of its own if it is asked to; `find_latest` picks the newest whose
every byte verifies and says which it passed over; `load` checks what it hands out; `rotate` removes what is
no longer wanted. The bytes are written and read by the crate `codex-checkpoint`; this package knows what a
torch tensor is, and imports torch only while it saves or loads.
"""

from __future__ import annotations

from codex.checkpoint.adapter import checkpoint_of_digest, is_adapter, load_whole, merge_adapter
from codex.checkpoint.checkpointer import Checkpointer
from codex.checkpoint.diff import Change, Difference, TensorChange, diff
from codex.checkpoint.export import Exported, export
from codex.checkpoint.find import (
    Found,
    Listing,
    Skipped,
    Summary,
    checkpoint_at,
    find_latest,
    list_checkpoints,
    summarize,
    verify,
)
from codex.checkpoint.import_folder import Imported, import_folder
from codex.checkpoint.load import Loaded, load, load_tensors
from codex.checkpoint.pin import is_pinned, pin, unpin
from codex.checkpoint.rotate import Rotation, rotate
from codex.checkpoint.save import save, save_tensors

__all__ = [
    "Change",
    "Checkpointer",
    "Difference",
    "Exported",
    "Found",
    "Imported",
    "Listing",
    "Loaded",
    "Rotation",
    "Skipped",
    "Summary",
    "TensorChange",
    "checkpoint_at",
    "checkpoint_of_digest",
    "diff",
    "export",
    "find_latest",
    "import_folder",
    "is_adapter",
    "is_pinned",
    "list_checkpoints",
    "load",
    "load_tensors",
    "load_whole",
    "merge_adapter",
    "pin",
    "rotate",
    "save",
    "save_tensors",
    "summarize",
    "unpin",
    "verify",
]
