"""The optional parts: which extra brings which module, and the line that installs it."""

from __future__ import annotations

from codex.errors import MissingExtraError

__all__ = ["EXTRAS", "missing_extra"]

EXTRAS: dict[str, tuple[str, ...]] = {
    "train": ("torch", "psutil", "jinja2"),
    "hf": ("transformers", "tokenizers", "peft"),
    "mlflow": ("mlflow", "sqlalchemy", "alembic"),
    "parquet": ("pyarrow",),
    "storage": ("fsspec", "s3fs"),
    "ray": ("ray",),
}
"""Extra -> the modules it brings. A test holds this to `pyproject.toml`."""


def missing_extra(module: str) -> MissingExtraError | None:
    """The error for a module that could not be imported, or None if no extra brings it.

    >>> print(missing_extra("torch").hint)
    pip install "codex-lm[train]"
    """
    top = module.partition(".")[0]
    for extra, modules in EXTRAS.items():
        if top in modules:
            return MissingExtraError(f"`{top}` is not installed", hint=f'pip install "codex-lm[{extra}]"')
    return None
