"""Model, optimizer and state to a folder and back: whole and proved, or not there.

`save` writes one folder and returns when it would survive a power cut; `find_latest` picks the newest whose
every byte verifies and says which it passed over; `load` checks what it hands out; `rotate` removes what is
no longer wanted. The bytes are written and read by the crate `codex-checkpoint`; this package knows what a
torch tensor is, and imports torch only while it saves or loads.
"""

from __future__ import annotations

from codex.checkpoint.find import (
    Found,
    Listing,
    Skipped,
    Summary,
    find_latest,
    list_checkpoints,
    summarize,
    verify,
)
from codex.checkpoint.load import Loaded, load
from codex.checkpoint.rotate import Rotation, rotate
from codex.checkpoint.save import save

__all__ = [
    "Found",
    "Listing",
    "Loaded",
    "Rotation",
    "Skipped",
    "Summary",
    "find_latest",
    "list_checkpoints",
    "load",
    "rotate",
    "save",
    "summarize",
    "verify",
]
