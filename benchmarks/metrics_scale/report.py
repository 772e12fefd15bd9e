"""What came out, as a table and as raw numbers?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

MB = 1e6


@dataclass
class Case:
    """One folder with one service on it. Times in milliseconds."""

    service: str
    past: int
    scrapes_ms: list[float] = field(default_factory=list)
    folder_bytes: int = 0
    living_bytes: int = 0
    memory_bytes: int = 0

    def percentile(self, share: float) -> float:
        return percentile(self.scrapes_ms, share)


@dataclass
class Burst:
    """A scrape after the other, from the death of many processes until all of them are folded. Milliseconds."""

    processes: int
    folded_after_ms: float = 0.0
    before_ms: list[float] = field(default_factory=list)
    scrapes_ms: list[float] = field(default_factory=list)


@dataclass
class Results:
    about: Mapping[str, Any]
    cases: list[Case]
    burst: Burst

    def case(self, past: int) -> Case:
        return next(case for case in self.cases if case.service == "agent-metrics" and case.past == past)


def percentile(numbers: Sequence[float], share: float) -> float:
    ordered = sorted(numbers)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def targets(results: Results) -> Iterator[tuple[str, str, bool]]:
    """What was to be reached, what was, and whether that is it."""
    most = max(case.past for case in results.cases)
    none, few, many = (results.case(past).percentile(0.95) for past in (0, 10, most))
    yield f"p95 at {most:,} past processes, of that at 10: at most 1.5", f"{many / few:.2f}", many <= 1.5 * few
    yield f"p95 at {most:,} less that with no past: at most 25 ms", f"{many - none:+.1f} ms", many - none <= 25
    case = results.case(most)
    rest = (case.folder_bytes - case.living_bytes) / MB
    yield f"folder at {most:,} less the files of the living: at most 5 MB", f"{rest:.2f} MB", rest <= 5
    longest = max(results.burst.scrapes_ms)
    yield (
        f"longest scrape after {results.burst.processes:,} deaths at once: at most 250 ms",
        f"{longest:.0f} ms",
        longest <= 250,
    )


def write(results: Results, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics-scale.json").write_text(json.dumps(_raw(results), indent=1) + "\n")
    (folder / "metrics-scale.md").write_text(markdown(results))


def _raw(results: Results) -> dict[str, Any]:
    return json.loads(json.dumps(asdict(results)), parse_float=lambda text: round(float(text), 3))  # type: ignore[no-any-return]


def markdown(results: Results) -> str:
    template = (Path(__file__).parent / "template.md").read_text()
    rows = (
        f"| {case.service} | {case.past:,} | {case.percentile(0.5):.1f} | {case.percentile(0.95):.1f} "
        f"| {case.folder_bytes / MB:.1f} | {case.memory_bytes / MB:.0f} |"
        for case in results.cases
    )
    goals = (f"| {what} | {value} | {'met' if met else '**NOT met**'} |" for what, value, met in targets(results))
    burst = results.burst
    theirs = max((case for case in results.cases if case.service != "agent-metrics"), key=lambda case: case.past)
    return template.format(
        **results.about,
        rows="\n".join(rows),
        goals="\n".join(goals),
        burst=burst.processes,
        scrapes=len(burst.scrapes_ms),
        burst_p50=f"{percentile(burst.scrapes_ms, 0.5):.0f}",
        burst_max=f"{max(burst.scrapes_ms):.0f}",
        burst_seconds=f"{burst.folded_after_ms / 1000:.1f}",
        before_ms=f"{percentile(burst.before_ms, 0.5):.0f}",
        theirs_past=f"{theirs.past:,}",
        theirs_files=f"{5 * 100_000:,}",
        theirs_seconds=f"{theirs.percentile(0.5) * 100_000 / (theirs.past + 50) / 1000:.0f}",
    )
