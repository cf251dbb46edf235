"""A chat template: messages to text, and which part of the text came from which message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from codex.errors import DataError
from codex.tokens.chat.process import ask

__all__ = ["ChatTemplate", "Message", "RenderedChat", "RoleSpan"]

#: `role`, `content`, and whatever else the template asks for.
Message: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RoleSpan:
    """Characters `start` to `end` of the text are what `role` said in message number `message`.

    The header that announces the role is in no span if the template writes it as its generation prompt; what ends the message
    is in the span: that a model should stop is something to learn.
    """

    role: str
    message: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RenderedChat:
    """The text of a conversation, and who said what in it."""

    text: str
    spans: tuple[RoleSpan, ...] | None
    """One for each message; None if the template writes a message otherwise when others follow it."""
    generated: tuple[tuple[int, int], ...]
    """What stands in the template's own `{% generation %}` blocks."""


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """A Jinja template as `tokenizer_config.json` and `chat_template.jinja` hold them.

    Args:
        source: the template.
        tokens: what it finds under names such as `bos_token`.

    >>> template = ChatTemplate("{% for m in messages %}<{{ m.role }}>{{ m.content }}\\n{% endfor %}")
    >>> template.render([{"role": "user", "content": "hello"}]).text
    '<user>hello\\n'
    """

    source: str
    tokens: Mapping[str, str] | None = None

    def render(
        self,
        messages: Sequence[Message],
        *,
        add_generation_prompt: bool = False,
        now: datetime | None = None,
        **variables: Any,
    ) -> RenderedChat:
        """The text of a conversation.

        Args:
            add_generation_prompt: end with what announces the model's answer.
            now: the time for a template that asks for it; without, the text is a function of the messages alone.
            variables: what else the template asks for, such as `tools`; plain values.
        Raises:
            DataError: if a message has no role.
            DamageError: if the template fails, or takes too much time or memory.
            MissingExtraError: if Jinja is not installed.
        """
        messages = [dict(message) for message in messages]
        for number, message in enumerate(messages):
            if not isinstance(message.get("role"), str):
                raise DataError(f"message {number} has no `role`, expected a string")
        # Before and after each message; before one the template announces its role.
        prefixes = [
            ({"messages": messages[:end], "add_generation_prompt": prompt}, True)
            for end in range(len(messages))
            for prompt in (False, True)
        ]
        whole = ({"messages": messages, "add_generation_prompt": add_generation_prompt}, False)
        named = {"now": now.isoformat()} if now else {}
        answer = ask(
            {
                "template": self.source,
                "variables": {**(self.tokens or {}), "tools": None, "documents": None, **variables, **named},
                "renderings": [
                    whole,
                    ({"messages": messages, "add_generation_prompt": False}, False),
                    *prefixes,
                ],
            }
        )
        text, said, *before = answer["texts"]
        generated = tuple((start, end) for start, end in answer["generated"])
        return RenderedChat(text, _spans(text, said, messages, before[::2], before[1::2]), generated)


def _spans(
    text: str,
    said: str,
    messages: Sequence[Message],
    without: Sequence[str | None],
    announced: Sequence[str | None],
) -> tuple[RoleSpan, ...] | None:
    """Where each message stands: after what the text is before it, with its role announced if that is how it goes on."""
    # A template may refuse a conversation of no messages; the first one then starts the text.
    plain = [without[0] or "" if without else "", *without[1:], said]
    spans = []
    for number, message in enumerate(messages):
        start, end, prompt = plain[number], plain[number + 1], announced[number]
        if start is None or end is None or not (text.startswith(end) and end.startswith(start)):
            return None
        if prompt is not None and len(prompt) > len(start) and end.startswith(prompt):
            start = prompt
        spans.append(RoleSpan(message["role"], number, len(start), len(end)))
    return tuple(spans)
