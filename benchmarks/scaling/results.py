"""What was measured, and what follows for one core?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

OURS, BARE = "agent-worker/phrase", "stock"
BUSY = 0.7
"""The share of a core at which a worker of livekit-agents takes no more calls, by default."""
SLOWER = 2.0
"""How many times the wait of one call by itself is too much."""


@dataclass
class Level:
    """So many calls at once."""

    calls: int
    gaps: list[float] = field(default_factory=list)
    """Seconds from the caller's last audible sample to the agent's first, as the caller hears them."""
    cores: dict[str, float] = field(default_factory=dict)
    """How many each part kept busy while all talked."""
    memory_mb: dict[str, float] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        return float(np.percentile(self.gaps, share)) if self.gaps else float("nan")

    @property
    def others(self) -> float:
        """Cores that were busy with what is not ours."""
        return max(self.cores["machine"] - sum(used for name, used in self.cores.items() if name != "machine"), 0.0)


@dataclass
class Worker:
    """One worker under more and more calls."""

    levels: list[Level] = field(default_factory=list)

    def per_call(self, of: Callable[[Level], float]) -> tuple[float, float]:
        """What each call adds, and what is there without any: a line through all levels, by least squares."""
        slope, rest = np.polyfit([level.calls for level in self.levels], [of(level) for level in self.levels], 1)
        return float(slope), float(rest)

    def cpu(self, part: str) -> tuple[float, float]:
        return self.per_call(lambda level: level.cores[part])

    def memory(self, part: str) -> tuple[float, float]:
        return self.per_call(lambda level: level.memory_mb[part])

    @property
    def calls_per_core(self) -> float:
        """Before the core is as busy as a worker may be."""
        each, rest = self.cpu("worker")
        return (BUSY - max(rest, 0.0)) / each

    @property
    def slowed_at(self) -> int | None:
        return next((level.calls for level in self.levels if is_slower(level, self.levels[0])), None)


@dataclass
class Results:
    about: Mapping[str, Any]
    workers: Mapping[str, Worker]
    """By their system's name."""
    series: int
    """Of one agent-metrics."""

    @property
    def ours(self) -> Worker:
        return self.workers[OURS]

    @property
    def bare(self) -> Worker:
        """livekit-agents' own agent."""
        return self.workers[BARE]


def is_slower(level: Level, alone: Level) -> bool:
    return level.percentile(95) > SLOWER * alone.percentile(95)
