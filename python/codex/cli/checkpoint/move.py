"""`codex checkpoint export|import|merge`: to the files of other tools and from them, and an adapter into its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codex.checkpoint.adapter import merge_adapter
from codex.checkpoint.export import export as write_export
from codex.checkpoint.import_folder import import_folder
from codex.cli.checkpoint.place import One, commands, find_one, size
from codex.cli.output import Output

__all__ = ["export", "import_", "merge"]


@commands.command()
def export(
    out: Output,
    path: One,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="KIND",
            help="`hf`, a folder for transformers, `safetensors`, one file, or `peft`, an adapter.",
        ),
    ],
    folder: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder to make.")],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace DIR, if it is an earlier export.")
    ] = False,
) -> None:
    """Write the model of a checkpoint for other tools; every byte is verified on the way.

    `hf` is what `AutoModelForCausalLM.from_pretrained` and `AutoTokenizer` open: config, weights, tokenizer.
    `peft` is what `PeftModel.from_pretrained` opens: an adapter, without the weights it was learned on.
    """
    made = write_export(
        find_one(out, path),
        folder,
        to=to,
        overwrite=overwrite,
        progress=lambda done, total: out.step("export", done, total),
    )
    text = f"{made.path}: {made.tensors} tensors, {size(made.bytes)} in {', '.join(made.files)}"
    out.result("checkpoint_export", {**vars(made), "to": to}, text=text)


@commands.command("import")
def import_(
    out: Output,
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="A Llama, Qwen3 or GPT-2 as `save_pretrained` writes it.")
    ],
    to: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="The folder of checkpoints to make it in.")
    ],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace `step-00000000` in DIR.")] = False,
) -> None:
    """Make a checkpoint of a Hugging Face folder: config.json, safetensors and tokenizer.json.

    What a codex model cannot express is refused by name, and so is a pickle. `codex generate --from DIR` opens the result.
    """
    made = import_folder(
        folder,
        to,
        overwrite=overwrite,
        progress=lambda done, total: out.step("import", done, total),
    )
    if made.unread:
        out.say(f"nothing was taken from {', '.join(made.unread)}")
    text = f"{made.path}: {made.tensors} tensors, from {', '.join(sorted(made.sources))}"
    out.result("checkpoint_import", vars(made), text=text)


@commands.command()
def merge(
    out: Output,
    path: One,
    to: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="The folder of checkpoints to make it in.")
    ],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace that step in DIR.")] = False,
) -> None:
    """Make a checkpoint of a whole model from an adapter and the weights it was learned on."""
    adapter = find_one(out, path)
    made = merge_adapter(adapter, to, overwrite=overwrite)
    out.result(
        "checkpoint_merge", {"path": made, "adapter": adapter}, text=f"{made}: {adapter} and its weights"
    )
