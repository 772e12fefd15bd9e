"""What did we set out to reach, and have we?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from agent_worker.core.settings import Settings
from benchmarks.latency.summary import AUDIBLE_SEAM, Summary

OURS = f"agent-worker/{Settings.model_fields['preresponse_strategy'].default}"
"""With the strategy that a user gets who chooses none."""

Table = Mapping[tuple[str, str], Summary]


@dataclass(frozen=True)
class Target:
    """``value`` and ``limit`` in seconds, or a ratio where ``ratio`` is set. Met is what is not above the limit."""

    profile: str
    what: str
    value: float | None
    limit: float
    ratio: bool = False
    note: str = ""

    @property
    def met(self) -> bool | None:
        """None where it was not measured."""
        return None if self.value is None else self.value <= self.limit


def targets(table: Table) -> list[Target]:
    profiles = dict.fromkeys(profile for profile, _ in table)
    found: list[Target] = []
    for profile in profiles:
        found += _in_profile(table, profile)
    return found


def _in_profile(table: Table, profile: str) -> Iterator[Target]:
    ours, stock, seed = (table.get((profile, name)) for name in (OURS, "stock", "seed"))
    if ours is None:
        return
    if profile == "cloud":
        yield from _cloud(ours, stock, seed)
    yield from _answer(ours, stock)
    if profile == "fast-main":
        yield Target(
            profile,
            "answer gap p50, away from stock's",
            _difference(_p50(ours, "answer_gap"), _p50(stock, "answer_gap"), absolute=True),
            0.05,
        )
    seam = ours.seam_when_ready
    yield Target(
        profile,
        "seam p95 where the answer was ready",
        seam.p95 if seam else None,
        AUDIBLE_SEAM,
        note=f"{seam.count} turns" if seam else "no such turn",
    )
    record = ours.record
    yield Target(
        profile,
        "turn record's response gap and the way against the caller's, p95",
        record.p95 if record else None,
        0.04,
        note=f"{record.count} turns, median difference {_ms(record.offset)}" if record else "",
    )


def _cloud(ours: Summary, stock: Summary | None, seed: Summary | None) -> Iterator[Target]:
    gap = _p50(ours, "response_gap")
    for name, other, limit in (("stock", stock, 0.5), ("seed", seed, 0.35)):
        theirs = _p50(other, "response_gap")
        ratio = gap / theirs if gap is not None and theirs else None
        yield Target("cloud", f"response gap p50, of {name}'s", ratio, limit, ratio=True)
    yield Target(
        "cloud",
        "response gap p50 less own end-of-turn delay p50",
        _difference(gap, _p50(ours, "end_of_turn")),
        0.08,
    )
    rest = ours.after_end_of_turn
    yield Target("cloud", "response gap less the turn's end-of-turn delay, p95", rest.p95 if rest else None, 0.2)


def _answer(ours: Summary, stock: Summary | None) -> Iterator[Target]:
    note = f"the pre-response was still playing in {ours.covered} of {ours.turns} turns" if ours.covered else ""
    value = _difference(_p50(ours, "answer_due"), _p50(stock, "answer_gap"))
    yield Target(
        ours.profile, "answer gap p50 less stock's, or ready while the pre-response played", value, 0.05, note=note
    )


def _p50(summary: Summary | None, name: str) -> float | None:
    found = getattr(summary, name) if summary else None
    return found.p50 if found else None


def _difference(a: float | None, b: float | None, *, absolute: bool = False) -> float | None:
    if a is None or b is None:
        return None
    return abs(a - b) if absolute else a - b


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
