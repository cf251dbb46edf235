"""Which file a configuration is, and its bytes as text.

A name is a path, else a packaged configuration: `base` and `training/base` are both
`configs/training/base.yaml`; no two in different folders have one name.
"""

from __future__ import annotations

import difflib
import stat
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

from codex.config.faults import Fault, Origin, shown

__all__ = ["MAXIMUM_BYTES", "Found", "find", "missing", "packaged_names", "read_text"]

MAXIMUM_BYTES = 1024 * 1024

_PACKAGED_FOLDERS = ("models", "training")


@dataclass(frozen=True, slots=True)
class Found:
    """A configuration file, and what to call it in messages."""

    path: Path
    shown: str


def packaged_names() -> list[str]:
    """The configurations that come with codex, by the names `find` takes.

    >>> "training/base" in packaged_names()
    True
    """
    root = _packaged_root()
    return sorted(
        path.relative_to(root).as_posix().removesuffix(".yaml")
        for folder in _PACKAGED_FOLDERS
        for path in (root / folder).glob("*.yaml")
    )


def find(name: str | Path, *, beside: Path | None = None) -> Found | None:
    """The file that `name` means; None if there is none.

    Args:
        name: a path, else the name of a packaged configuration.
        beside: the folder a relative path starts from; default the working directory.
    """
    path = Path(name) if beside is None else beside / name
    kind = _look(path)
    if kind == "file":
        return Found(path, _shown(path))
    word = str(name).removesuffix(".yaml")
    for packaged in packaged_names():
        if word in (packaged, _short(packaged)):
            return Found(_packaged_root() / f"{packaged}.yaml", f"codex/configs/{packaged}.yaml")
    return Found(path, str(path)) if kind == "folder" else None


def missing(name: str | Path, origin: Origin) -> Fault:
    """The fault that no file is meant by `name`, with the nearest that is."""
    path = Path(name)
    beside = (
        [str(other) for other in sorted(path.parent.glob("*.y*ml"))] if _look(path.parent) == "folder" else []
    )
    short = [_short(packaged) for packaged in packaged_names()]
    near = difflib.get_close_matches(str(name), [*beside, *packaged_names(), *short], n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"packaged configurations: {', '.join(packaged_names())}"
    return Fault(f"no configuration file {shown(str(name))}", origin, hint=hint)


def read_text(found: Found, origin: Origin, faults: list[Fault]) -> str | None:
    """The text of a file of at most 1 MiB of UTF-8; None, and a fault, if it is not that.

    Args:
        found: the file.
        origin: where the file was named.
        faults: a fault is appended here.
    """
    try:
        with found.path.open("rb") as file:
            data = file.read(MAXIMUM_BYTES + 1)
    except IsADirectoryError:
        faults.append(Fault(f"{shown(found.shown)} is a folder, expected a file", origin))
        return None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        faults.append(Fault(f"{shown(found.shown)} cannot be read: {reason}", origin))
        return None
    if len(data) > MAXIMUM_BYTES:
        faults.append(Fault(f"{shown(found.shown)} is larger than 1 MiB, expected a configuration", origin))
        return None
    return _decode(data, found.shown, faults)


def _shown(path: Path) -> str:
    """A packaged file by its place in the package, wherever that is installed."""
    root = _packaged_root().resolve()
    resolved = path.resolve()
    if resolved.is_relative_to(root):
        return f"codex/configs/{resolved.relative_to(root).as_posix()}"
    return str(path)


def _short(packaged: str) -> str:
    return packaged.rpartition("/")[2]


def _decode(data: bytes, name: str, faults: list[Fault]) -> str | None:
    start = Origin(name, 1, 1)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:64]:
        faults.append(Fault("this file is UTF-16 or UTF-32, expected UTF-8", start, hint="save it as UTF-8"))
        return None
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        lines = data[: error.start].decode("utf-8").split("\n")
        place = Origin(name, len(lines), len(lines[-1]) + 1)
        message = f"not UTF-8: byte 0x{data[error.start]:02x}"
        faults.append(Fault(message, place, hint="save the file as UTF-8"))
        return None


def _look(path: Path) -> Literal["nothing", "folder", "file"]:
    try:
        return "folder" if stat.S_ISDIR(path.stat().st_mode) else "file"
    except PermissionError:
        return "file"  # opening it will say why not
    except (OSError, ValueError):  # it is missing, or no file can have that name
        return "nothing"


def _packaged_root() -> Path:
    return Path(str(files("codex"))) / "configs"
