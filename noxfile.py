"""The matrix: each session is a plain command in an environment of its own kind.

`tests`, `lint`, `types` and `coverage` run the Makefile's lines in its `.venv`; `core` has no extra installed, so every stage
without torch must pass there; `gpu` runs what a CUDA device alone can show.
"""

from __future__ import annotations

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "tests", "core"]


@nox.session
def tests(session: nox.Session) -> None:
    """All tests, with every extra installed."""
    session.run("make", "test", external=True)


@nox.session
def lint(session: nox.Session) -> None:
    """Formats, lints, layers, licences."""
    session.run("make", "check", external=True)


@nox.session
def types(session: nox.Session) -> None:
    """The type gate."""
    session.run("make", "types", external=True)


@nox.session
def coverage(session: nox.Session) -> None:
    """Python's floor is part of the tests; Rust's lines are reported."""
    session.run("make", "test", "coverage", external=True)


@nox.session
def docs(session: nox.Session) -> None:
    """Runs every command and example that the pages show."""
    session.run("make", ".venv/.core", ".venv/.dev", external=True)
    session.run(".venv/bin/pytest", "tests/docs", *session.posargs, external=True)


@nox.session(venv_backend="uv", python="3.11")
def core(session: nox.Session) -> None:
    """The core install, no extra: what needs one is skipped by its name."""
    session.install("--require-hashes", "-r", "requirements/core.txt")
    session.install("--no-deps", "--no-build-isolation", "--editable", ".")
    session.run("pytest", "-rs", *session.posargs)


@nox.session
def gpu(session: nox.Session) -> None:
    """What a CUDA device alone can show; says why it did nothing where there is none."""
    probe = "import torch, sys; sys.exit(0 if torch.cuda.is_available() else 3)"
    if session.run(".venv/bin/python", "-c", probe, external=True, success_codes=[0, 3], silent=True) is None:
        session.skip("`.venv` is missing: run `make test` first")
    import subprocess

    if subprocess.run([".venv/bin/python", "-c", probe], check=False).returncode:
        session.skip("torch sees no CUDA device")
    session.run(".venv/bin/pytest", "-m", "gpu", *session.posargs, external=True)
