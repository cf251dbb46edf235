"""The operations worth a special kernel: one folder each, with the fast path beside a reference a student can read.

`dispatch` is the only door: models call `dispatch.attend` and `dispatch.summed_losses` and never a kernel by name.
"""

from __future__ import annotations

__all__: list[str] = []
