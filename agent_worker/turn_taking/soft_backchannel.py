"""Decide when the agent makes a listener's sound, "mm-hm", that leaves the floor with the caller."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Protocol

from livekit.agents import AgentSession, AgentStateChangedEvent, UserStateChangedEvent

from agent_worker.turn_taking.pause_length import Pause

#: After the voice activity detector's end of speech, which comes half a second after the caller's last sound.
_DELAY_S = 0.35
_MIN_INTERVAL_S = 8.0
#: Nobody says "mm-hm" to the first word.
_MIN_WORDS = 2


class Timer(Protocol):
    """What ``loop.call_later`` returns."""

    def cancel(self) -> None:
        """Do not call."""


def _call_later(delay_s: float, callback: Callable[[], None]) -> Timer:
    return asyncio.get_running_loop().call_later(delay_s, callback)


class SoftBackchannel:
    """Makes the sound in pauses in which the caller goes on, at most once in 8 s and never over the caller.

    Args:
        session: The session.
        pause: Returns what a pause at this moment is.
        text: Returns what the caller has said in this turn.
        play: Plays the sound.
        stop: Stops it.
        is_sounding: Whether the caller is audible at this moment.
        clock: Monotonic time in seconds.
        call_later: Calls a function after some seconds.
    """

    def __init__(
        self,
        session: AgentSession[Any],
        pause: Callable[[], Pause],
        text: Callable[[], str],
        play: Callable[[], None],
        stop: Callable[[], None],
        is_sounding: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
        call_later: Callable[[float, Callable[[], None]], Timer] = _call_later,
    ) -> None:
        self._session = session
        self._pause = pause
        self._text = text
        self._play = play
        self._stop = stop
        self._is_sounding = is_sounding
        self._clock = clock
        self._call_later = call_later
        self._timer: Timer | None = None
        self._played_at: float | None = None
        session.on("user_state_changed", self._on_user_state)
        session.on("agent_state_changed", self._on_agent_state)
        session.on("close", lambda _: self._cancel())

    def on_text(self, _: str) -> None:
        """Take note that the caller's words arrived: some recognisers need longer than the pause was until now."""
        if self._timer is None:
            self._wait()

    def _on_user_state(self, event: UserStateChangedEvent) -> None:
        self._cancel()
        if event.new_state == "speaking":
            self._stop()
        else:
            self._wait()

    def _on_agent_state(self, event: AgentStateChangedEvent) -> None:
        if event.new_state != "listening":
            self._cancel()
            if event.new_state == "thinking":  # later, what is queued is the reply
                self._stop()

    def _wait(self) -> None:
        if self._is_due():
            self._timer = self._call_later(_DELAY_S, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        if self._is_due() and not self._is_sounding():
            self._played_at = self._clock()
            self._play()

    def _is_due(self) -> bool:
        is_recent = self._played_at is not None and self._clock() - self._played_at < _MIN_INTERVAL_S
        return (
            not is_recent
            and self._session.user_state == "listening"
            and self._session.agent_state == "listening"
            and self._pause() is not Pause.USUAL
            and len(self._text().split()) >= _MIN_WORDS
        )

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
