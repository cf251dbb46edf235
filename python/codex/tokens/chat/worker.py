"""The process in which chat templates run: a line of JSON in, a line out. It imports nothing of codex.

`process.py` starts it, and ends it when an answer takes too long. What a template may do is fenced twice: Jinja's sandbox
keeps it from Python's objects, the limits set here keep it from the machine.
"""

from __future__ import annotations

import json
import resource
import sys
from datetime import datetime
from functools import lru_cache
from typing import Any

from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

MEMORY_BYTES = 512 << 20
TEXT_CHARACTERS = 1 << 24


class Generation(Extension):
    """`{% generation %}...{% endgeneration %}`: what stands in it is what the model is to learn, as in transformers."""

    tags = {"generation"}  # noqa: RUF012  (Jinja's name and type)

    def parse(self, parser: Any) -> nodes.Node:
        """As a call of `_learned` with the block as its caller."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("_learned"), [], [], body).set_lineno(line)

    def _learned(self, caller: Any) -> str:
        text: str = caller()
        recorder: Recorder = self.environment.recorder  # type: ignore[attr-defined]
        recorder.spans.append((recorder.length, recorder.length + len(text)))
        return text


class Recorder:
    """How much text there is so far, and which of it was in a `generation` block."""

    def __init__(self) -> None:
        self.length = 0
        self.spans: list[tuple[int, int]] = []


class Refused(Exception):
    """A template said so itself, or wrote too much."""


def environment() -> Any:
    """Jinja as chat templates expect it: the sandbox, blocks trimmed, `break` and `continue`, plain `tojson`."""
    made = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
    )
    made.filters["tojson"] = _to_json
    made.globals["raise_exception"] = _raise_exception
    return made


def _to_json(value: Any, ensure_ascii: bool = False, indent: int | None = None, **options: Any) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, **options)


def _raise_exception(message: Any) -> None:
    raise Refused(str(message))


@lru_cache(maxsize=8)
def compiled(source: str) -> tuple[Any, Any]:
    """The environment and the template in it."""
    made = environment()
    return made, made.from_string(source)


def render(source: str, variables: dict[str, Any]) -> tuple[str, list[tuple[int, int]]]:
    """The text of a template and the spans of its `generation` blocks."""
    made, template = compiled(source)
    made.recorder = recorder = Recorder()
    now = variables.pop("now", None)
    if now is not None:
        variables["strftime_now"] = datetime.fromisoformat(now).strftime
    pieces = []
    for piece in template.generate(**variables):
        pieces.append(piece)
        recorder.length += len(piece)
        if recorder.length > TEXT_CHARACTERS:
            raise Refused(f"more than {TEXT_CHARACTERS:,} characters of text")
    return "".join(pieces), recorder.spans


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """All renderings of one request, or why there are none: one that fails, and may, is null."""
    texts: list[str | None] = []
    spans: list[tuple[int, int]] = []
    for place, (changes, may_fail) in enumerate(request["renderings"]):
        try:
            text, found = render(request["template"], {**request["variables"], **changes})
        except MemoryError:
            return {"error": f"more than {MEMORY_BYTES >> 20} MB of memory"}
        except RecursionError:
            return {"error": "it calls itself too deeply"}
        except Exception as error:  # the program of a stranger may fail in any way
            if not may_fail:
                return {"error": _explained(error)}
            texts.append(None)
            continue
        texts.append(text)
        if place == 0:
            spans = found
    return {"texts": texts, "generated": spans}


def _explained(error: Exception) -> str:
    line = getattr(error, "lineno", None)
    where = f" (line {line})" if line else ""
    return f"{' '.join(str(error).split()) or type(error).__name__}{where}"


def main() -> None:
    """Answer until the input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin.buffer:
        reply = json.dumps(answer(json.loads(line)))
        sys.stdout.buffer.write(reply.encode("ascii") + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
