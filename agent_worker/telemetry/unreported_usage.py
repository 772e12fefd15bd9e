"""Which requests to a model were billed without anybody saying for how much?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from livekit.agents import llm


@dataclass(frozen=True)
class UnreportedUsage:
    """A request that was cancelled, or failed, while the model was answering: billed, and nobody says for how much."""

    role: Literal["fast", "main"]
    prompt_characters: int
    completion_characters: int


class UsageTracker:
    """Sees what a model answers to one request, and tells of it if that was cut off.

    Args:
        asked: The request.
        tell: Called by :meth:`cut_off`, unless nothing was said or the provider has told the usage.
    """

    def __init__(
        self, role: Literal["fast", "main"], asked: llm.ChatContext, tell: Callable[[UnreportedUsage], None]
    ) -> None:
        self._role = role
        self._asked = asked
        self._tell = tell
        self._said = 0
        self._usage_told = False

    def take(self, text: str, *, usage_told: bool) -> None:
        """The next piece of the answer."""
        self._said += len(text)
        self._usage_told = self._usage_told or usage_told

    def cut_off(self) -> None:
        if self._said and not self._usage_told:
            self._tell(UnreportedUsage(self._role, _characters(self._asked), self._said))


def _characters(chat_ctx: llm.ChatContext) -> int:
    return sum(len(item.text_content or "") for item in chat_ctx.items if item.type == "message")
