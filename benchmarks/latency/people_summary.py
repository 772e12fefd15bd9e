"""Summary of the turns of people: first sounds, and what they cost in false cut-offs, side by side."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.harness.markdown import milliseconds, table
from benchmarks.harness.stats import Spread, spread
from benchmarks.latency.people import MAX_TALKED_OVER_S
from benchmarks.latency.profiles import PROFILES
from benchmarks.latency.results import Results, Row
from benchmarks.latency.summary import DEFAULT_SYSTEM

STOCK = "stock"
PEOPLE_SYSTEMS = (DEFAULT_SYSTEM, STOCK, "stock-smart-turn", "pipecat", "pipecat-rnnoise")
"""What is measured by default."""
_Z = 1.96

_COLUMNS = (
    "system",
    "turns",
    "first sound p50 [95 % CI]",
    "p95",
    "over 1 s",
    "turns cut off [95 % CI]",
    "answer p50",
    "p95",
    "by the answer [95 % CI]",
    "pauses cut [95 % CI]",
    f"talked over for more than {MAX_TALKED_OVER_S:g} s",
    "no reply",
)


_ABOUT = """Providers as in `cloud`. The callers are {files} recorded turns of people with labelled ends, played with
their own pauses to each system alike; the simulated recogniser delivers the words of Whisper tiny.en at their times. A
turn is cut off if words of the agent are heard before its labelled end; a pause is cut if they begin in it, or before
the next one. A listener's sound ("mm-hm") is none. The first sound counts from the labelled end, in turns in which it
begins after it.
"""


@dataclass(frozen=True)
class Share:
    """A share with its 95 % confidence interval (Wilson's)."""

    count: int
    of: int

    @property
    def value(self) -> float:
        """The share; NaN of nothing."""
        return self.count / self.of if self.of else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """The confidence interval."""
        if not self.of:
            return 0.0, 1.0
        centre = self.value + _Z**2 / (2 * self.of)
        margin = _Z * math.sqrt(self.value * (1 - self.value) / self.of + _Z**2 / (4 * self.of**2))
        scale = 1 + _Z**2 / self.of
        return max(0.0, (centre - margin) / scale), min(1.0, (centre + margin) / scale)

    def __str__(self) -> str:
        """Return it as percent."""
        if not self.of:
            return "-"
        low, high = self.interval
        return f"{self.value:.0%} [{low:.0%}, {high:.0%}]"


@dataclass(frozen=True)
class PeopleSummary:
    """One system with people as callers.

    Attributes:
        system: Its name.
        turns: Turns of calls that were made.
        first_sound: Seconds from the labelled end to the agent's first sound, where it began after the end.
        late: How many of these first sounds came after more than 1 s.
        cut_turns: Turns in which the agent began to speak before the labelled end.
        answer: As ``first_sound``, to the answer; None in results of before it was judged.
        answer_cut_turns: Turns in which the answer began before the labelled end.
        cut_pauses: Labelled pauses in which, or behind which, it did so.
        talked_over: Turns in which both spoke for more than ``MAX_TALKED_OVER_S``.
        unanswered: Turns without a sound of the agent.
    """

    system: str
    turns: int
    first_sound: Spread | None
    late: Share
    cut_turns: Share
    answer: Spread | None
    answer_cut_turns: Share
    cut_pauses: Share
    talked_over: Share
    unanswered: int


def people_rows(results: Results) -> list[Row]:
    """Return the turns of people."""
    return [row for row in results.turns if row["profile"] in PROFILES and PROFILES[row["profile"]].people]


def summarize_people(rows: Iterable[Row]) -> list[PeopleSummary]:
    """Return a summary of each system, in the order of :data:`PEOPLE_SYSTEMS`, then of their occurrence."""
    by_system: dict[str, list[Row]] = {}
    for row in rows:
        by_system.setdefault(row["system"], []).append(row)
    ordered = sorted(by_system, key=lambda name: PEOPLE_SYSTEMS.index(name) if name in PEOPLE_SYSTEMS else 99)
    return [_summary(name, by_system[name]) for name in ordered]


def _summary(system: str, rows: Sequence[Row]) -> PeopleSummary:
    judged = [row["person"] for row in rows if "person" in row]
    sounds = [found["first_sound"] for found in judged if found["first_sound"] is not None]
    answered = [found for found in judged if "answer_cut_off" in found]
    return PeopleSummary(
        system=system,
        turns=len(rows),
        first_sound=spread(sounds),
        late=Share(sum(sound > 1 for sound in sounds), len(sounds)),
        cut_turns=Share(sum(found["cut_off"] for found in judged), len(judged)),
        answer=spread([found["answer"] for found in judged if found.get("answer") is not None]),
        answer_cut_turns=Share(sum(found["answer_cut_off"] for found in answered), len(answered)),
        cut_pauses=Share(sum(found["cut_pauses"] for found in judged), sum(found["pauses"] for found in judged)),
        talked_over=Share(sum(found["talked_over_s"] > MAX_TALKED_OVER_S for found in judged), len(judged)),
        unanswered=sum("failure" in row for row in rows),
    )


def people_section(rows: Sequence[Row]) -> str:
    """Return the report's section, empty without such turns."""
    if not rows:
        return ""
    found = summarize_people(rows)
    cells = table(_COLUMNS, [_cells(summary) for summary in found], numbers=True)
    return "\n".join(
        [
            "## people\n",
            _ABOUT.format(files=len({row["said"] for row in rows})),
            cells,
            "",
            *_ratios(found),
            "",
        ]
    )


def _cells(summary: PeopleSummary) -> list[str]:
    sound = summary.first_sound
    median = f"{milliseconds(sound.p50)} [{milliseconds(sound.low)}, {milliseconds(sound.high)}]" if sound else "-"
    return [
        f"**{summary.system}**" if summary.system == DEFAULT_SYSTEM else summary.system,
        str(summary.turns),
        median,
        milliseconds(sound.p95) if sound else "-",
        f"{summary.late.value:.0%}" if summary.late.of else "-",
        str(summary.cut_turns),
        milliseconds(summary.answer.p50) if summary.answer else "-",
        milliseconds(summary.answer.p95) if summary.answer else "-",
        str(summary.answer_cut_turns),
        str(summary.cut_pauses),
        f"{summary.talked_over.value:.0%}" if summary.talked_over.of else "-",
        str(summary.unanswered),
    ]


def _ratios(found: Sequence[PeopleSummary]) -> Iterator[str]:
    """Yield how ours compares with stock."""
    by_name = {summary.system: summary for summary in found}
    ours, stock = by_name.get(DEFAULT_SYSTEM), by_name.get(STOCK)
    if ours is None or stock is None:
        return
    parts = []
    if ours.first_sound and stock.first_sound:
        parts.append(f"first sound p50 {ours.first_sound.p50 / stock.first_sound.p50:.2f}")
        parts.append(f"p95 {ours.first_sound.p95 / stock.first_sound.p95:.2f}")
    for name, mine, theirs in (
        ("turns cut off", ours.cut_turns, stock.cut_turns),
        ("pauses cut", ours.cut_pauses, stock.cut_pauses),
        ("turns talked over", ours.talked_over, stock.talked_over),
    ):
        if theirs.count:
            parts.append(f"{name} {mine.value / theirs.value:.2f}")
    yield f"{DEFAULT_SYSTEM} over {STOCK}: {', '.join(parts)}."
