"""A model folder as `save_pretrained` of transformers writes it, read once: into what is wanted, and into digests.

Links are followed, as they lie in the cache of the Hub; a name that leaves the folder is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np

from codex.checkpoint.layout import MODEL_FILE
from codex.checkpoint.pickled import is_pickled, refuse_pickled
from codex.errors import DamageError, DataError, MissingDataError
from codex.file import TensorLayout, digest_bytes, safetensors_layout

__all__ = ["ModelFolder"]

_Bytes: TypeAlias = "np.ndarray[Any, np.dtype[np.uint8]]"
_INDEX_FILE = f"{MODEL_FILE}.index.json"


class ModelFolder:
    """The files of one model.

    Args:
        path: the folder.
    Raises:
        MissingDataError: if it is not there, or holds no safetensors.
        DataError: if it is no folder, or its weights are pickles.
        DamageError: naming the file, or the tensor, that is not what the index or the header says.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        #: `sha256:...` of every file read, by its name.
        self.digests: dict[str, str] = {}
        if not path.is_dir():
            refuse_pickled(path)
            if path.exists():
                raise DataError(f"`{path}` is a file, expected the folder of a model")
            raise MissingDataError(f"no folder is at `{path}`")
        #: Tensor file -> its tensors in the order of their bytes, and where they start.
        self.layouts: dict[str, tuple[list[TensorLayout], int]] = {}
        for file in self._tensor_files():
            tensors, _, data_start = safetensors_layout(path / file)
            self.layouts[file] = sorted(tensors, key=lambda tensor: tensor.start), data_start
        if _INDEX_FILE in self.digests:
            self._check_index()

    @property
    def unread(self) -> list[str]:
        """Names in the folder that nothing was taken from."""
        return sorted(each.name for each in self.path.iterdir() if each.name not in self.digests)

    @property
    def tensor_bytes(self) -> int:
        """Of all tensors together."""
        return sum(tensor.end - tensor.start for tensors, _ in self.layouts.values() for tensor in tensors)

    def read(self, name: str) -> bytes:
        """The content of a small file.

        Raises:
            MissingDataError: if there is none of this name.
        """
        if not (self.path / name).is_file():
            raise MissingDataError(f"`{self.path}` holds no `{name}`")
        data = (self.path / name).read_bytes()
        self.digests[name] = digest_bytes(data)
        return data

    def read_object(self, name: str) -> dict[str, Any]:
        """The JSON object in the file `name`."""
        data = self.read(name)
        try:
            value = json.loads(data)
        except ValueError as error:
            raise DamageError(f"`{self.path / name}` is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise DamageError(f"`{self.path / name}` is not a JSON object")
        return value

    def tensors(self) -> Iterator[tuple[TensorLayout, _Bytes]]:
        """Every tensor and its bytes; a file's digest is complete once its last tensor has been taken."""
        for name, (tensors, data_start) in self.layouts.items():
            hasher = hashlib.sha256()
            with (self.path / name).open("rb", buffering=0) as file:
                hasher.update(self._exactly(file, data_start).data)
                for tensor in tensors:
                    data = self._exactly(file, tensor.end - tensor.start)
                    hasher.update(data.data)
                    yield tensor, data
            self.digests[name] = f"sha256:{hasher.hexdigest()}"

    def _exactly(self, file: BinaryIO, size: int) -> _Bytes:
        data = np.empty(size, np.uint8)
        filled = 0
        while filled < size:
            count = file.readinto(data[filled:].data)  # type: ignore[attr-defined]
            if not count:
                raise DamageError(f"`{file.name}` ends early")
            filled += count
        return data

    def _tensor_files(self) -> list[str]:
        """The one file, else those that the index names."""
        if (self.path / MODEL_FILE).is_file():
            return [MODEL_FILE]
        if (self.path / _INDEX_FILE).is_file():
            self._places = self._weight_map()
            return sorted(set(self._places.values()))
        for file in sorted(self.path.iterdir()):
            if is_pickled(file):
                refuse_pickled(file)
        raise MissingDataError(f"`{self.path}` holds neither `{MODEL_FILE}` nor `{_INDEX_FILE}`")

    def _weight_map(self) -> dict[str, str]:
        places = self.read_object(_INDEX_FILE).get("weight_map")
        if not isinstance(places, dict):
            raise DamageError(f"`weight_map` is not an object (`{self.path / _INDEX_FILE}`)")
        for name, file in places.items():
            if not isinstance(file, str) or Path(file).name != file or not file.endswith(".safetensors"):
                raise DataError(
                    f"tensor `{name}` is said to lie in `{file}`, expected a safetensors file beside its index"
                    f" (`{self.path / _INDEX_FILE}`)"
                )
        return places

    def _check_index(self) -> None:
        found = {tensor.name: file for file, (tensors, _) in self.layouts.items() for tensor in tensors}
        if found != self._places:
            name, _ = min(found.items() ^ self._places.items())
            raise DamageError(f"tensor `{name}` is not where `{self.path / _INDEX_FILE}` says")
