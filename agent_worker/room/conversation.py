"""The conversation so far, in the metadata of its room: for an agent that takes the call over.

LiveKit keeps the metadata as long as the room, and shows it to everyone in it. So the conversation is encrypted, and
bound to the room. Whatever else the metadata hold stays: they have to be empty, or a JSON object.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from livekit.agents import llm

from agent_worker.core.sealed import Sealer
from agent_worker.room.topics import CONVERSATION_KEY

#: LiveKit's limit is 64,000 bytes of metadata, of which others need some.
_MAX_SEALED_CHARS = 32_000
_MAX_MESSAGES = 60
_MAX_CHARS = 12_000
_MAX_JSON_BYTES = 200_000

Role = Literal["user", "assistant"]


class Message(NamedTuple):
    """What the caller or the agent has said."""

    role: Role
    text: str


@dataclass(frozen=True)
class Conversation:
    """A conversation: its last messages.

    Attributes:
        messages: In order.
        language: Language tag of the caller; empty if it is not known.
    """

    messages: tuple[Message, ...]
    language: str = ""

    @property
    def unanswered(self) -> str:
        """What the caller has said last, if the agent has not answered it; else empty."""
        return self.messages[-1].text if self.messages and self.messages[-1].role == "user" else ""

    @property
    def last_words(self) -> str:
        """What the caller has said last; empty if nothing."""
        return next((one.text for one in reversed(self.messages) if one.role == "user"), "")

    def bounded(self) -> Conversation:
        """Return its last messages, as many as have room."""
        kept: list[Message] = []
        chars = 0
        for message in reversed(self.messages[-_MAX_MESSAGES:]):
            chars += len(message.text)
            if kept and chars > _MAX_CHARS:
                break
            kept.append(Message(message.role, message.text[:_MAX_CHARS]))
        return replace(self, messages=tuple(reversed(kept)))


def messages_of(items: Iterable[llm.ChatItem]) -> tuple[Message, ...]:
    """Return what was said in a chat history: neither instructions nor tool calls."""
    found = []
    for item in items:
        if item.type == "message" and item.role in ("user", "assistant") and (text := item.text_content):
            found.append(Message("user" if item.role == "user" else "assistant", text))
    return tuple(found)


def with_conversation(metadata: str, conversation: Conversation, sealer: Sealer) -> str | None:
    """Return a room's metadata with the conversation in place of the one that they held.

    Returns:
        ``None`` if the metadata are not ours to change: not empty, and no JSON object.
    """
    found = _json_object(metadata or "{}")
    if found is None:
        return None
    conversation = conversation.bounded()
    while len(sealed := _seal(conversation, sealer)) > _MAX_SEALED_CHARS:
        conversation = replace(conversation, messages=conversation.messages[len(conversation.messages) // 2 + 1 :])
    return json.dumps({**found, CONVERSATION_KEY: sealed})


def without_conversation(metadata: str) -> str | None:
    """Return a room's metadata without a conversation; ``None`` if they are not ours to change."""
    found = _json_object(metadata or "{}")
    return None if found is None else json.dumps({key: each for key, each in found.items() if key != CONVERSATION_KEY})


def conversation_in(metadata: str, sealer: Sealer) -> Conversation | None:
    """Return the conversation in a room's metadata; ``None`` if there is none, or none of this deployment and room."""
    sealed = (_json_object(metadata) or {}).get(CONVERSATION_KEY)
    data = sealer.unseal(sealed) if isinstance(sealed, str) else None
    if data is None:
        return None
    content = json.loads(zlib.decompressobj().decompress(data, _MAX_JSON_BYTES))
    return Conversation(tuple(Message(*each) for each in content["messages"]), content["language"])


def _seal(conversation: Conversation, sealer: Sealer) -> str:
    content = json.dumps({"messages": conversation.messages, "language": conversation.language})
    return sealer.seal(zlib.compress(content.encode()))


def _json_object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
