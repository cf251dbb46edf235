"""`codex config`: what a run would be made of and why, whether a file is valid, the schema for editors."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from codex.cli.command import Commands, ConfigName, Overrides
from codex.cli.output import Output
from codex.config import config_error, dump_yaml, examine, explain, json_schema, load

__all__ = ["commands"]

commands = Commands("Show, check and describe configurations.")


@commands.command()
def show(
    out: Output,
    config: ConfigName = None,
    overrides: Overrides = None,
    key: Annotated[
        str | None,
        typer.Option("--explain", metavar="KEY", help="Say all about one key, or the keys of one section."),
    ] = None,
    comments: Annotated[
        bool, typer.Option("--comments", help="Write the sentence of each key above it.")
    ] = False,
) -> None:
    """Print the resolved configuration as YAML: every key, after includes, defaults and overrides.

    The output is a configuration itself, with the same digest.
    """
    loaded = load(config, overrides or ())
    if key is not None:
        known = explain(loaded, key)
        facts = [
            {
                "key": each.key,
                "value": each.value,
                "default": each.default,
                "origin": str(each.origin),
                "takes": each.wanted,
                "sentence": each.sentence,
            }
            for each in known
        ]
        out.result("config.explain", {"keys": facts}, text="\n\n".join(map(str, known)))
        return
    out.say(f"{loaded.source}: {loaded.config.digest}")
    shown = {
        "source": loaded.source,
        "digest": loaded.config.digest,
        "config": loaded.config.model_dump(mode="json"),
        "origins": {key: str(origin) for key, origin in loaded.origins.items()},
    }
    out.result("config.show", shown, text=dump_yaml(loaded.config, comments=comments).rstrip("\n"))


@commands.command()
def validate(
    out: Output,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A file, or the name of a packaged one.")],
    overrides: Overrides = None,
) -> None:
    """Check a configuration: exit 0 if a run can be made of it, else 2 with everything that is wrong."""
    loaded, faults = examine(file, overrides or ())
    listed = [
        {
            "message": fault.message,
            "key": fault.key,
            "hint": fault.hint,
            "file": fault.origin.source or None,
            "line": fault.origin.line or None,
            "column": fault.origin.column or None,
        }
        for fault in faults
    ]
    digest = None if loaded is None else loaded.config.digest
    facts = {"file": file, "is_valid": loaded is not None, "digest": digest, "faults": listed}
    out.result("config.validate", facts, text=[] if loaded is None else f"{file} is valid: {digest}")
    if loaded is None:
        raise config_error(faults)


@commands.command()
def schema(out: Output) -> None:
    """Print the JSON schema of a configuration file, for completion and checks in an editor."""
    found = json_schema()
    out.result("config.schema", {"schema": found}, text=json.dumps(found, indent=2))
