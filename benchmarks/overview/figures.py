"""Figures of the overview, from the raw results of the other benchmarks."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.harness import results as files
from benchmarks.harness.markdown import table
from benchmarks.harness.stats import spread
from benchmarks.latency.people_summary import PeopleSummary, people_rows, summarize_people
from benchmarks.latency.results import Results, Row
from benchmarks.latency.summary import DEFAULT_SYSTEM
from benchmarks.rulers.report import CORRECTED, MAX_DIFFERENCE_S, answered, difference
from benchmarks.rulers.results import Results as RulerResults

OFF, STOCK, STOCK_SMART, PIPECAT = "agent-worker/off", "stock", "stock-smart-turn", "pipecat"
_OWN_VARIANTS = ("agent-worker/", "seed", "stock-", "pipecat-")
"""Systems of the detailed report that are variants of those in the overview."""
_COLUMNS = {
    DEFAULT_SYSTEM: "this project",
    OFF: "the same, pre-responses off",
    STOCK: "stock livekit-agents",
    STOCK_SMART: "stock with smart-turn",
}
_WITH_TOOL = {"agent-worker/tool": DEFAULT_SYSTEM, "stock-filler-immediate": STOCK, "pipecat-backend-tool": PIPECAT}
"""Systems of the profiles with a tool, and the columns they belong to: of each the one that is heard first."""
_PROFILES = {
    "people": "recordings of people as callers; providers as in `cloud`",
    "cloud": "`cloud`: synthetic callers, simulated providers as fast as cloud services",
    "slow-main": "`slow-main`: as `cloud`, the large model takes 2.5 s",
    "jitter": "`jitter`: as `cloud`, latencies vary (p95 at 3 times the median)",
    "typical": "`typical`: as `jitter`, and the final transcript comes at a median of 250 ms, as measured of a service",
    "phone": "`phone`: as `typical`, by telephone: 8 kHz, 2 % of the packets lost, 60 ms more each way",
    "tools": "`tools`: as `cloud`, the large model calls a tool that takes 3 s; each as it is heard soonest",
    "real": "`real`: small real models on two CPU cores",
}
_POLICIES = {
    "agent-worker, fused": DEFAULT_SYSTEM,
    "stock livekit-agents": STOCK,
    "smart-turn, then 3 s (Pipecat's default)": PIPECAT,
}


@dataclass(frozen=True)
class Figures:
    """What was measured.

    Attributes:
        folder: With the JSON files of the reports.
    """

    folder: Path

    @cached_property
    def latency(self) -> Results:
        """Results of ``benchmarks.latency``."""
        return files.load(self.folder / "latency.json", Results)

    @cached_property
    def rulers(self) -> RulerResults | None:
        """Results of ``benchmarks.rulers``; None if there are none."""
        path = self.folder / "rulers.json"
        return files.load(path, RulerResults) if path.exists() else None

    @cached_property
    def policies(self) -> dict[str, Any]:
        """Policies of the end of the turn, of ``benchmarks.turn_taking``."""
        found: dict[str, Any] = self._turn_taking["policies"]
        return found

    @cached_property
    def harm(self) -> dict[str, Any]:
        """Harmful cuts, of ``benchmarks.turn_taking``."""
        found: dict[str, Any] = self._turn_taking["harm"]
        return found

    @cached_property
    def _turn_taking(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "turn-taking.json").read_text(encoding="utf-8"))
        return found

    @cached_property
    def people(self) -> dict[str, PeopleSummary]:
        """Turns of people by system."""
        return {found.system: found for found in summarize_people(people_rows(self.latency))}

    def systems(self) -> list[str]:
        """Return the systems of the overview: ours, ours without pre-responses, and every other one."""
        others = dict.fromkeys(row["system"] for row in self.latency.turns if not _is_variant(row["system"]))
        known = [*_COLUMNS, PIPECAT]
        return [*known, *(name for name in others if name not in known and name not in _WITH_TOOL)]

    def wait(self, profile: str, system: str) -> str:
        """Return the median first sound and, in brackets, the median answer if it is later, seconds."""
        rows = [row for row in self.latency.turns if row["profile"] == profile and "failure" not in row]
        rows = [row for row in rows if _WITH_TOOL.get(row["system"], row["system"]) == system]
        if profile == "people":  # cut-offs have no wait
            rows = [{"response_gap": it["first_sound"], "answer_gap": it.get("answer")} for it in map(_person, rows)]
        first, answer = _median(rows, "response_gap"), _median(rows, "answer_gap")
        if first is None:
            return "-"
        return f"{first:.2f}" if answer is None or answer - first < 0.01 else f"{first:.2f} ({answer:.2f})"

    def date(self, profile: str) -> str:
        """Return the day on which a profile was measured."""
        began: str = self.latency.profiles[profile]["began"]
        return began[:10]

    def turns(self, profile: str) -> int:
        """Return how many turns of each system a profile has, at least."""
        counts: dict[str, int] = {}
        for row in self.latency.turns:
            if row["profile"] == profile:
                counts[row["system"]] = counts.get(row["system"], 0) + 1
        return min(counts.values(), default=0)

    def median(self, profile: str, system: str, name: str) -> float:
        """Return the median of a gap, seconds."""
        rows = [row for row in self.latency.turns if (row["profile"], row["system"]) == (profile, system)]
        return float(statistics.median(row[name] for row in rows if row.get(name) is not None))


def _person(row: Row) -> dict[str, Any]:
    found: dict[str, Any] = row["person"]
    return found


def _is_variant(system: str) -> bool:
    return system.startswith(_OWN_VARIANTS)


def _median(rows: Iterable[Row], name: str) -> float | None:
    found = spread([row[name] for row in rows if row.get(name) is not None])
    return found.p50 if found else None


def waits(figures: Figures) -> str:
    """Return the table of the waits, and of the false cut-offs that belong to them."""
    systems = figures.systems()
    headers = ("seconds", "turns", *(_COLUMNS.get(name, name.capitalize()) for name in systems))
    rows = [
        [
            f"{about}; {figures.date(profile)}",
            figures.turns(profile),
            *(figures.wait(profile, system) for system in systems),
        ]
        for profile, about in _PROFILES.items()
        if figures.turns(profile)
    ]
    for row in rows:
        row[2] = f"**{row[2]}**"
    return table(headers, [*rows, *_cut_offs(figures, systems)], numbers=True)


def _cut_offs(figures: Figures, systems: Sequence[str]) -> Iterator[list[object]]:
    live = {name: str(found.cut_turns) for name, found in figures.people.items()}
    count = figures.turns("people")
    yield ["false cut-offs: turns of people cut, in the calls of the first row", count, *_of(live, systems)]
    pauses = {name: str(found.cut_pauses) for name, found in figures.people.items()}
    yield ["false cut-offs: pauses of people in which words were heard, in the same calls", "-", *_of(pauses, systems)]
    replayed = {}
    for policy, system in _POLICIES.items():
        found = figures.policies[policy]
        cut = found["cut"]
        share = f"{cut['value']:.0%} [{cut['low']:.0%}, {cut['high']:.0%}]"
        replayed[system] = f"{share} at {found['mean']['value']:.2f} s"
    replayed[OFF] = replayed[DEFAULT_SYSTEM]
    about = "false cut-offs: pauses of people taken for the end, replayed; at the mean delay of true ends"
    yield [about, "-", *_of(replayed, systems)]


def _of(cells: dict[str, str], systems: Sequence[str]) -> list[str]:
    return [cells.get(system, "-") for system in systems]


def commands(figures: Figures) -> str:
    """Return the table of the commands of the figures."""
    rows = [
        [f"`{profile}`", f"`{run['command']}`", run["commit"], run["began"][:10]]
        for profile, run in figures.latency.profiles.items()
        if profile in _PROFILES
    ]
    rows.append(["false cut-offs, replayed", "`python -m benchmarks.turn_taking --recordings FOLDER`", "", ""])
    if figures.rulers:
        run = figures.rulers.about
        rows.append(["rulers of others", f"`{run['command'].splitlines()[-1].strip()}`", run["commit"], run["began"]])
    return table(("figures", "command", "commit", "date"), rows)


def rulers(figures: Figures) -> str:
    """Return in a sentence how well the rulers agree."""
    turns = answered(figures.rulers, variant=CORRECTED) if figures.rulers else []
    if not turns:
        return ""
    near = sum(abs(difference(row)) <= MAX_DIFFERENCE_S for row in turns)
    return (
        f"[voicebench](rulers.md), a program of others, played {len(turns)} turns to four systems while our ruler "
        f"listened: {near} differ by at most 40 ms, once voicebench's clock is corrected. By the turn-taking scores "
        "of tau-voice and EVA: the same page."
    )
