"""What was measured beside what is published, and whether the two are of the same order."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.harness.markdown import table
from benchmarks.harness.stats import percentile
from benchmarks.latency.people_summary import Share
from benchmarks.latency.results import Results, Row
from benchmarks.latency.summary import DEFAULT_SYSTEM

OFF, STOCK = "agent-worker/off", "stock"
SYSTEMS = (DEFAULT_SYSTEM, OFF, STOCK)
_FACTOR = 2.0
"""Of the same order: at most so many times as long, or as short."""
_GAPS = {"response_gap": "first sound", "answer_gap": "answer"}


@dataclass(frozen=True)
class Line:
    """One row of the verdict: a figure that was measured, and the published one with its range."""

    what: str
    system: str
    measured: str
    published: str
    verdict: str


def lines(measured: Results, published: Results, hesitating: Results | None, with_people: bool) -> Iterator[Line]:
    """Yield a line for each figure.

    Args:
        measured: By this run: the profiles ``cloud`` and ``people``.
        published: The results in the repository.
        hesitating: Published results with synthetic callers who hesitate; None if there are none.
        with_people: Whether the callers of this run's profile ``people`` were recordings of people.
    """
    for name, what in _GAPS.items():
        for system in SYSTEMS:
            yield _gap(what, system, _values(measured, system, name), _values(published, system, name))
    known = published if with_people else hesitating
    callers = "people" if with_people else "hesitating callers"
    for system in SYSTEMS:
        yield _gap(
            f"first sound, {callers}",
            system,
            _judged(measured, system, "first_sound"),
            _judged(known, system, "first_sound") if known else [],
        )
    for system in SYSTEMS:
        yield _share(f"pauses taken for the end, {callers}", system, _cut(measured, system), known)
    yield _ratio(measured, published)


def verdict_table(found: Sequence[Line]) -> str:
    """Return the lines as a table."""
    headers = ("figure", "system", "measured", "published [range of 90 % of its turns, or 95 % confidence]", "verdict")
    return table(headers, [(line.what, line.system, line.measured, line.published, line.verdict) for line in found])


def _rows(results: Results, profile: str, system: str) -> list[Row]:
    return [row for row in results.turns if (row["profile"], row["system"]) == (profile, system)]


def _values(results: Results, system: str, name: str) -> list[float]:
    return [row[name] for row in _rows(results, "cloud", system) if row.get(name) is not None]


def _judged(results: Results, system: str, name: str) -> list[float]:
    found = (row["person"][name] for row in _rows(results, "people", system) if "person" in row)
    return [value for value in found if value is not None]


def _cut(results: Results, system: str) -> Share:
    judged = [row["person"] for row in _rows(results, "people", system) if "person" in row]
    return Share(sum(found["cut_pauses"] for found in judged), sum(found["pauses"] for found in judged))


def _gap(what: str, system: str, measured: Sequence[float], published: Sequence[float]) -> Line:
    here = f"{statistics.median(measured):.2f} s ({len(measured)} turns)" if measured else "nothing was heard"
    if not published:
        return Line(what, system, here, "-", "-")
    low, high = percentile(published, 5), percentile(published, 95)
    there = f"{statistics.median(published):.2f} s [{low:.2f}, {high:.2f}]"
    return Line(what, system, here, there, _of_gap(measured, published))


def _of_gap(measured: Sequence[float], published: Sequence[float]) -> str:
    if not measured:
        return "NOT confirmed"
    here, there = statistics.median(measured), statistics.median(published)
    if percentile(published, 5) <= here <= percentile(published, 95):
        return "in the range"
    return "same order" if there / _FACTOR <= here <= there * _FACTOR else "NOT confirmed"


def _share(what: str, system: str, here: Share, known: Results | None) -> Line:
    there = _cut(known, system) if known else Share(0, 0)
    measured = f"{here} ({here.count} of {here.of})"
    if not there.of:
        return Line(what, system, measured, "-", "-")
    apart = here.interval[0] > there.interval[1] or there.interval[0] > here.interval[1]
    return Line(what, system, measured, str(there), "NOT confirmed" if apart else "in the range")


def _ratio(measured: Results, published: Results) -> Line:
    here, there = (_first_over_stock(results) for results in (measured, published))
    if here is None or there is None:
        return Line("first sound over stock's", DEFAULT_SYSTEM, "-", "-", "-")
    verdict = "same order" if there / _FACTOR <= here <= there * _FACTOR and here < 1 else "NOT confirmed"
    return Line("first sound over stock's", DEFAULT_SYSTEM, f"{here:.2f} times", f"{there:.2f} times", verdict)


def _first_over_stock(results: Results) -> float | None:
    ours, stock = (_values(results, system, "response_gap") for system in (DEFAULT_SYSTEM, STOCK))
    return statistics.median(ours) / statistics.median(stock) if ours and stock else None
