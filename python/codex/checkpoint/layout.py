"""What a checkpoint is made of: three tensor files, the state, and the dtypes that safetensors can name."""

from __future__ import annotations

import functools
from collections.abc import Collection
from typing import TYPE_CHECKING

from codex.errors import MissingExtraError

if TYPE_CHECKING:
    import torch

__all__ = [
    "ADAPTER_CONFIG_FILE",
    "ADAPTER_FILE",
    "MODEL_FILE",
    "OPTIMIZER_FILE",
    "SCHEMA_VERSION",
    "STATE_FILE",
    "STATE_TENSORS_FILE",
    "dtypes",
    "model_file",
]

MODEL_FILE = "model.safetensors"
OPTIMIZER_FILE = "optimizer.safetensors"
STATE_TENSORS_FILE = "state.safetensors"
STATE_FILE = "state.json"

#: As peft has them.
ADAPTER_FILE = "adapter_model.safetensors"
ADAPTER_CONFIG_FILE = "adapter_config.json"

#: The newest `state.json` this version reads, and the one it writes.
SCHEMA_VERSION = 2


def model_file(files: Collection[str]) -> str:
    """Where the weights of a checkpoint lie, which has `files`: those of an adapter lie where peft looks for them.

    >>> model_file(["config.json"]), model_file(["adapter_config.json"])
    ('model.safetensors', 'adapter_model.safetensors')
    """
    return ADAPTER_FILE if ADAPTER_CONFIG_FILE in files else MODEL_FILE


@functools.cache
def dtypes() -> dict[str, torch.dtype]:
    """The dtypes that can be stored, by their name in safetensors.

    Raises:
        MissingExtraError: if torch is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("`torch` is not installed", hint='pip install "codex-lm[train]"') from error
    return {
        "BOOL": torch.bool,
        "U8": torch.uint8,
        "I8": torch.int8,
        "F8_E4M3": torch.float8_e4m3fn,
        "F8_E5M2": torch.float8_e5m2,
        "U16": torch.uint16,
        "I16": torch.int16,
        "F16": torch.float16,
        "BF16": torch.bfloat16,
        "U32": torch.uint32,
        "I32": torch.int32,
        "F32": torch.float32,
        "U64": torch.uint64,
        "I64": torch.int64,
        "F64": torch.float64,
    }
