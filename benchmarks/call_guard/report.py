"""The table in docs/reliability.md, and the results beside it."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from pathlib import Path

from benchmarks.call_guard.scenarios import SCENARIOS, Outcome
from benchmarks.harness import results
from benchmarks.harness.markdown import replace_between, table

BEGIN, END = "<!-- begin of the call guard's table -->", "<!-- end of the call guard's table -->"


def read(file: Path) -> dict[str, Outcome]:
    """Return the outcomes of earlier runs, by scenario."""
    return results.load(file, dict[str, Outcome]) if file.exists() else {}


def write(found: Mapping[str, Outcome], file: Path, page: Path) -> None:
    """Save the outcomes, and put their table into the page."""
    ordered = {name: found[name] for name in SCENARIOS if name in found}
    results.save(file, ordered, depth=2, digits=2)
    replace_between(page, BEGIN, END, markdown(ordered))


def markdown(found: Mapping[str, Outcome]) -> str:
    """Return the table."""
    headers = (
        "what happens",
        "callers",
        "silence, median",
        "longest",
        "until an agent speaks, median",
        "longest",
        "never served",
        "two agents",
        "agent without a caller",
    )
    return table(headers, (_row(name, outcome) for name, outcome in found.items()), numbers=True)


def _row(name: str, outcome: Outcome) -> list[object]:
    silences, waits = outcome.silences_s or [float("nan")], outcome.agent_waits_s or [float("nan")]
    return [
        name,
        outcome.callers,
        *(f"{each:.1f} s" for each in (statistics.median(silences), max(silences))),
        *(f"{each:.1f} s" for each in (statistics.median(waits), max(waits))),
        outcome.never_served,
        *(f"{each:.1f} s" for each in (outcome.two_agents_s, outcome.lonely_agent_s)),
    ]
