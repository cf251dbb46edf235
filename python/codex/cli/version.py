"""`codex version`: what is installed."""

from __future__ import annotations

import itertools
import platform
from importlib import metadata

from codex.cli.command import Commands
from codex.cli.extras import EXTRAS
from codex.cli.output import Output

__all__ = ["commands"]

commands = Commands()


@commands.command()
def version(out: Output) -> None:
    """Print the version of codex and of what it stands on."""
    from codex import _core

    names = ["numpy", "pydantic", "PyYAML", "typer", *itertools.chain(*EXTRAS.values())]
    packages = {name: _installed(name) for name in names}
    facts = {
        "codex": _core.version(),
        "commit": _core.build_commit() or None,
        "python": platform.python_version(),
        "platform": platform.platform(),
    }
    lines = [f"{name} {found or 'absent'}" for name, found in {**facts, **packages}.items()]
    out.result("version", {**facts, "packages": packages}, text=lines)


def _installed(name: str) -> str | None:
    """The version in the package's metadata, so that nothing heavy is imported to ask for it."""
    try:
        return metadata.version("mlflow-skinny" if name == "mlflow" else name)
    except metadata.PackageNotFoundError:
        return None
