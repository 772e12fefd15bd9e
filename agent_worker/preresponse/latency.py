"""When will the answer be heard? Judged from this turn so far and from the last turns of the call."""

from __future__ import annotations

import statistics
from collections import deque

from agent_worker.telemetry.trace import TurnTrace

_TURNS = 5
#: First token of the answer to its first audio, seconds, before the first turn has shown it.
_TOKEN_TO_AUDIO = 0.4
_LONGEST = 5.0


class LatencyEstimator:
    """Remembers how long the main model and the voice took in the last turns."""

    def __init__(self) -> None:
        self._to_token: deque[float] = deque(maxlen=_TURNS)
        self._to_audio: deque[float] = deque(maxlen=_TURNS)

    def learn(self, timeline: TurnTrace) -> None:
        """Take in a turn that is over."""
        if timeline.uses_tools or timeline.main_request is None or timeline.main_first_token is None:
            return
        self._to_token.append(timeline.main_first_token - timeline.main_request)
        # Behind a synthesised pre-response the voice had to wait: that says nothing about its speed.
        if timeline.main_first_audio is None or timeline.source == "llm":
            return
        to_audio = timeline.main_first_audio - timeline.main_first_token
        if to_audio < _LONGEST:  # else it is the audio of something that was said later
            self._to_audio.append(to_audio)

    def remaining(self, timeline: TurnTrace) -> float | None:
        """Seconds from now to the answer's first audio; ``None`` if nothing is known about this main model yet."""
        now = timeline.now()
        to_audio = statistics.median(self._to_audio) if self._to_audio else _TOKEN_TO_AUDIO
        if timeline.main_first_token is not None:
            return max(0.0, timeline.main_first_token + to_audio - now)
        if timeline.main_request is None or not self._to_token:
            return None
        asked_at = now if timeline.uses_tools else timeline.main_request  # after a tool, the model is asked again
        token_at = asked_at + statistics.median(self._to_token)
        return max(now, token_at) + to_audio - now
