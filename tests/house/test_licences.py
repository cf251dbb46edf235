"""What `pip install "codex-lm[all]"` brings is under licences that a company may ship."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALLOWED = {
    "0BSD", "Apache", "Apache 2.0", "Apache 2.0 License", "Apache License 2.0", "Apache License, Version 2.0",
    "Apache Software License", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD", "BSD License",
    "BSD 3-Clause License", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0",
    "3-Clause BSD License", "CC0-1.0", "CNRI-Python", "HPND", "ISC", "ISC License", "ISC License (ISCL)",
    "MIT", "MIT License", "MIT-0", "MPL-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)", "PSF-2.0", "Python Software Foundation License", "Python-2.0", "Unlicense", "Zlib",
}  # fmt: skip
# CUDA's libraries: proprietary, brought by torch's Linux wheel, never by ours, and only with the extra `train`.
CUDA = re.compile(r"^(nvidia|cuda)-")


def needed_by(name: str, extras: set[str], seen: dict[str, metadata.Distribution]) -> None:
    """Collects what `name` installs, through every requirement whose marker may hold here."""
    from packaging.requirements import Requirement

    found = metadata.distribution(name)
    seen[name] = found
    for line in found.requires or []:
        wanted = Requirement(line)
        holds = [wanted.marker is None or wanted.marker.evaluate({"extra": extra}) for extra in extras | {""}]
        if any(holds) and wanted.name.lower() not in seen:
            needed_by(wanted.name.lower(), set(wanted.extras), seen)


def licences_of(found: metadata.Distribution) -> set[str]:
    """The SPDX names of an expression, else the classifiers, else the field, as an expression too."""
    if expression := found.metadata.get("License-Expression"):
        return _names(expression)
    classified = [item for item in found.metadata.get_all("Classifier", []) if item.startswith("License ::")]
    names = {item.split(" :: ")[-1] for item in classified} - {"OSI Approved"}
    return names or _names((found.metadata.get("License") or "none stated").splitlines()[0])


def _names(expression: str) -> set[str]:
    return {word.strip(" ()") for word in re.split(r" AND | OR |;", expression)}


def test_everything_an_install_brings_may_be_shipped() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = project["dependencies"] + [
        line for group in project["optional-dependencies"].values() for line in group
    ]
    seen: dict[str, metadata.Distribution] = {}
    for line in lines:
        name = re.split(r"[\[<>=]", line)[0].lower()
        if name != "codex-lm":
            try:
                needed_by(name, set(), seen)
            except metadata.PackageNotFoundError as missing:
                pytest.skip(f"needs the extras `train` and `mlflow`: {missing}")
    refused = {
        name: licences_of(found) - ALLOWED
        for name, found in seen.items()
        if not CUDA.match(name) and licences_of(found) - ALLOWED
    }
    assert len(seen) > 30
    assert refused == {}
