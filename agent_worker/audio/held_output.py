"""Silence the agent's voice for a moment, without ending what it says."""

from __future__ import annotations

from livekit import rtc
from livekit.agents import AgentSession
from livekit.agents.voice import io


class HeldAudioOutput(io.AudioOutput):
    """Pass audio on; its playout pauses while it is held, or while livekit-agents has paused it.

    The two are kept apart: livekit-agents resumes an output that it has paused, and must not resume one that is held.

    Args:
        next_in_chain: The output that plays the audio.
    """

    def __init__(self, next_in_chain: io.AudioOutput) -> None:
        super().__init__(
            label="agent-worker-hold",
            capabilities=io.AudioOutputCapabilities(pause=True),
            next_in_chain=next_in_chain,
            sample_rate=next_in_chain.sample_rate,
        )
        assert self.next_in_chain is not None
        self._next = self.next_in_chain  # livekit-agents puts a proxy before the last output of a chain
        self._is_held = False
        self._is_paused = False

    @property
    def is_held(self) -> bool:
        """Whether ``hold`` has been called, and ``release`` not since."""
        return self._is_held

    def hold(self) -> None:
        """Fall silent at once; what has not been played is kept."""
        self._is_held = True
        self._update()

    def release(self) -> None:
        """Go on from where the playout stopped."""
        self._is_held = False
        self._update()

    def pause(self) -> None:
        """Pause for livekit-agents."""
        self._is_paused = True
        self._update()

    def resume(self) -> None:
        """Resume for livekit-agents."""
        self._is_paused = False
        self._update()

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Pass a frame on."""
        await super().capture_frame(frame)
        await self._next.capture_frame(frame)

    def flush(self) -> None:
        """End the segment."""
        super().flush()
        self._next.flush()

    def clear_buffer(self) -> None:
        """Discard the audio that has not been played."""
        self._next.clear_buffer()

    def _update(self) -> None:
        if self._is_held or self._is_paused:
            self._next.pause()
        else:
            self._next.resume()


def make_holdable(session: AgentSession[object]) -> HeldAudioOutput | None:
    """Put a :class:`HeldAudioOutput` before the session's audio output; ``None`` if that cannot pause.

    Call it after ``session.start``.
    """
    output = session.output.audio
    if output is None or not output.can_pause:
        return None
    session.output.audio = held = HeldAudioOutput(output)
    return held
