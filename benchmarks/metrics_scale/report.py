"""The report's page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness.markdown import fill, row, verdict
from benchmarks.metrics_scale.folders import LIVING

OURS = "agent-metrics"
_MB = 1e6
_NOT_MEASURED = 100_000
"""Past processes that prometheus_client is not measured with."""
_FILES_PER_PROCESS = 5


@dataclass
class Case:
    """One folder and the service that reads it.

    Attributes:
        service: Its name.
        past: Processes that have ended.
        scrapes_ms: Duration of each scrape.
        folder_bytes: Size of the folder on disk.
        living_bytes: Of that, files of living processes.
        memory_bytes: The service's memory.
    """

    service: str
    past: int
    scrapes_ms: list[float] = field(default_factory=list)
    folder_bytes: int = 0
    living_bytes: int = 0
    memory_bytes: int = 0

    def percentile(self, percent: float) -> float:
        """Return a percentile of the scrapes, ms."""
        return _percentile(self.scrapes_ms, percent)


@dataclass
class Burst:
    """Scrapes from the death of many processes until all are compacted.

    Attributes:
        processes: How many.
        folded_after_ms: When the last one was compacted.
        before_ms: Scrapes while they lived.
        scrapes_ms: Scrapes afterwards.
    """

    processes: int
    folded_after_ms: float = 0.0
    before_ms: list[float] = field(default_factory=list)
    scrapes_ms: list[float] = field(default_factory=list)


@dataclass
class Results:
    """All that is measured, with the description of the run."""

    about: Mapping[str, Any]
    cases: list[Case]
    burst: Burst

    def case(self, past: int) -> Case:
        """Return the case of agent-metrics with this past."""
        return next(case for case in self.cases if case.service == OURS and case.past == past)


def _percentile(values: Sequence[float], percent: float) -> float:
    return float(np.percentile(values, percent, method="higher"))


def targets(results: Results) -> Iterator[tuple[str, str, bool]]:
    """Yield each target, what was measured, and whether it is met."""
    most = max(case.past for case in results.cases)
    none, few, many = (results.case(past).percentile(95) for past in (0, 10, most))
    yield f"p95 at {most:,} past processes, of that at 10: at most 1.5", f"{many / few:.2f}", many <= 1.5 * few
    yield f"p95 at {most:,} less that with no past: at most 25 ms", f"{many - none:+.1f} ms", many - none <= 25
    case = results.case(most)
    rest = (case.folder_bytes - case.living_bytes) / _MB
    yield f"folder at {most:,} less the files of the living: at most 5 MB", f"{rest:.2f} MB", rest <= 5
    longest, deaths = max(results.burst.scrapes_ms), f"{results.burst.processes:,} deaths at once"
    yield f"longest scrape after {deaths}: at most 250 ms", f"{longest:.0f} ms", longest <= 250


def markdown(results: Results) -> str:
    """Return the page."""
    burst = results.burst
    theirs = max((case for case in results.cases if case.service != OURS), key=lambda case: case.past)
    rows = (
        row(
            case.service,
            f"{case.past:,}",
            f"{case.percentile(50):.1f}",
            f"{case.percentile(95):.1f}",
            f"{case.folder_bytes / _MB:.1f}",
            f"{case.memory_bytes / _MB:.0f}",
        )
        for case in results.cases
    )
    return fill(
        Path(__file__).parent / "template.md",
        **results.about,
        rows="\n".join(rows),
        goals="\n".join(row(what, value, verdict(met)) for what, value, met in targets(results)),
        burst=burst.processes,
        scrapes=len(burst.scrapes_ms),
        burst_p50=f"{_percentile(burst.scrapes_ms, 50):.0f}",
        burst_max=f"{max(burst.scrapes_ms):.0f}",
        burst_seconds=f"{burst.folded_after_ms / 1000:.1f}",
        before_ms=f"{_percentile(burst.before_ms, 50):.0f}",
        theirs_past=f"{theirs.past:,}",
        theirs_files=f"{_FILES_PER_PROCESS * _NOT_MEASURED:,}",
        theirs_seconds=f"{theirs.percentile(50) * _NOT_MEASURED / (theirs.past + LIVING) / 1000:.0f}",
    )
