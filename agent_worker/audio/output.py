"""The last step of a turn: hands the agent's speech to LiveKit little by little, so that it starts at once."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from livekit import rtc
from livekit.agents import AgentSession
from livekit.agents.voice import io

#: How far the audio handed over may be ahead of what has been played, seconds.
LEAD = 0.4
#: What goes out before anything else may happen: the size of the frames that LiveKit plays.
_FIRST_FRAME = 0.05


class PacedAudioOutput(io.AudioOutput):
    """Passes audio on at the pace at which it is played.

    livekit-agents takes whatever audio is ready in one go and analyses it for the transcript's pace, on the
    event loop, before the first frame is played: 40 ms for each second of audio on a slow core. Speech that was
    made beforehand, as a pre-response is, would start late for being ready (docs/architecture.md has the trace).
    """

    def __init__(self, next_in_chain: io.AudioOutput) -> None:
        super().__init__(
            label="agent-worker",
            capabilities=io.AudioOutputCapabilities(pause=True),
            next_in_chain=next_in_chain,
            sample_rate=next_in_chain.sample_rate,
        )
        self._next = next_in_chain
        self._started_at = 0.0
        self._passed_on = 0.0

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        if not self._passed_on:
            self._started_at = time.monotonic()
        await self._next.capture_frame(frame)
        await super().capture_frame(frame)
        before, self._passed_on = self._passed_on, self._passed_on + frame.duration
        if before < _FIRST_FRAME <= self._passed_on:
            await asyncio.sleep(0.001)  # the first frame is on its way before the next one is looked at
        ahead = self._passed_on - (time.monotonic() - self._started_at)
        await asyncio.sleep(max(0.0, ahead - LEAD))

    def flush(self) -> None:
        super().flush()
        self._passed_on = 0.0
        self._next.flush()

    def clear_buffer(self) -> None:
        self._passed_on = 0.0
        self._next.clear_buffer()


def pace(session: AgentSession[Any]) -> None:
    """Put a :class:`PacedAudioOutput` before the session's audio output. Call it after ``session.start``."""
    if session.output.audio is not None:
        session.output.audio = PacedAudioOutput(session.output.audio)
