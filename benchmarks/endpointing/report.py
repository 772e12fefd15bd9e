"""The results as a table for the terminal, and as docs/benchmarks/endpointing.{md,json,svg}."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.endpointing import policy
from benchmarks.endpointing.plot import Marked, svg
from benchmarks.endpointing.policy import (
    DEFAULT_THRESHOLD,
    SHORTEST_MAX_DELAY,
    STOCK,
    TRANSCRIPTION_DELAY,
    Interval,
    Results,
    Setting,
    Summary,
)
from benchmarks.endpointing.turns import Turn

GRID_VADS = ("inference 0.25", "inference 0.30", "inference 0.55")
SPLITS = 100
BUDGETS = (0.5, 0.6, 0.7, 0.8, 1.0)
"""Mean delays in seconds for which the fewest cuts are looked up."""

UNTIL_NOW = replace(STOCK, vad="plugin 0.55")
# What the report compares with, beside the chosen setting.
REFERENCES = {
    "stock livekit-agents": STOCK,
    "stock, but max_delay 1.8": replace(STOCK, max_delay=SHORTEST_MAX_DELAY),
    "stock, but dynamic": replace(STOCK, mode="dynamic"),
    "agent_worker until now": UNTIL_NOW,
    "silero plugin at 0.25": replace(STOCK, vad="plugin 0.25"),
    "the framework's defaults for other detectors": replace(STOCK, min_delay=0.5, max_delay=3.0),
    "VAD alone, 0.5": replace(STOCK, min_delay=0.5, threshold=None),
    "VAD alone, 0.8": replace(STOCK, min_delay=0.8, threshold=None),
}


@dataclass(frozen=True)
class Row:
    name: str
    setting: Setting
    summary: Summary


@dataclass(frozen=True)
class Report:
    turns: Sequence[Turn]
    """As the stock session's VAD heard them."""
    chosen: Setting
    tuning: frozenset[int]
    rows: list[Row]
    cut_difference: Interval
    delay_difference: Interval
    transcription: list[tuple[float, Summary, Summary]]
    splits: SplitCheck
    noise: str
    results: Results

    @property
    def held_out(self) -> frozenset[int]:
        return frozenset(turn.sentence for turn in self.turns) - self.tuning


@dataclass(frozen=True)
class SplitCheck:
    """The whole choice, made again with other halves of the sentences."""

    cut_differences: list[float]
    delay_differences: list[float]
    chosen: Counter[Setting]


def evaluate(traces: Mapping[str, Sequence[Turn]], seed: int) -> Report:
    grid = policy.grid(GRID_VADS)
    results = policy.simulate_all(traces, [*grid, *REFERENCES.values()])
    in_grid = _only(results, grid)
    tuning, held_out = policy.halves(results.sentences, seed)
    chosen = policy.choose(in_grid, tuning, results.of(STOCK).of(tuning).cut_share)
    careful = policy.choose(in_grid, tuning, results.of(UNTIL_NOW).of(tuning).cut_share)
    named = {"chosen": chosen, **REFERENCES, "quickest with no more cuts than agent_worker until now": careful}
    named |= {f"fewest cuts within {delay} s": policy.fewest_cuts(in_grid, tuning, delay) for delay in BUDGETS}
    cuts, delays = policy.difference(results.of(chosen).of(held_out), results.of(STOCK).of(held_out), seed)
    return Report(
        turns=traces[STOCK.vad],
        chosen=chosen,
        tuning=tuning,
        rows=[
            Row(name, setting, policy.summarise(results.of(setting).of(held_out), seed))
            for name, setting in named.items()
        ],
        cut_difference=cuts,
        delay_difference=delays,
        transcription=list(_by_transcription_delay(traces, chosen, held_out, seed)),
        splits=_other_splits(in_grid, seed),
        noise=_by_noise(traces, {"stock": STOCK, "agent_worker until now": UNTIL_NOW, "chosen": chosen}),
        results=in_grid,
    )


def _only(results: Results, settings: Sequence[Setting]) -> Results:
    rows = [results.settings.index(setting) for setting in settings]
    return Results(tuple(settings), results.sentences, results.cuts[rows], results.delays[rows])


def _by_transcription_delay(
    traces: Mapping[str, Sequence[Turn]], chosen: Setting, held_out: Iterable[int], seed: int
) -> Iterator[tuple[float, Summary, Summary]]:
    for seconds in (TRANSCRIPTION_DELAY, 0.5, 0.8):
        stock, ours = (
            policy.summarise(policy.simulate(traces[setting.vad], setting, seconds).of(held_out), seed)
            for setting in (STOCK, chosen)
        )
        yield seconds, stock, ours


