"""Conversations: a template of a model's folder makes text of messages, and the text ids with a mask of who said what.

    template = ChatTemplate("{% for m in messages %}<|{{ m.role }}|>{{ m.content }}\\n{% endfor %}")
    template.render([{"role": "user", "content": "hello"}]).text      # "<|user|>hello\\n"

A template is a program of a stranger. It runs in a process of its own, in Jinja's sandbox, and that process has 512 MB and a
few seconds (`process.py`, `worker.py`).
"""

from __future__ import annotations

from codex.tokens.chat.encode import EncodedChat, encode_chat
from codex.tokens.chat.template import ChatTemplate, Message, RenderedChat, RoleSpan

__all__ = ["ChatTemplate", "EncodedChat", "Message", "RenderedChat", "RoleSpan", "encode_chat"]
