"""Pace the agent's speech on its way to LiveKit, so that it starts at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from livekit import rtc
from livekit.agents import AgentSession
from livekit.agents.voice import io

#: How far the audio that was passed on may be ahead of the playout.
MAX_LEAD_S = 0.4
#: Size of the frames that LiveKit plays. The first one goes out before the next frame is handled.
_FIRST_FRAME_S = 0.05


class PacedAudioOutput(io.AudioOutput):
    """Pass audio on at the pace of its playout.

    livekit-agents takes all available audio at once and analyses it for the pace of the transcript, on the event loop,
    before it plays the first frame: audio that is available all at once starts 40 ms late per second of speech on a
    slow core (docs/architecture.md has the trace).

    Args:
        next_in_chain: The output that plays the audio.
        clock: Monotonic time in seconds.
    """

    def __init__(self, next_in_chain: io.AudioOutput, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(
            label="agent-worker",
            capabilities=io.AudioOutputCapabilities(pause=True),
            next_in_chain=next_in_chain,
            sample_rate=next_in_chain.sample_rate,
        )
        assert self.next_in_chain is not None
        self._next = self.next_in_chain  # livekit-agents puts a proxy before the last output of a chain
        self._clock = clock
        self._started_at = 0.0
        self._passed_s = 0.0

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Pass a frame on; return when the next one may follow."""
        if not self._passed_s:
            self._started_at = self._clock()
        await self._next.capture_frame(frame)
        await super().capture_frame(frame)
        before_s, self._passed_s = self._passed_s, self._passed_s + frame.duration
        if before_s < _FIRST_FRAME_S <= self._passed_s:
            await asyncio.sleep(0.001)  # let the first frame go out before the next one is handled
        lead_s = self._passed_s - (self._clock() - self._started_at)
        await asyncio.sleep(max(0.0, lead_s - MAX_LEAD_S))

    def flush(self) -> None:
        """End the segment."""
        super().flush()
        self._passed_s = 0.0
        self._next.flush()

    def clear_buffer(self) -> None:
        """Discard the audio that has not been played."""
        self._passed_s = 0.0
        self._next.clear_buffer()


def pace(session: AgentSession[Any]) -> None:
    """Put a :class:`PacedAudioOutput` before the session's audio output. Call it after ``session.start``."""
    if session.output.audio is not None:
        session.output.audio = PacedAudioOutput(session.output.audio)
