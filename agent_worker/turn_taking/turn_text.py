"""The caller's words in this turn so far, and what the agent said before."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from livekit.agents import AgentSession, UserInputTranscribedEvent, UserStateChangedEvent

_QUESTION_ITEMS = 6


class TurnText:
    """Collects what the recogniser reports until the turn is committed.

    Args:
        now: The clock of :attr:`started_at`.

    Attributes:
        started_at: When the caller began to speak in this turn; None before.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.started_at: float | None = None
        self._now = now
        self._session: AgentSession[Any] | None = None
        self._finals: list[str] = []
        self._interim = ""
        self._is_current = True

    def attach(self, session: AgentSession[Any]) -> None:
        """Follow a session; call it before ``session.start``."""
        self._session = session
        session.on("user_input_transcribed", self._on_transcript)
        session.on("user_state_changed", self._on_user_state)

    @property
    def words(self) -> str:
        """The final transcripts of the turn, and the interim one after them."""
        return " ".join([*self._finals, *([self._interim] if self._interim else [])])

    @property
    def is_settled(self) -> bool:
        """Whether a final transcript of the latest speech is there, and no interim one after it."""
        return self._is_current and not self._interim

    @property
    def question(self) -> str:
        """What the agent said last."""
        items = self._session.history.items if self._session else []
        for item in reversed(items[-_QUESTION_ITEMS:]):
            if item.type == "message" and item.role == "assistant":
                return item.text_content or ""
        return ""

    def clear(self) -> None:
        """Forget the words: the turn has ended."""
        self._finals, self._interim, self._is_current = [], "", True
        self.started_at = None

    def _on_transcript(self, event: UserInputTranscribedEvent) -> None:
        text = event.transcript.strip()
        if event.is_final:
            self._finals += [text] if text else []
        self._interim = "" if event.is_final else text
        self._is_current = self._is_current or bool(text)

    def _on_user_state(self, event: UserStateChangedEvent) -> None:
        if event.new_state == "speaking":
            self._is_current = False
            self.started_at = self._now() if self.started_at is None else self.started_at
