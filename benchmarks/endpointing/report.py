"""Evaluation of the settings, and the report: a page, a plot and the raw results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.endpointing import policy
from benchmarks.endpointing.policy import MIN_MAX_DELAY_S, STOCK, Interval, Results, Setting, Summary
from benchmarks.endpointing.turns import Turn
from benchmarks.harness.cli import ReportFiles
from benchmarks.harness.markdown import fill, table

_GRID_VADS = ("inference 0.25", "inference 0.30", "inference 0.55")
_MEAN_DELAYS_S = (0.5, 0.6, 0.7, 0.8, 1.0)
"""For each the setting with the fewest cuts is reported."""
_FORMER = replace(STOCK, vad="plugin 0.55")
_REFERENCES = {
    "stock livekit-agents": STOCK,
    "stock, but max_delay 1.8": replace(STOCK, max_delay=MIN_MAX_DELAY_S),
    "stock, but dynamic": replace(STOCK, mode="dynamic"),
    "agent_worker formerly": _FORMER,
    "silero plugin at 0.25": replace(STOCK, vad="plugin 0.25"),
    "the framework's defaults for other detectors": replace(STOCK, min_delay=0.5, max_delay=3.0),
    "VAD alone, 0.5": replace(STOCK, min_delay=0.5, threshold=None),
    "VAD alone, 0.8": replace(STOCK, min_delay=0.8, threshold=None),
}
_QUICKEST = "quickest with no more cuts than agent_worker formerly"
_COLOURS = {
    "VAD alone, 0.5": "#ef6c00",
    "agent_worker formerly": "#1565c0",
    _QUICKEST: "#81c784",
    "stock livekit-agents": "#c62828",
    "chosen": "#2e7d32",
}
_COLUMNS = (
    "setting",
    "VAD, min_silence",
    "min_delay",
    "max_delay",
    "threshold",
    "mode",
    "turns cut",
    "delay mean",
    "p50",
    "p95",
)


@dataclass(frozen=True)
class Row:
    """A named setting and its outcomes on the reported sentences."""

    name: str
    setting: Setting
    summary: Summary


@dataclass(frozen=True)
class Evaluation:
    """All that the report says.

    Attributes:
        turns: As the VAD of a stock session detected them.
        chosen: The setting that was chosen.
        tuning: Sentences that it was chosen by; the others are reported.
        rows: Named settings.
        cut_difference: Cut share of the chosen setting less that of stock.
        delay_difference: The same of the mean delay, seconds.
        grid: Outcomes of all settings to choose from.
    """

    turns: Sequence[Turn]
    chosen: Setting
    tuning: frozenset[int]
    rows: list[Row]
    cut_difference: Interval
    delay_difference: Interval
    grid: Results


def evaluate(traces: Mapping[str, Sequence[Turn]], seed: int) -> Evaluation:
    """Replay all settings, choose one by half of the sentences, and compare on the other half."""
    grid = policy.simulate_all(traces, policy.grid(_GRID_VADS))
    results = {**grid, **policy.simulate_all(traces, [each for each in _REFERENCES.values() if each not in grid])}
    tuning, reported = policy.halves(results[STOCK].sentences, seed)
    chosen = policy.choose(grid, tuning, results[STOCK].of(tuning).cut_share)
    quickest = policy.choose(grid, tuning, results[_FORMER].of(tuning).cut_share)
    named = {"chosen": chosen, **_REFERENCES, _QUICKEST: quickest}
    named |= {f"fewest cuts within {delay} s": policy.fewest_cuts(grid, tuning, delay) for delay in _MEAN_DELAYS_S}
    cuts, delays = policy.difference(results[chosen].of(reported), results[STOCK].of(reported), seed)
    return Evaluation(
        turns=traces[STOCK.vad],
        chosen=chosen,
        tuning=tuning,
        rows=[
            Row(name, setting, policy.summarize(results[setting].of(reported), seed)) for name, setting in named.items()
        ],
        cut_difference=cuts,
        delay_difference=delays,
        grid=grid,
    )


def raw(evaluation: Evaluation, traces: Mapping[str, Sequence[Turn]], seed: int) -> dict[str, Any]:
    """Return the raw results: everything is computed again from ``seed`` and ``traces``."""
    return {
        "seed": seed,
        "tuning_sentences": sorted(evaluation.tuning),
        "held_out": evaluation.rows,
        "chosen_minus_stock": {
            "cut_share": evaluation.cut_difference,
            "mean_delay": evaluation.delay_difference,
        },
        "traces": traces,
    }


def write(evaluation: Evaluation, files: ReportFiles, seed: int) -> None:
    """Write the page and the plot."""
    _draw(evaluation, files)
    files.write_page(markdown(evaluation, seed))


def settings_table(evaluation: Evaluation) -> str:
    """Return the table of the named settings."""
    return table(_COLUMNS, map(_cells, evaluation.rows))


def _cells(row: Row) -> list[str]:
    setting, summary = row.setting, row.summary
    has_model = setting.threshold is not None
    return [
        f"**{row.name}**" if row.name.startswith(("chosen", "stock livekit")) else row.name,
        setting.vad,
        f"{setting.min_delay:.2f}",
        f"{setting.max_delay:.1f}" if has_model else "none",
        f"{setting.threshold:.2f}" if has_model else "no model",
        setting.mode,
        f"{summary.cut_share.value:.1%} ({summary.cut_share.low:.1%} to {summary.cut_share.high:.1%})",
        f"{summary.mean_delay.value:.2f} s ({summary.mean_delay.low:.2f} to {summary.mean_delay.high:.2f})",
        f"{summary.p50_delay:.2f} s",
        f"{summary.p95_delay:.2f} s",
    ]


def markdown(evaluation: Evaluation, seed: int) -> str:
    """Return the page."""
    turns, chosen = evaluation.turns, evaluation.chosen
    cuts, delays = evaluation.cut_difference, evaluation.delay_difference
    pauses = [end - begin for turn in turns for begin, end in turn.pauses]
    return fill(
        Path(__file__).parent / "template.md",
        seed=seed,
        recordings=len(turns),
        sentences=len({turn.sentence for turn in turns}),
        minutes=f"{sum(turn.end for turn in turns) / 60:.0f}",
        pauses=len(pauses),
        one_piece=f"{np.mean([turn.one_piece for turn in turns]):.0%}",
        table=settings_table(evaluation),
        vad=chosen.vad,
        vad_late=f"{np.mean([turn.silences[-1].since - turn.end for turn in turns]):.2f}",
        min_delay=chosen.min_delay,
        max_delay=chosen.max_delay,
        threshold=chosen.threshold,
        mode=chosen.mode,
        held_out_turns=evaluation.rows[0].summary.turns,
        cut_difference=f"{100 * cuts.value:+.1f} percentage points ({100 * cuts.low:+.1f} to {100 * cuts.high:+.1f})",
        delay_difference=f"{delays.value:+.2f} s ({delays.low:+.2f} to {delays.high:+.2f})",
        shortest_max_delay=MIN_MAX_DELAY_S,
        settings=len(evaluation.grid),
        prediction_ms=f"{1000 * np.median([s.prediction_seconds for turn in turns for s in turn.silences]):.0f}",
    )


def _draw(evaluation: Evaluation, files: ReportFiles) -> None:
    """Plot the delay of every setting against its cut turns, on the reported sentences."""
    from benchmarks.harness.plots import figure  # matplotlib is slow to import

    reported = frozenset(turn.sentence for turn in evaluation.turns) - evaluation.tuning
    outcomes = [each.of(reported) for each in evaluation.grid.values()]
    points = [(each.cut_share, each.mean_delay) for each in outcomes]
    distinct = sorted({(round(cut_share, 2), round(delay, 2)) for cut_share, delay in points})
    summaries = {row.name: row.summary for row in evaluation.rows}
    with figure(files.plot) as (_, (panel,)):
        panel.scatter(*zip(*distinct, strict=True), s=6, color="#9aa4b0", alpha=0.45, linewidths=0)
        panel.step(*zip(*policy.pareto_front(points), strict=True), where="pre", color="#222", linewidth=1)
        for name, colour in _COLOURS.items():
            cut_share, delay = summaries[name].cut_share.value, summaries[name].mean_delay.value
            panel.plot(cut_share, delay, "o", color=colour, label=name)
        panel.set_title(
            "End-of-turn delay against turns cut in the middle, held-out sentences", loc="left", fontsize=10
        )
        panel.set_xlabel("turns cut in the middle")
        panel.xaxis.set_major_formatter("{x:.0%}")
        panel.set_xlim(left=0)
        panel.set_ylabel("mean end-of-turn delay, s")
        panel.set_ylim(bottom=0)
        panel.grid(alpha=0.3)
        panel.legend(fontsize=8)
