"""Follow for how long neither the caller nor the agent has been heard."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any

from livekit.agents import AgentSession, UserStateChangedEvent
from livekit.agents.voice import io

from agent_worker.turn_taking.floor import Clock

#: Remaining times below it are rounding errors.
_RESOLUTION_S = 1e-3


class CallSilence:
    """The silence of one call: it begins when the last sound ends.

    Args:
        clock: The clock of the call.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last_sound = clock.now()
        self._agent_is_heard = False
        self._caller_is_heard = False
        self._expected_until = -math.inf
        self._changed = asyncio.Event()
        self._session: AgentSession[Any] | None = None
        self._output: io.AudioOutput | None = None

    @property
    def agent_is_heard(self) -> bool:
        """Whether audio of the agent is being played."""
        return self._agent_is_heard

    @property
    def since(self) -> float:
        """When the silence began, on the call's clock; infinite while somebody is heard."""
        return math.inf if self._agent_is_heard or self._caller_is_heard else self._last_sound

    def watch(self, session: AgentSession[Any]) -> None:
        """Watch a session and its present audio output. Watching it again costs nothing."""
        if session is not self._session:
            self._session = session
            session.on("user_state_changed", self._on_user_state)
            self._caller_is_heard = session.user_state == "speaking"
        output = session.output.audio
        if output is not None and output is not self._output:
            if self._output is not None:
                self._output.off("playback_started", self.on_playback_started)
                self._output.off("playback_finished", self.on_playback_finished)
            self._output = output
            output.on("playback_started", self.on_playback_started)
            output.on("playback_finished", self.on_playback_finished)

    def begin(self) -> None:
        """Count from now on, as if something had been heard."""
        self._last_sound = self._clock.now()
        self._changed.set()

    def expect_sound(self, timeout_s: float) -> None:
        """Text was given to the voice: nothing is due before it is heard, or before ``timeout_s`` have passed."""
        self._expected_until = self._clock.now() + timeout_s
        self._changed.set()

    def wake(self) -> None:
        """Let everything that waits ask again when it is due."""
        self._changed.set()

    async def wait(self, due: Callable[[float], float]) -> None:
        """Return when it is due.

        Args:
            due: Returns when it is due, on the call's clock, of the moment at which the silence began. It is asked
                again whenever somebody falls silent, is heard, or after ``wake``.
        """
        while (left_s := max(due(self.since), self._expected_until) - self._clock.now()) > _RESOLUTION_S:
            self._changed.clear()
            timer = self._clock.call_later(left_s, self._changed.set) if math.isfinite(left_s) else None
            try:
                await self._changed.wait()
            finally:
                if timer:
                    timer.cancel()

    def _on_user_state(self, event: UserStateChangedEvent) -> None:
        if self._caller_is_heard:
            self._last_sound = self._clock.now()
        self._caller_is_heard = event.new_state == "speaking"
        self._changed.set()

    def on_playback_started(self, _: io.PlaybackStartedEvent | None = None) -> None:
        """The agent is heard."""
        self._agent_is_heard = True
        self._expected_until = -math.inf
        self._changed.set()

    def on_playback_finished(self, _: io.PlaybackFinishedEvent | None = None) -> None:
        """The agent is not heard any more."""
        self._agent_is_heard = False
        self._last_sound = self._clock.now()
        self._changed.set()
