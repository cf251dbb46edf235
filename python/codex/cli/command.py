"""How a command is declared: a function that takes an `Output` first, and typer does the rest.

`Commands` is the type to start from. It gives every command `--json`, `--quiet` and `--debug`, takes its help
from the docstring's part before `Args:`, and lets a command that declares `overrides: Overrides` take `key=value`;
`overrides_or` lets it take other words beside them.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Concatenate, ParamSpec

import typer
from typer.core import TyperCommand, TyperGroup

from codex.cli.output import Output
from codex.errors import UsageError

__all__ = ["Commands", "ConfigName", "Group", "Overrides", "nearest", "overrides_or"]

P = ParamSpec("P")
# Where a docstring turns from the user to the caller.
_SECTIONS = ("Args:", "Returns:", "Raises:", "Source:", ">>>")


def nearest(word: str, words: Iterable[str]) -> str | None:
    """A hint that names the likeliest of `words`, or None if none is like `word`.

    >>> nearest("trian", ["train", "data"])
    'did you mean `train`?'
    """
    near = difflib.get_close_matches(word, list(words), n=1)
    return f"did you mean `{near[0]}`?" if near else None


def _checked(context: typer.Context, tokens: list[str] | None) -> list[str]:
    """Let overrides through to the configuration, and stop the options that are neither a key nor ours."""
    for token in tokens or ():
        name, equals, _ = token.partition("=")
        if not name.startswith("-"):
            continue
        if "." not in name or not name.startswith("--"):
            options = [option for parameter in context.command.params for option in parameter.opts]
            raise UsageError(
                f"no option `{name}` in `{context.command_path}`",
                hint=nearest(name, options) or f"`{context.command_path} --help` lists them",
            )
        if not equals:
            raise UsageError(f"`{token}` has no value", hint=f"write it as one word: `{token}=VALUE`")
    return list(tokens or ())


_KEY_VALUE = "KEY=VALUE"


def overrides_or(place: str | None = None, about: str = "") -> Any:
    """The argument that takes `key=value` tokens, and with `place` other words too, which `about` describes."""
    key = "Set a key of the configuration: `train.max_steps=50`, with `--` or `+` before it if you like."
    return typer.Argument(
        metavar=_KEY_VALUE if place is None else f"{place}|{_KEY_VALUE}",
        help=key if place is None else f"{about}. {key}",
        callback=_checked,
        show_default=False,
    )


Overrides = Annotated[list[str] | None, overrides_or()]
"""`key=value` tokens, ready for `codex.config.load(config, overrides or ())`."""

ConfigName = Annotated[
    str | None,
    typer.Option(
        "--config", metavar="FILE", help="A file, or the name of a packaged one.", show_default="base"
    ),
]
"""`--config`, ready for `codex.config.load`; None is the packaged `base`."""

_SHARED = {
    "json": Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")],
    "quiet": Annotated[bool, typer.Option("--quiet", "-q", help="No talk and no progress on stderr.")],
    "debug": Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")],
}


class _Command(TyperCommand):
    """A command that does not import pydantic to learn that `--help` was not given."""

    def get_help_option(self, ctx: Any) -> Any:
        """As typer's, with the default it means: it has None, which it would send through pydantic."""
        return _with_default(super().get_help_option(ctx))

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """As typer's, but an argument is told by its name: its Python type says nothing to a person."""
        for title, kind in (("Arguments", "argument"), ("Options", "option")):
            parameters = [one for one in self.get_params(ctx) if one.param_type_name == kind]
            rows = [record for one in parameters if (record := one.get_help_record(ctx))]
            if kind == "argument":
                rows = [(name.partition(" <")[0], text) for name, text in rows]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


class Group(TyperGroup):
    """A group of commands that names the likeliest one when asked for one it does not have."""

    def get_help_option(self, ctx: Any) -> Any:
        """As that of a command."""
        return _with_default(super().get_help_option(ctx))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As typer's, with the error in our words."""
        names = self.list_commands(ctx)
        if args[0] not in names:
            raise UsageError(
                f"no command `{args[0]}` in `{ctx.command_path}`",
                hint=nearest(args[0], names) or f"one of {', '.join(f'`{name}`' for name in names)}",
            )
        return super().resolve_command(ctx, args)


def _with_default(option: Any) -> Any:
    if option is not None:
        option.default = False
    return option


class Commands:
    """The commands of one file.

    Args:
        summary: what the group is for, in one line; None for a file with a single command.
    """

    def __init__(self, summary: str | None = None) -> None:
        self.typer = typer.Typer(
            cls=Group,
            help=summary,
            add_completion=False,
            pretty_exceptions_enable=False,
            rich_markup_mode=None,
        )
        if summary is not None:
            self.typer.callback()(lambda: None)  # a group stays one, even with a single command in it

    def command(
        self, name: str | None = None
    ) -> Callable[[Callable[Concatenate[Output, P], None]], Callable[Concatenate[Output, P], None]]:
        """Register a function; its own name is the command's unless `name` says otherwise."""

        def register(
            function: Callable[Concatenate[Output, P], None],
        ) -> Callable[Concatenate[Output, P], None]:
            parameters = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
            takes_overrides = any(_takes_overrides(parameter) for parameter in parameters)
            self.typer.command(
                name or function.__name__.rstrip("_").replace("_", "-"),
                cls=_Command,
                help=_help(function),
                context_settings={"ignore_unknown_options": True} if takes_overrides else None,
            )(_speaking(function, parameters))
            return function

        return register


def _takes_overrides(parameter: inspect.Parameter) -> bool:
    declared = [
        info for info in getattr(parameter.annotation, "__metadata__", ()) if hasattr(info, "metavar")
    ]
    return any((info.metavar or "").endswith(_KEY_VALUE) for info in declared)


def _speaking(function: Callable[..., None], parameters: list[inspect.Parameter]) -> Callable[..., None]:
    """`function` with the shared options in the place of its `Output`."""

    def run(*, json: bool, quiet: bool, debug: bool, **arguments: Any) -> None:
        with Output(json=json, quiet=quiet) as out:
            function(out, **arguments)

    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=annotation)
        for name, annotation in _SHARED.items()
    ]
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters] + shared
    )
    run.__annotations__ = {}
    return run


def _help(function: Callable[..., None]) -> str:
    lines = inspect.cleandoc(function.__doc__ or "").splitlines()
    ends = [number for number, line in enumerate(lines) if line.startswith(_SECTIONS)]
    return "\n".join(lines[: min(ends, default=len(lines))]).strip()
