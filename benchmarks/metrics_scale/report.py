"""The report's page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness.markdown import fill, row, verdict

_MB = 1e6


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
        return float(np.percentile(self.scrapes_ms, percent, method="higher"))


@dataclass
class Results:
    """All that is measured, with the description of the run."""

    about: Mapping[str, Any]
    cases: list[Case]


def targets(results: Results) -> Iterator[tuple[str, str, bool]]:
    """Yield each target, what was measured, and whether it is met."""
    cases = {case.past: case for case in results.cases if case.service == "agent-metrics"}
    most = max(cases)
    none, few, many = (cases[past].percentile(95) for past in (0, 10, most))
    yield f"p95 at {most:,} past processes, of that at 10: at most 1.5", f"{many / few:.2f}", many <= 1.5 * few
    yield f"p95 at {most:,} less that with no past: at most 25 ms", f"{many - none:+.1f} ms", many - none <= 25
    rest = (cases[most].folder_bytes - cases[most].living_bytes) / _MB
    yield f"folder at {most:,} less the files of the living: at most 5 MB", f"{rest:.2f} MB", rest <= 5


def markdown(results: Results) -> str:
    """Return the page."""
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
    )
