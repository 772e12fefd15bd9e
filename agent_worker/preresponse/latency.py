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
#: What a tool call takes, with the second request to the main model, before a turn has shown it.
_DEFAULT_TOOL_S = 2.0
#: Share of the last turns with a tool call from which the next one is expected to have one, too.
_TOOL_SHARE = 0.5


class LatencyEstimator:
    """Remember how long the main model and the voice took in the last turns."""

    def __init__(self) -> None:
        self._request_to_token_s: deque[float] = deque(maxlen=_REMEMBERED_TURNS)
        self._token_to_audio_s: deque[float] = deque(maxlen=_REMEMBERED_TURNS)
        self._tool_turn_s: deque[float] = deque(maxlen=_REMEMBERED_TURNS)
        self._used_tools: deque[bool] = deque(maxlen=_REMEMBERED_TURNS)

    def observe(self, trace: TurnTrace) -> None:
        """Add a turn that is over."""
        if trace.main_request is None or (trace.main_first_token is None and not trace.uses_tools):
            return
        self._used_tools.append(trace.uses_tools)
        if trace.uses_tools or trace.main_first_token is None:
            if trace.main_first_audio is not None:
                self._tool_turn_s.append(trace.main_first_audio - trace.main_request)
            return
        self._request_to_token_s.append(trace.main_first_token - trace.main_request)
        # Behind a synthesised pre-response the voice had to wait: its speed is unknown.
        if trace.main_first_audio is None or trace.source == "llm":
            return
        token_to_audio_s = trace.main_first_audio - trace.main_first_token
        if token_to_audio_s < _MAX_TOKEN_TO_AUDIO_S:
            self._token_to_audio_s.append(token_to_audio_s)

    @property
    def expects_tool(self) -> bool:
        """Whether the main model is likely to call a tool, by the last turns."""
        return bool(self._used_tools) and statistics.mean(self._used_tools) >= _TOOL_SHARE

    def usual(self) -> float | None:
        """Return the usual seconds from the request to the answer's first audio; ``None`` before a turn is known."""
        if self.expects_tool:
            return self._tool_s()
        if not self._request_to_token_s:
            return None
        return statistics.median(self._request_to_token_s) + self._to_audio_s()

    def eta(self, trace: TurnTrace, now: float) -> float | None:
        """Return the seconds from ``now`` to the answer's first audio.

        Args:
            trace: The turn so far.
            now: ``time.monotonic()``.

        Returns:
            ``None`` if nothing is known about the main model yet.
        """
        token_to_audio_s = self._to_audio_s()
        if trace.main_first_token is not None:
            return max(0.0, trace.main_first_token + token_to_audio_s - now)
        if trace.main_request is None:
            return None
        with_tool = trace.uses_tools or self.expects_tool
        after_tool_s = max(0.0, trace.main_request + self._tool_s() - now) if with_tool else 0.0
        if not self._request_to_token_s:
            return after_tool_s if with_tool else None
        requested_at = now if trace.uses_tools else trace.main_request  # after a tool the model is asked again
        token_at = requested_at + statistics.median(self._request_to_token_s)
        return max(after_tool_s, max(now, token_at) + token_to_audio_s - now)

    def _to_audio_s(self) -> float:
        return statistics.median(self._token_to_audio_s) if self._token_to_audio_s else _DEFAULT_TOKEN_TO_AUDIO_S

    def _tool_s(self) -> float:
        return statistics.median(self._tool_turn_s) if self._tool_turn_s else _DEFAULT_TOOL_S
