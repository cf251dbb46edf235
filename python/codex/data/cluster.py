"""The shards of a corpus on the machines of a Ray cluster (extra `ray`).

The machines share the folders that are read from and written to, under the same names. A shard writes nothing but its units, each
whole or not at all, and whoever merges them makes what is missing: so a machine that is lost costs time, and never a byte.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codex.data.prepare import prepare_shard
from codex.data.progress import Progress, Silent
from codex.data.source import source_of
from codex.data.store import Place
from codex.data.units import cut_units
from codex.errors import CodexError, MachineError, UsageError

if TYPE_CHECKING:
    from codex.config.schema import Config

__all__ = ["prepare_on_ray"]

#: Shards for each processor: with more of them less is read again when a machine is lost, but each lists the corpus.
_SHARDS_A_PROCESSOR = 4
#: Machines that may be lost under one shard, one after the other.
_RETRIES = 10
_CONNECT_S = 10
_BEGIN = "`ray start --head` begins one and says its address; `ray start --address=HOST:PORT` joins it from another machine"
_AGAIN = "the same command again finds what the other shards have made"


def prepare_on_ray(config: Config, *, place: Place, progress: Progress | None = None) -> None:
    """Read all shards of the corpus on the cluster that `RAY_ADDRESS` names; `codex.data.prepare.prepare_until` then finds what
    they made.

    Raises:
        ModuleNotFoundError: if the extra `ray` is not installed.
        UsageError: if `RAY_ADDRESS` names none.
        MachineError: if the cluster cannot be reached, or too many of its machines are lost.
        CodexError: what a shard has met, as it would be met here.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing leaves the house
    import ray
    from ray.exceptions import RayError, RayTaskError

    address = _address()
    progress = progress or Silent()
    source = source_of(config.data, not_input=place.written())
    source.bring(place.cache, progress)
    _connect(ray, address)
    try:
        processors, machines = int(ray.cluster_resources()["CPU"]), sum(node["Alive"] for node in ray.nodes())
        count = max(1, min(len(cut_units(source.listing.files)), processors * _SHARDS_A_PROCESSOR))
        progress.say(f"ray: {count:,} shards on {machines:,} machines with {processors:,} processors")
        read = ray.remote(max_retries=_RETRIES)(_read_shard)
        waiting = [read.remote(config, number, count, place, Path.cwd()) for number in range(1, count + 1)]
        while waiting:
            progress.step("shards", count - len(waiting), count)
            done, waiting = ray.wait(waiting)
            ray.get(done)
        progress.step("shards", count, count)
    except RayTaskError as error:
        if isinstance(error.cause, CodexError):
            raise error.cause from None
        raise
    except RayError as error:
        raise MachineError(f"the cluster cannot go on: {_first_line(error)}", hint=_AGAIN) from error
    finally:
        ray.shutdown()


def _address() -> str:
    """Where the cluster is, after a look whether anybody is there: Ray itself asks for minutes."""
    address = os.environ.get("RAY_ADDRESS", "")
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise UsageError(f"RAY_ADDRESS is `{address}`, expected the HOST:PORT of a Ray cluster", hint=_BEGIN)
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_S).close()
    except (OSError, OverflowError) as error:
        raise MachineError(f"no Ray cluster at `{address}`: {_first_line(error)}", hint=_BEGIN) from error
    return address


def _connect(ray: Any, address: str) -> None:
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError, ValueError) as error:
        message = f"the Ray cluster at `{address}` cannot be used: {_first_line(error)}"
        raise MachineError(message, hint=_BEGIN) from error


def _read_shard(config: Config, number: int, count: int, place: Place, folder: Path) -> None:
    """One shard, on whatever machine: `folder` is what relative paths start from."""
    os.chdir(folder)
    prepare_shard(config, number, count, place=place, waits=True)


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
