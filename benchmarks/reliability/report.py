"""The table in the page, and the results beside the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.harness import results
from benchmarks.harness.markdown import replace_between, row
from benchmarks.reliability.checks import CaseResult

BEGIN, END = "<!-- begin of the table -->", "<!-- end of the table -->"


def read(page: Path) -> dict[str, CaseResult]:
    """Return the results of earlier runs by case."""
    path = page.with_suffix(".json")
    return results.load(path, dict[str, CaseResult]) if path.exists() else {}


def write(found: Mapping[str, CaseResult], every: Sequence[str], page: Path) -> None:
    """Put the table into the page and save the results, which a later run adds to; ``every`` are all cases' names."""
    ordered = {name: found[name] for name in every if name in found}
    results.save(page.with_suffix(".json"), ordered, depth=1, digits=4)
    replace_between(page, BEGIN, END, table(ordered, len(every)))


def table(found: Mapping[str, CaseResult], total: int) -> str:
    """Return the table; ``total`` is the number of all cases."""
    failed = sum(result.meaningful and bool(result.problems) for result in found.values())
    return "\n".join(
        [
            f"{len(found)} of {total} cases were run, {failed} failed.",
            "",
            "| what fails | the caller hears | longest silence | first log line | `livekit_errors_total` | result |",
            "| --- | --- | ---: | --- | --- | --- |",
            *(_row(name, result) for name, result in found.items()),
        ]
    )


def _row(name: str, result: CaseResult) -> str:
    outcome = "**failed:** " + "; ".join(result.problems) if result.problems else "ok"
    if not result.meaningful:
        outcome = "the machine was too busy"
    cells = (name, result.heard, f"{result.silence:.1f} s", result.logged[:90], result.metric, outcome)
    return row(*(cell.replace("|", "\\|").replace("\n", " ") for cell in cells))
