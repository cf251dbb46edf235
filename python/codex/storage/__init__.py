"""Files wherever they lie: one asynchronous way to list, read and write them.

`open_connector` is the place to start. `Connector` is what every place is; `check_connector` is the conformance suite that holds
one to it, ours and those of installed packages alike.
"""

from __future__ import annotations

from codex.storage.conformance import check_connector
from codex.storage.connector import Connector, StoredFile, open_connector

__all__ = ["Connector", "StoredFile", "check_connector", "open_connector"]
