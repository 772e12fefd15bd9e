"""The parts of the report on harm, on what happens over the agent's speech, and on cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.harness.markdown import table, verdict
from benchmarks.turn_taking.caller_sounds import BACKCHANNEL, COUGH, SOURCES, WORDLESS
from benchmarks.turn_taking.cost import FUSED, MINI, Cost
from benchmarks.turn_taking.evaluate import Interval
from benchmarks.turn_taking.harm import Comparison, HarmFigures
from benchmarks.turn_taking.over_agent import OURS, STOCK
from benchmarks.turn_taking.over_agent_figures import OverAgent

_MAX_HARM_RATIO = 0.3
_MAX_YIELD_P50_S, _MAX_YIELD_P95_S = 0.5, 0.8
_MIN_BACKCHANNELS, _MIN_COUGHS = 0.95, 0.98
_MAX_CPU_MORE = 0.15
_MAX_DECISION_S = 0.04


@dataclass(frozen=True)
class CostFigures:
    """What a detector costs.

    Attributes:
        cpu: Share of one core.
        decisions: Number of decisions.
        p50_s: From the last frame to the decision.
        p95_s: The same.
        max_s: The same.
    """

    cpu: float
    decisions: int
    p50_s: float
    p95_s: float
    max_s: float


def cost_figures(cost: Cost) -> CostFigures:
    """Return the figures of a detector."""
    taken = np.array(cost.decisions_s or [math.nan])
    p50, p95 = np.quantile(taken, [0.5, 0.95])
    return CostFigures(cost.share, len(cost.decisions_s), float(p50), float(p95), float(taken.max()))


def harm_table(figures: Mapping[str, HarmFigures]) -> str:
    """Return the table of harmful cuts."""
    rows = [
        (
            name,
            interval(row.first_sound_s, seconds),
            interval(row.cut, percent),
            interval(row.heard, percent),
            interval(row.talked_over, percent),
            interval(row.in_pieces, percent),
            interval(row.harmful, percent),
        )
        for name, row in figures.items()
    ]
    return table(["policy", "first sound, mean", "cut", "words heard", "talked over", "in two pieces", "harmful"], rows)


def comparison_table(found: Mapping[str, Comparison]) -> str:
    """Return our harmful cuts beside the others' at the same delay."""
    rows = [
        (
            name,
            seconds(row.first_sound_s),
            interval(row.ours, percent),
            interval(row.theirs, percent),
            interval(row.ratio, ratio),
        )
        for name, row in found.items()
    ]
    return table(["compared", "first sound, mean", "ours", "stock livekit-agents", "ours over stock"], rows)


def yield_table(over: OverAgent) -> str:
    """Return the table of real interruptions."""
    rows = [
        (
            system,
            interval(row.yields, percent),
            interval(row.p50, seconds),
            interval(row.p95, seconds),
            interval(row.speaks_again, percent),
            interval(row.silent_p50, seconds),
            interval(row.silent_p95, seconds),
        )
        for system, row in over.yields.items()
    ]
    headers = ["system", "yields in 2 s", "p50", "p95", "is heard again", "silent for good, p50", "p95"]
    return table(headers, rows)


def selectivity_table(over: OverAgent) -> str:
    """Return the table of sounds that want nothing of the agent."""
    rows = [
        (
            kind,
            "{} of {}".format(*over.sounds[kind]),
            system,
            interval(row.unmoved, percent),
            interval(row.let_pass, percent),
            interval(row.released, percent),
        )
        for kind, systems in over.selectivity.items()
        for system, row in systems.items()
    ]
    headers = [
        "sound",
        "sounds, speakers",
        "system",
        "not silent at all",
        "let pass",
        "let pass, held at most 0.3 s",
    ]
    return table(headers, rows)


def sources(over: OverAgent) -> str:
    """Return where the sounds are from."""
    return "\n".join(f"- {kind}: {SOURCES[kind]}." for kind in over.sounds)


