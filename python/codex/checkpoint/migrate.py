"""A state of any version so far to one of this version.

Version 1 had one measurement, `held_out_bits_per_byte`, beside the step; version 2 has `metrics`, any number of
them by name.
"""

from __future__ import annotations

import json
from typing import Any

from codex.checkpoint.layout import SCHEMA_VERSION
from codex.errors import DamageError

__all__ = ["read_state"]


def read_state(text: bytes, path: str) -> dict[str, Any]:
    """The state in `text`, as this version would have saved it, without its version.

    Raises:
        DamageError: naming `path`, if it is no state or a newer one than this version reads.

    >>> read_state(b'{"schema_version": 1, "step": 7, "held_out_bits_per_byte": 2.5}', "state.json")
    {'step': 7, 'metrics': {'held_out_bits_per_byte': 2.5}}
    """
    try:
        state = json.loads(text)
    except ValueError as error:
        raise DamageError(f"`{path}`: is not JSON: {error}") from None
    version = state.pop("schema_version", None) if isinstance(state, dict) else None
    if type(version) is not int or version < 1:
        raise DamageError(f"`{path}`: `schema_version` is {version!r}, expected 1 to {SCHEMA_VERSION}")
    if version > SCHEMA_VERSION:
        raise DamageError(
            f"`{path}`: has schema version {version}, expected at most {SCHEMA_VERSION}",
            hint="a newer codex wrote it: upgrade to read it",
        )
    if version < 2:
        held_out = state.pop("held_out_bits_per_byte", None)
        state["metrics"] = {} if held_out is None else {"held_out_bits_per_byte": held_out}
    return dict(state)
