"""`codex infer`: continue texts, and keep what was made with a manifest.

artifacts/infer/0001/  continuations.ndjson   one row for each text: prompt, text, tokens, is_ended, seed
                       manifest.json          its digest, the checkpoint's, and how the tokens were chosen
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from codex.cli.command import Commands, ConfigName, Overrides
from codex.cli.generate import From, Seed, newest_run
from codex.cli.output import Output
from codex.config import load
from codex.errors import MissingDataError, UsageError
from codex.file import PartialFolder, digest_bytes, read_manifest, sweep_partial, write_manifest

__all__ = ["commands"]

commands = Commands()

ROWS_FILE = "continuations.ndjson"


@commands.command()
def infer(
    out: Output,
    prompts: Annotated[
        list[str] | None,
        typer.Option(
            "--prompt", metavar="TEXT", help="A text to continue; may be given often.", show_default=False
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--prompts", metavar="FILE", help="A file of texts, one in each line.", show_default=False
        ),
    ] = None,
    to: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where results are kept.")] = Path(
        "artifacts/infer"
    ),
    from_: From = None,
    config: ConfigName = None,
    seed: Seed = None,
    overrides: Overrides = None,
) -> None:
    """Continue texts, and keep what was made with a manifest.

    Each call writes a new numbered folder: one row for each text, and a manifest that binds it to the checkpoint. Text
    number n is continued with the seed plus n.
    """
    loaded = load(config, [*(overrides or ()), *([] if seed is None else [f"run.seed={seed}"])])
    texts = [*(prompts or ()), *(_lines(file) if file is not None else ())]
    if not texts:
        raise UsageError(
            "no text to continue", hint='`--prompt "def "`, or `--prompts FILE` with one in each line'
        )
    path = newest_run(loaded) if from_ is None else from_

    from codex.generate import LanguageModel

    model, checkpoint, state = LanguageModel.open(path)
    out.say(f"checkpoint {checkpoint}")
    settings, first_seed = loaded.config.generate, loaded.config.run.seed
    rows: list[dict[str, Any]] = []
    for number, text in enumerate(texts):
        made = model.continue_text(text, settings, seed=first_seed + number)
        rows.append(
            {
                "prompt": made.prompt,
                "text": made.text,
                "tokens": made.tokens,
                "is_ended": made.is_ended,
                "seed": first_seed + number,
            }
        )
        out.step("infer", number + 1, len(texts))
    folder = _keep(to, rows, checkpoint, settings.model_dump(mode="json", exclude={"prompt"}))
    facts = {"folder": folder, "checkpoint": checkpoint, "step": state["step"], "rows": rows}
    out.result("infer", facts, text=[row["prompt"] + row["text"] for row in rows] + [f"kept in {folder}"])


def _lines(path: Path) -> Iterator[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise MissingDataError(f"prompts `{path}` cannot be read: {reason}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"prompts `{path}` are not UTF-8: byte {error.start}") from None
    return (line for line in text.split("\n") if line)


def _keep(where: Path, rows: list[dict[str, Any]], checkpoint: Path, settings: dict[str, Any]) -> Path:
    """Write a new numbered folder, whole or not at all."""
    where.mkdir(parents=True, exist_ok=True)
    sweep_partial(where)
    numbers = [int(path.name) for path in where.iterdir() if path.name.isdigit()]
    folder = where / f"{max(numbers, default=0) + 1:04}"
    data = "".join(json.dumps(row, sort_keys=True) + "\n" for row in rows).encode()
    digest = digest_bytes(data, "sha256")
    with PartialFolder(folder) as partial:
        partial.write(ROWS_FILE, data)
        write_manifest(
            partial.path,
            {
                "kind": "infer",
                "schema_version": 1,
                "parents": [{"kind": "checkpoint", "digest": read_manifest(checkpoint)["digest"]}],
                "parameters": settings,
                "files": [{"path": ROWS_FILE, "bytes": len(data), "digest": digest}],
                "counts": {"texts": len(rows)},
                "skipped": [],
            },
        )
    return folder
