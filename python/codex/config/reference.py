"""Write what is generated from the schema: the reference page and `base.yaml`.

After a change of `schema.py` run `python -m codex.config.reference` at the top of the repository.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from codex.config.dump import dump_value, dump_yaml
from codex.config.keys import leaves, sections
from codex.config.schema import Config

__all__ = ["GENERATED", "render_base", "render_page"]


def render_page() -> str:
    """The reference page: one table per section."""
    return "\n".join(_page()) + "\n"


def render_base() -> str:
    """`base.yaml`: every key, its default, and its sentence above it."""
    opening = (
        "# The default run: what `codex train` does when no configuration is named. Every key is here.\n"
        "# Generated from `python/codex/config/schema.py` by `python -m codex.config.reference`.\n\n"
    )
    return opening + dump_yaml(Config(), comments=True)


GENERATED = {
    Path("docs/reference/config.md"): render_page,
    Path("configs/training/base.yaml"): render_base,
}


def _page() -> Iterator[str]:
    yield "# Configuration keys"
    yield ""
    yield "Generated from `python/codex/config/schema.py` by `python -m codex.config.reference`."
    yield "How a configuration is read: [config.md](../config.md)."
    for section, sentence in sections().items():
        yield from ("", f"## {section}", "", sentence, "", "| key | default | takes | |", "|---|---|---|---|")
        for leaf in leaves().values():
            if leaf.section == section:
                yield f"| `{leaf.key}` | `{dump_value(leaf.default)}` | {leaf.wanted} | {leaf.sentence} |"


if __name__ == "__main__":
    for path, render in GENERATED.items():
        path.write_text(render(), encoding="utf-8")
