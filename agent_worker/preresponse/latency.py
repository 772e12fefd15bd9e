"""Estimate when the answer will be heard, from this turn so far and from the last turns of the call."""

from __future__ import annotations

import statistics
from collections import deque

from agent_worker.telemetry.trace import TurnTrace

_REMEMBERED_TURNS = 5
#: First token of the answer to its first audio, before a turn has shown it.
_DEFAULT_TOKEN_TO_AUDIO_S = 0.4
#: A longer time is not a latency: the audio belongs to a later sentence.
_MAX_TOKEN_TO_AUDIO_S = 5.0


class LatencyEstimator:
    """Remember how long the main model and the voice took in the last turns."""

    def __init__(self) -> None:
        self._request_to_token_s: deque[float] = deque(maxlen=_REMEMBERED_TURNS)
        self._token_to_audio_s: deque[float] = deque(maxlen=_REMEMBERED_TURNS)

    def observe(self, trace: TurnTrace) -> None:
        """Add a turn that is over."""
        if trace.uses_tools or trace.main_request is None or trace.main_first_token is None:
            return
        self._request_to_token_s.append(trace.main_first_token - trace.main_request)
        # Behind a synthesised pre-response the voice had to wait: its speed is unknown.
        if trace.main_first_audio is None or trace.source == "llm":
            return
        token_to_audio_s = trace.main_first_audio - trace.main_first_token
        if token_to_audio_s < _MAX_TOKEN_TO_AUDIO_S:
            self._token_to_audio_s.append(token_to_audio_s)

    def eta(self, trace: TurnTrace, now: float) -> float | None:
        """Return the seconds from ``now`` to the answer's first audio.

        Args:
            trace: The turn so far.
            now: ``time.monotonic()``.

        Returns:
            ``None`` if nothing is known about the main model yet.
        """
        token_to_audio_s = (
            statistics.median(self._token_to_audio_s) if self._token_to_audio_s else _DEFAULT_TOKEN_TO_AUDIO_S
        )
        if trace.main_first_token is not None:
            return max(0.0, trace.main_first_token + token_to_audio_s - now)
        if trace.main_request is None or not self._request_to_token_s:
            return None
        requested_at = now if trace.uses_tools else trace.main_request  # after a tool the model is asked again
        token_at = requested_at + statistics.median(self._request_to_token_s)
        return max(now, token_at) + token_to_audio_s - now
