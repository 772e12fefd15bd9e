"""Track LLM requests that end before the provider reports token usage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from livekit.agents import llm

Role = Literal["fast", "main"]


@dataclass(frozen=True)
class UnreportedUsage:
    """A request that was cancelled or failed while the model was answering: billed, and without reported usage."""

    role: Role
    prompt_chars: int
    completion_chars: int


class UsageTracker:
    """Follow the answer to one request, and report its usage in characters if it ends early.

    Args:
        role: Which model was asked.
        request: The request.
        report: Receives the usage, unless the model said nothing or the provider reported the usage.
    """

    def __init__(self, role: Role, request: llm.ChatContext, report: Callable[[UnreportedUsage], None]) -> None:
        self._role = role
        self._request = request
        self._report = report
        self._completion_chars = 0
        self._is_reported = False

    def add(self, text: str, *, has_usage: bool) -> None:
        """Add the next piece of the answer; ``has_usage`` if the provider reported the usage with it."""
        self.add_chars(len(text))
        self._is_reported = self._is_reported or has_usage

    def add_chars(self, chars: int) -> None:
        """Add characters of reasoning, which arrive apart from the answer and are billed like it."""
        self._completion_chars += chars

    def end_early(self) -> None:
        """Report the usage: the request was cancelled or failed."""
        if self._completion_chars and not self._is_reported:
            self._report(UnreportedUsage(self._role, _chars(self._request), self._completion_chars))


def _chars(chat_ctx: llm.ChatContext) -> int:
    return sum(len(item.text_content or "") for item in chat_ctx.items if item.type == "message")
