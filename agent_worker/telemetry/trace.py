"""The instants of a turn, on one monotonic clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from agent_worker.telemetry.unreported_usage import UnreportedUsage


def monotonic_of(wall_clock: float) -> float:
    """The instant on ``time.monotonic()`` that ``time.time()`` showed as ``wall_clock``, as of now."""
    return wall_clock - time.time() + time.monotonic()


@dataclass
class TurnTrace:
    """What the engine did in one turn, and when: ``time.monotonic()``, seconds; ``None`` if it did not happen."""

    strategy: str
    on_cut_off: Callable[[UnreportedUsage], None] = lambda _: None
    kind: str | None = None
    """What the caller's words are (``agent_worker.text.intent.Kind``)."""
    outcome: str = "off"
    """``spoken``, or why there was no pre-response: one of ``preresponse.OUTCOMES``."""
    source: str | None = None
    """Where the pre-response came from: ``llm`` or ``phrase``."""
    uses_tools: bool = False
    filler: str | None = None
    """What was said because a tool took long."""

    fast_request: float | None = None
    fast_first_token: float | None = None
    fast_first_audio: float | None = None
    main_request: float | None = None
    main_first_token: float | None = None
    main_first_audio: float | None = None

    @staticmethod
    def now() -> float:
        return time.monotonic()