def _other_splits(results: Results, seed: int) -> SplitCheck:
    check = SplitCheck([], [], Counter())
    for split in range(1, SPLITS + 1):
        tuning, held_out = policy.halves(results.sentences, seed + split)
        chosen = policy.choose(results, tuning, results.of(STOCK).of(tuning).cut_share)
        ours, stock = results.of(chosen).of(held_out), results.of(STOCK).of(held_out)
        check.chosen[chosen] += 1
        check.cut_differences.append(ours.cut_share - stock.cut_share)
        check.delay_differences.append(ours.mean_delay - stock.mean_delay)
    return check


# --- for people ---


def table(report: Report) -> str:
    head = (
        "| setting | VAD, min_silence | min_delay | max_delay | threshold | mode "
        "| turns cut | delay mean | p50 | p95 |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    )
    return "\n".join([head, *(_table_row(row) for row in report.rows)])


def _table_row(row: Row) -> str:
    setting, summary = row.setting, row.summary
    name = f"**{row.name}**" if row.name.startswith(("chosen", "stock livekit")) else row.name
    threshold = "no model" if setting.threshold is None else f"{setting.threshold:.2f}"
    max_delay = "none" if setting.threshold is None else f"{setting.max_delay:.1f}"
    return (
        f"| {name} | {setting.vad} | {setting.min_delay:.2f} | {max_delay} | {threshold} | {setting.mode} "
        f"| {_percent(summary.cut_share)} | {_seconds(summary.mean_delay)} "
        f"| {summary.p50_delay.value:.2f} s | {summary.p95_delay.value:.2f} s |"
    )


def _percent(interval: Interval) -> str:
    return f"{interval.value:.1%} ({interval.low:.1%} to {interval.high:.1%})"


def _seconds(interval: Interval) -> str:
    return f"{interval.value:.2f} s ({interval.low:.2f} to {interval.high:.2f})"


def write(report: Report, traces: Mapping[str, Sequence[Turn]], folder: Path, seed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "endpointing.md").write_text(markdown(report, seed))
    (folder / "endpointing.svg").write_text(_plot(report))
    (folder / "endpointing.json").write_text(_json(report, traces, seed))


def _plot(report: Report) -> str:
    points = []
    for setting in report.results.settings:
        outcomes = report.results.of(setting).of(report.held_out)
        points.append((outcomes.cut_share, outcomes.mean_delay))
    colours = {
        "stock livekit-agents": "#c62828",
        "chosen": "#2e7d32",
        "quickest with no more cuts than agent_worker until now": "#81c784",
        "agent_worker until now": "#1565c0",
        "VAD alone, 0.5": "#ef6c00",
    }
    marked = [
        Marked(row.name, (row.summary.cut_share.value, row.summary.mean_delay.value), colours[row.name])
        for row in reversed(report.rows)  # the chosen one on top
        if row.name in colours
    ]
    title = "End-of-turn delay against turns cut in the middle, held-out sentences"
    return svg(title, points, policy.pareto_front(points), marked)


def _json(report: Report, traces: Mapping[str, Sequence[Turn]], seed: int) -> str:
    """One turn to a line, so that a change shows in a diff."""
    head = json.dumps(
        {
            "seed": seed,
            "tuning_sentences": sorted(report.tuning),
            "held_out": [asdict(row) for row in report.rows],
            "chosen_minus_stock": {
                "cut_share": asdict(report.cut_difference),
                "mean_delay": asdict(report.delay_difference),
            },
        },
        indent=1,
    )
    groups = [
        f"  {json.dumps(name)}: [\n" + ",\n".join(f"   {json.dumps(asdict(turn))}" for turn in turns) + "\n  ]"
        for name, turns in traces.items()
    ]
    return head[:-2] + ',\n "traces": {\n' + ",\n".join(groups) + "\n }\n}\n"


def markdown(report: Report, seed: int) -> str:
    template = (Path(__file__).parent / "template.md").read_text()
    turns = report.turns
    pauses = [end - begin for turn in turns for begin, end in turn.pauses]
    chosen = report.chosen
    values: dict[str, Any] = {
        "seed": seed,
        "recordings": len(turns),
        "sentences": len({turn.sentence for turn in turns}),
        "minutes": f"{sum(turn.end for turn in turns) / 60:.0f}",
        "pauses": len(pauses),
        "one_piece": f"{np.mean([turn.one_piece for turn in turns]):.0%}",
        "table": table(report),
        "vad": chosen.vad,
        "vad_late": f"{np.mean([turn.silences[-1].since - turn.end for turn in turns]):.2f}",
        "min_delay": chosen.min_delay,
        "max_delay": chosen.max_delay,
        "threshold": chosen.threshold,
        "mode": chosen.mode,
        "held_out_turns": report.rows[0].summary.turns,
        "cut_difference": _points(report.cut_difference),
        "delay_difference": f"{report.delay_difference.value:+.2f} s "
        f"({report.delay_difference.low:+.2f} to {report.delay_difference.high:+.2f})",
        "shortest_max_delay": SHORTEST_MAX_DELAY,
        "settings": len(report.results.settings),
        "splits": _splits(report.splits),
        "transcription": _transcription(report.transcription),
        "model": _model_table(turns),
        "noise": report.noise,
        "prediction_ms": f"{1000 * np.median([s.prediction_seconds for t in turns for s in t.silences]):.0f}",
    }
    return template.format(**values)


def _points(interval: Interval) -> str:
    return f"{100 * interval.value:+.1f} percentage points ({100 * interval.low:+.1f} to {100 * interval.high:+.1f})"


def _splits(splits: SplitCheck) -> str:
    cuts, delays = np.array(splits.cut_differences), np.array(splits.delay_differences)
    common = splits.chosen.most_common(3)
    lines = [
        f"The choice was made again with {len(cuts)} other halves. Against stock on the half not chosen by: delay "
        f"{delays.mean():+.2f} s on average ({delays.min():+.2f} to {delays.max():+.2f}), turns cut "
        f"{100 * cuts.mean():+.1f} percentage points ({100 * cuts.min():+.1f} to {100 * cuts.max():+.1f}); "
        f"no more turns cut than stock in {np.mean(cuts <= 0):.0%}. Chosen most often:",
        "",
        *(f"- {count} times {_in_words(setting)}" for setting, count in common),
    ]
    return "\n".join(lines)


def _in_words(setting: Setting) -> str:
    return (
        f"VAD {setting.vad}, min_delay {setting.min_delay}, max_delay {setting.max_delay}, "
        f"threshold {setting.threshold}, {setting.mode}"
    )


def _transcription(rows: Iterable[tuple[float, Summary, Summary]]) -> str:
    lines = ["| transcript after | stock: cut, mean delay | chosen: cut, mean delay |", "| --- | --- | --- |"]
    for seconds, stock, ours in rows:
        lines.append(f"| {seconds:.1f} s | {_short(stock)} | {_short(ours)} |")
    return "\n".join(lines)


def _short(summary: Summary) -> str:
    return f"{summary.cut_share.value:.1%}, {summary.mean_delay.value:.2f} s"


NOISE_GROUPS: dict[str, Callable[[Turn], bool]] = {
    "noise under -67 dBFS": lambda turn: turn.noise_dbfs < -67,
    "noise -67 to -58 dBFS": lambda turn: -67 <= turn.noise_dbfs < -58,
    "noise over -58 dBFS": lambda turn: turn.noise_dbfs >= -58,
}


def _model_table(turns: Sequence[Turn]) -> str:
    """Whether the model can tell a pause from an end, and what the noise does to it."""
    groups: dict[str, Callable[[Turn], bool]] = {
        "all": lambda turn: True,
        **NOISE_GROUPS,
        "spoken in one piece": lambda turn: turn.one_piece,
        "spoken in parts": lambda turn: not turn.one_piece,
    }
    lines = [
        f"| recordings | silences | median in a pause, at the end | over {DEFAULT_THRESHOLD} in a pause, at the end "
        "| end ranked over pause |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, belongs in groups.items():
        inside, at_end = _probabilities([turn for turn in turns if belongs(turn)])
        if inside.size and at_end.size:
            lines.append(
                f"| {name} | {inside.size + at_end.size} | {np.median(inside):.2f}, {np.median(at_end):.2f} "
                f"| {np.mean(inside >= DEFAULT_THRESHOLD):.0%}, {np.mean(at_end >= DEFAULT_THRESHOLD):.0%} "
                f"| {np.mean(at_end[:, None] > inside[None, :]):.0%} |"
            )
    return "\n".join(lines)


def _by_noise(traces: Mapping[str, Sequence[Turn]], settings: Mapping[str, Setting]) -> str:
    """Over all sentences: a third of one half would be too few."""
    lines = [f"| recordings | {' | '.join(settings)} |", "| --- |" + " --- |" * len(settings)]
    for group, belongs in NOISE_GROUPS.items():
        cells = []
        for setting in settings.values():
            outcomes = policy.simulate(traces[setting.vad], setting)
            inside = np.array([belongs(turn) for turn in traces[setting.vad]])
            cells.append(f"{outcomes.cuts[inside].mean():.0%}, {outcomes.delays[inside].mean():.2f} s")
        lines.append(f"| {group} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _probabilities(turns: Sequence[Turn]) -> tuple[policy.Floats, policy.Floats]:
    silences = [(silence.reported_at >= turn.end, silence.probability) for turn in turns for silence in turn.silences]
    return (
        np.array([probability for ended, probability in silences if not ended]),
        np.array([probability for ended, probability in silences if ended]),
    )