def lost(over: OverAgent) -> str:
    """Return what takes the answer from us although it should not."""
    names = [
        f"{kind}: {name}"
        for kind, systems in over.selectivity.items()
        for name in systems[OURS].lost[:3]
        if OURS in systems
    ]
    return "\n".join(f"- {name}" for name in names) or "- nothing"


def cost_table(costs: Mapping[str, CostFigures]) -> str:
    """Return the table of costs."""
    alone = costs[MINI].cpu
    rows = [
        (
            name,
            f"{row.cpu:.1%}",
            f"{row.cpu - alone:+.1%}",
            row.decisions,
            milliseconds(row.p50_s),
            milliseconds(row.p95_s),
            milliseconds(row.max_s),
        )
        for name, row in costs.items()
    ]
    headers = ["detector", "CPU, of one core", "over v1-mini", "answers", "last frame to answer, p50", "p95", "longest"]
    return table(headers, rows)


def goals(compared: Mapping[str, Comparison], over: OverAgent, costs: Mapping[str, CostFigures]) -> str:
    """Return the table of goals, and whether each is met."""
    yields, stock = over.yields[OURS], over.yields[STOCK]
    passed = {kind: systems[OURS] for kind, systems in over.selectivity.items()}
    more = costs[FUSED].cpu - costs[MINI].cpu
    rows: list[tuple[str, str, str, bool | None]] = [
        *((f"harmful cuts over stock's, {name}", interval(row.ratio, ratio), "at most 0.30",
           row.ratio.value <= _MAX_HARM_RATIO) for name, row in compared.items()),
        ("yield latency, p50", seconds(yields.p50.value), "at most 0.50 s", yields.p50.value <= _MAX_YIELD_P50_S),
        ("yield latency, p95", seconds(yields.p95.value), "at most 0.80 s", yields.p95.value <= _MAX_YIELD_P95_S),
        ("is heard again over an interruption", percent(yields.speaks_again.value),
         f"no more than stock, {percent(stock.speaks_again.value)}",
         yields.speaks_again.value <= stock.speaks_again.value),
        ("backchannels let pass", percent(passed[BACKCHANNEL].let_pass.value), "95%",
         passed[BACKCHANNEL].let_pass.value >= _MIN_BACKCHANNELS),
        # Synthetic coughs, of which the voice activity detector hears hardly any, show nothing.
        ("coughs let pass (synthetic ones only)", percent(passed[COUGH].let_pass.value), "98%", None),
        ("voice without words let pass", percent(passed[WORDLESS].let_pass.value), "98%",
         passed[WORDLESS].let_pass.value >= _MIN_COUGHS),
        ("CPU over v1-mini alone", f"{more:+.1%} of a core", "at most +15%", more <= _MAX_CPU_MORE),
        ("last frame to decision, p95", milliseconds(costs[FUSED].p95_s), "at most 40 ms",
         costs[FUSED].p95_s <= _MAX_DECISION_S),
    ]  # fmt: skip
    return table(["goal", "here", "wanted", ""], [(*row[:-1], verdict(row[-1])) for row in rows])


def interval(found: Interval, show: Callable[[float], str]) -> str:
    """Return a value with its confidence interval."""
    return "-" if math.isnan(found.value) else f"{show(found.value)} ({show(found.low)} to {show(found.high)})"


def percent(value: float) -> str:
    """Return a share."""
    return "-" if math.isnan(value) else f"{value:.0%}"


def seconds(value: float) -> str:
    """Return a time."""
    return "-" if math.isnan(value) else f"{value:.2f} s"


def milliseconds(value: float) -> str:
    """Return a short time."""
    return "-" if math.isnan(value) else f"{value * 1000:.0f} ms"


def ratio(value: float) -> str:
    """Return a ratio."""
    return "-" if math.isnan(value) else f"{value:.2f}"
