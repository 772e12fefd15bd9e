"""Decide when the agent makes a listener's sound, "mm-hm", that leaves the floor with the caller.

The sound is for a caller who pauses and goes on. After a question that was complete it is a nuisance, and just before a
reply it is taken for its beginning. So it needs words that say that more must come, a silence that is long already, and
a reply that is still far away (:func:`fits`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from livekit.agents import AgentSession, AgentStateChangedEvent, UserStateChangedEvent

from agent_worker.turn_taking.pause_length import Pause

#: People pause for up to half a second within a sentence.
MIN_SILENCE_S = 0.8
#: From the end of the sound to the earliest end of the turn: what comes sooner is heard as one with it.
MIN_WAIT_AFTER_S = 1.0
_MIN_INTERVAL_S = 8.0
#: Nobody says "mm-hm" to the first word.
_MIN_WORDS = 2
#: The silence before the end of speech is reported, if the voice activity detector does not tell.
DEFAULT_DETECTED_SILENCE_S = 0.5


class Timer(Protocol):
    """What ``loop.call_later`` returns."""

    def cancel(self) -> None:
        """Do not call."""


def _call_later(delay_s: float, callback: Callable[[], None]) -> Timer:
    return asyncio.get_running_loop().call_later(delay_s, callback)


@dataclass(frozen=True)
class CallerPause:
    """What is known of a silence of the caller.

    Attributes:
        kind: What the pause is, by the words.
        text: What the caller has said in this turn.
        is_final: Whether the recogniser will not change the text any more.
        min_delay_s: How long the silence must be, at the least, to end the turn.
        expects_end: Whether the end-of-turn detector takes it for the end, by what it hears.
    """

    kind: Pause
    text: str
    is_final: bool
    min_delay_s: float
    expects_end: bool = False


def fits(pause: CallerPause, silence_s: float, clip_s: float) -> bool:
    """Return whether the sound may begin now.

    Args:
        pause: What is known of the silence.
        silence_s: How long it has lasted.
        clip_s: How long the sound is.
    """
    is_end_unlikely = pause.kind is Pause.DICTATION or (pause.kind is Pause.OPEN and not pause.expects_end)
    return (
        is_end_unlikely
        and pause.is_final
        and len(pause.text.split()) >= _MIN_WORDS
        and MIN_SILENCE_S <= silence_s <= latest_start_s(pause, clip_s)
    )


def latest_start_s(pause: CallerPause, clip_s: float) -> float:
    """Return the silence after which the sound would end too shortly before a reply."""
    return pause.min_delay_s - MIN_WAIT_AFTER_S - clip_s


class SoftBackchannel:
    """Makes the sound in pauses in which it fits, at most once in 8 s and never over the caller.

    Args:
        session: The session.
        pause: Returns what is known of a pause at this moment.
        clip_s: How long the sound is.
        play: Plays the sound.
        stop: Stops it.
        is_sounding: Whether the caller is audible at this moment.
        detected_silence_s: How long the caller has been silent when the end of speech is reported.
        clock: Monotonic time in seconds.
        call_later: Calls a function after some seconds.
    """

    def __init__(
        self,
        session: AgentSession[Any],
        pause: Callable[[], CallerPause],
        clip_s: float,
        play: Callable[[], None],
        stop: Callable[[], None],
        is_sounding: Callable[[], bool] = lambda: False,
        detected_silence_s: float = DEFAULT_DETECTED_SILENCE_S,
        clock: Callable[[], float] = time.monotonic,
        call_later: Callable[[float, Callable[[], None]], Timer] = _call_later,
    ) -> None:
        self._session = session
        self._pause = pause
        self._clip_s = clip_s
        self._play = play
        self._stop = stop
        self._is_sounding = is_sounding
        self._detected_silence_s = detected_silence_s
        self._clock = clock
        self._call_later = call_later
        self._timer: Timer | None = None
        self._played_at: float | None = None
        self._silent_since: float | None = None
        self._has_words = False
        session.on("user_state_changed", self._on_user_state)
        session.on("agent_state_changed", self._on_agent_state)
        session.on("close", lambda _: self._cancel())

    def on_text(self, text: str) -> None:
        """Take what the caller has said in this turn; nothing when it has ended.

        The words of the latest speech may come late. Until then the text is that of the speech before.
        """
        self._has_words = bool(text)
        if self._timer is None:
            self._wait()

    def _on_user_state(self, event: UserStateChangedEvent) -> None:
        self._cancel()
        if event.new_state == "speaking":
            self._silent_since, self._has_words = None, False
            self._stop()
        elif event.old_state == "speaking":
            self._silent_since = self._clock() - self._detected_silence_s
            self._wait()

    def _on_agent_state(self, event: AgentStateChangedEvent) -> None:
        if event.new_state != "listening":
            self._cancel()
            if event.new_state == "thinking":  # later, what is queued is the reply
                self._stop()

    def _wait(self) -> None:
        """Look again when the silence is long enough; what the text makes of the pause may still change."""
        if self._silent_since is not None:
            delay_s = max(0.0, self._silent_since + MIN_SILENCE_S - self._clock())
            self._timer = self._call_later(delay_s, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        if self._is_due() and not self._is_sounding():
            self._played_at = self._clock()
            self._play()

    def _is_due(self) -> bool:
        now = self._clock()
        is_recent = self._played_at is not None and now - self._played_at < _MIN_INTERVAL_S
        return (
            not is_recent
            and self._has_words
            and self._silent_since is not None
            and self._session.user_state == "listening"
            and self._session.agent_state == "listening"
            # Rounded: a timer may be a fraction of a millisecond early.
            and fits(self._pause(), round(now - self._silent_since, 3), self._clip_s)
        )

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
