"""Conversations to ids, with a mask of what is to be learnt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from codex.errors import DataError, UsageError
from codex.tokens.chat.template import Message, RoleSpan

if TYPE_CHECKING:
    from codex.tokens.interface import BaseTokenizer

__all__ = ["EncodedChat", "encode_chat"]


@dataclass(frozen=True, slots=True)
class EncodedChat:
    """`ids` of `text`; `mask` is True where all of an id is of what the wanted roles said; `spans` of the messages."""

    ids: list[int]
    mask: list[bool]
    text: str
    spans: tuple[RoleSpan, ...] | None


def encode_chat(
    tokenizer: BaseTokenizer,
    messages: Sequence[Message],
    roles: AbstractSet[str],
    add_generation_prompt: bool,
    specials: Literal["forbid", "ids"],
    variables: Mapping[str, Any],
) -> EncodedChat:
    """The ids of a conversation; see `BaseTokenizer.encode_chat`.

    Where the template has `{% generation %}` blocks the mask is theirs, else that of the spans of `roles`.

    Raises:
        UsageError: if the tokenizer has no chat template.
        DataError: under `forbid`, if a message spells a special token: it would pass for the template's own.
    """
    template = tokenizer.chat_template
    if template is None:
        raise UsageError(
            "the tokenizer has no chat template",
            hint="give one: `tokenizer.with_settings(chat_template=...)`",
        )
    if specials == "forbid":
        names = tokenizer.special_tokens
        for number, message in enumerate(messages):
            for text in _strings(message):
                if found := next((name for name in names if name in text), None):
                    hint = "take it out, or let it count as the token itself: specials `ids`"
                    raise DataError(f"message {number} holds the special token `{found}`", hint=hint)
    elif specials != "ids":
        raise UsageError(f"`specials` is `{specials}`, expected `forbid` or `ids`")
    rendered = template.render(messages, add_generation_prompt=add_generation_prompt, **variables)
    ids, offsets = tokenizer.encode_with_offsets(rendered.text, "ids", unit="chars")
    learnt: Sequence[tuple[int, int]] = rendered.generated
    if not learnt and rendered.spans is None:
        raise DataError(
            "the chat template writes a message otherwise when others follow it: none has a place of its own",
            hint="a template with `{% generation %}` blocks says by itself what is to be learnt",
        )
    if not learnt:
        learnt = [(span.start, span.end) for span in rendered.spans or () if span.role in roles]
    mask = [any(start <= first and last <= end for start, end in learnt) for first, last in offsets]
    return EncodedChat(ids, mask, rendered.text, rendered.spans)


def _strings(value: Any) -> Iterator[str]:
    """Every string in a message, however deep."""
    stack = [value]
    while stack:
        each = stack.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, Mapping):
            stack.extend(each.values())
        elif isinstance(each, Sequence):
            stack.extend(each)
