"""Decide how long a pause must be to end the turn, given what the caller has said so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from livekit.agents import AgentSession

from agent_worker.text.dictation import Dictation, dictation
from agent_worker.text.open_beginning import is_open


class Pause(Enum):
    """What a pause at the end of the text so far is."""

    USUAL = "usual"  #: nothing in the text says that more must come
    OPEN = "open"  #: a sentence has only begun, or a dictated value may go on
    DICTATION = "dictation"  #: a dictated value is incomplete


@dataclass(frozen=True)
class PauseDelays:
    """Minimum seconds from the end of speech to the end of the turn; the usual delays where they are longer.

    Attributes:
        open_s: After an open beginning.
        dictation_s: Within a dictated value.
    """

    open_s: float
    dictation_s: float


def pause_after(text: str, agent_text: str | None, language: str) -> Pause:
    """Return what a pause after this text is.

    Args:
        text: What the caller has said in this turn.
        agent_text: What the agent said last.
        language: Language tag of the call.
    """
    progress = dictation(text, agent_text, language)
    if progress is Dictation.INCOMPLETE:
        return Pause.DICTATION
    return Pause.OPEN if progress is Dictation.OPEN or is_open(text, language) else Pause.USUAL


class PauseLength:
    """Sets a session's endpointing delays with each new part of the caller's turn.

    Args:
        session: The session. Its present delays are the usual ones.
        language: Language tag of the call.
        delays: The delays in other pauses.
        agent_text: Returns what the agent said last.
    """

    def __init__(
        self,
        session: AgentSession[Any],
        language: str,
        delays: PauseDelays,
        agent_text: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._session = session
        self._language = language
        self._delays = delays
        self._agent_text = agent_text
        usual = session.options.endpointing
        self._usual_s = usual["min_delay"], usual["max_delay"]
        self.pause = Pause.USUAL

    @property
    def min_delay_s(self) -> float:
        """How long the silence must be, at the least, to end the turn."""
        return self._session.options.endpointing["min_delay"]

    def use_language(self, language: str) -> None:
        """Read what the caller says in another language."""
        self._language = language

    def after_keys(self, keys: str, usual_s: float) -> float:
        """Return how long the caller may press no key before the turn ends.

        Args:
            keys: The keys of the turn so far.
            usual_s: Where nothing says that more keys must come.
        """
        return max(usual_s, self._least_s(pause_after(keys, self._agent_text(), self._language)))

    def _least_s(self, pause: Pause) -> float:
        return {Pause.USUAL: 0.0, Pause.OPEN: self._delays.open_s, Pause.DICTATION: self._delays.dictation_s}[pause]

    def on_text(self, text: str) -> None:
        """Take what the caller has said in this turn; nothing when it has ended."""
        pause = pause_after(text, self._agent_text(), self._language) if text else Pause.USUAL
        if pause is self.pause:
            return
        self.pause = pause
        shortest, longest = self._usual_s
        least = self._least_s(pause)
        self._session.update_options(
            endpointing_opts={"min_delay": max(shortest, least), "max_delay": max(longest, least)}
        )
