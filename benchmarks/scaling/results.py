"""Results of a run, and what they mean for one core."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.harness.stats import percentile

OURS, BARE = "agent-worker/phrase", "stock"
MAX_LOAD = 0.7
"""Share of a core at which a worker of livekit-agents takes no more calls, by default."""
MAX_SLOWDOWN = 2.0
"""Ratio of p95 response gaps, to that of one call, at which a level is too slow."""


@dataclass
class Level:
    """A number of simultaneous calls.

    Attributes:
        calls: How many.
        gaps: Response gap of each turn as the caller hears it, seconds.
        cores: Cores that each part kept busy while all calls were in progress, and those of the whole ``machine``.
        memory_mb: Memory of each part.
        failed: Why calls failed.
    """

    calls: int
    gaps: list[float] = field(default_factory=list)
    cores: dict[str, float] = field(default_factory=dict)
    memory_mb: dict[str, float] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def percentile(self, percent: float) -> float:
        """Return a percentile of the response gaps, seconds."""
        return percentile(self.gaps, percent)

    def is_slower(self, alone: Level) -> bool:
        """Return whether the calls are too slow, compared with one call alone."""
        return self.percentile(95) > MAX_SLOWDOWN * alone.percentile(95)

    @property
    def other_cores(self) -> float:
        """Cores that other programs kept busy."""
        return max(self.cores["machine"] - sum(used for name, used in self.cores.items() if name != "machine"), 0.0)


@dataclass
class Worker:
    """One worker at each level."""

    levels: list[Level] = field(default_factory=list)

    def cpu(self, part: str) -> tuple[float, float]:
        """Return the cores that a part uses for each call, and without calls."""
        return self._line(lambda level: level.cores[part])

    def memory(self, part: str) -> tuple[float, float]:
        """Return the MB that a part uses for each call, and without calls."""
        return self._line(lambda level: level.memory_mb[part])

    def _line(self, value: Callable[[Level], float]) -> tuple[float, float]:
        """Return slope and intercept of a line through all levels (least squares)."""
        slope, rest = np.polyfit([level.calls for level in self.levels], list(map(value, self.levels)), 1)
        return float(slope), float(rest)

    @property
    def calls_per_core(self) -> float:
        """Calls that keep a core as busy as a worker may be."""
        each, rest = self.cpu("worker")
        return (MAX_LOAD - max(rest, 0.0)) / each

    @property
    def slowed_at(self) -> int | None:
        """The lowest number of calls that were too slow."""
        return next((level.calls for level in self.levels if level.is_slower(self.levels[0])), None)


@dataclass
class Results:
    """All that is measured.

    Attributes:
        about: Description of the run.
        workers: By the name of their system.
        series: Number of time series that one agent-metrics serves.
    """

    about: Mapping[str, Any]
    workers: Mapping[str, Worker]
    series: int

    @property
    def ours(self) -> Worker:
        """This project's worker."""
        return self.workers[OURS]

    @property
    def bare(self) -> Worker:
        """The worker of livekit-agents with its defaults."""
        return self.workers[BARE]
