"""The report: tables in Markdown, and the same figures as JSON."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from benchmarks.harness import results
from benchmarks.harness.cli import ReportFiles
from benchmarks.harness.markdown import fill, table
from benchmarks.turn_taking import evaluate, harm
from benchmarks.turn_taking import report_parts as parts
from benchmarks.turn_taking.cost import Cost
from benchmarks.turn_taking.evaluate import (
    DEFAULT_CUT_COST_S,
    OUR_POLICY,
    OURS,
    STOCK,
    Interval,
    Outcomes,
    cut_share_at,
    delay_at,
    late_share_at,
    ratio_interval,
    with_interval,
)
from benchmarks.turn_taking.features import Moment
from benchmarks.turn_taking.harm import Comparison, HarmFigures
from benchmarks.turn_taking.over_agent_figures import OverAgent
from benchmarks.turn_taking.report_parts import interval, percent, seconds

SCORED = ("calls", "requests")
_DELAYS_S = (0.3, 0.45, 0.6, 0.9)
_CUT_SHARES = (0.05, 0.1)
_STRATUM_DELAY_S = 0.6
_STRATUM_DETECTORS = ("silence alone", "v1-mini", "smart-turn v3.2", "fused without smart-turn", OURS)
_MIN_STRATUM = 8
_FIRST_WORDS_S = (0.1, 0.15, 0.2)
_QUICK_STOCK = replace(harm.STOCK, first_words_s=harm.OURS.first_words_s, answer_s=harm.OURS.first_words_s)
_AS_CONFIGURED = "each heard as soon as it is"
_WORST = 3


@dataclass(frozen=True)
class Run:
    """Everything that the report is made from.

    Attributes:
        clean: Moments of all recordings.
        others: Moments of the scored kinds under other conditions.
        over: What happens over the agent's speech.
        costs: What each detector takes.
        mini_ms: How long v1-mini takes, milliseconds.
        smart_ms: How long smart-turn takes.
        seed: Of the bootstrap.
        note: A sentence about the run.
        shipped_weights: Whether the fused detector has the weights that come with the package.
    """

    clean: Sequence[Moment]
    others: Mapping[str, Sequence[Moment]]
    over: OverAgent
    costs: Mapping[str, Cost]
    mini_ms: float
    smart_ms: float
    seed: int
    note: str
    shipped_weights: bool = False

    @property
    def weights(self) -> str:
        """Where the weights of the fused detector are from."""
        if self.shipped_weights:
            return "the fused detector with the weights of the package, the others"
        return "each"


def write(run: Run, files: ReportFiles) -> None:
    """Write the page and the JSON file."""
    scored = [moment for moment in run.clean if moment.kind in SCORED]
    fits = evaluate.Fits(run.clean, shipped=run.shipped_weights)
    curves = evaluate.replay(scored, fits)
    policies = evaluate.policies(scored, fits)
    detectors = {name: _figures(outcomes, run.seed) for name, outcomes in curves.items()}
    configured = {name: _policy_figures(outcomes, run.seed) for name, outcomes in policies.items()}
    ratios = {
        delay: ratio_interval(curves[OURS], curves["v1-mini"], cut_share_at(delay), run.seed) for delay in (0.3, 0.6)
    }
    curve = evaluate.fused_curve(scored, fits)
    harms = _harms(policies, run.seed)
    compared = _compared(curve, policies[STOCK], run.seed)
    costs = {name: parts.cost_figures(cost) for name, cost in run.costs.items()}
    strata = _strata(run, fits)
    evidence = _evidence(scored)
    results.save(
        files.json,
        {
            "seed": run.seed,
            "shipped_weights": run.shipped_weights,
            "detectors": detectors,
            "fused_over_v1_mini": {f"cut at {delay} s": ratio for delay, ratio in ratios.items()},
            "policies": configured,
            "harm": harms,
            "harm_compared": compared,
            "over_agent": run.over,
            "cost": costs,
            "strata": strata,
            "evidence_auc": evidence,
        },
        depth=3,
    )
    usable = evaluate.usable(scored)
    ends = sum(moment.end is None for moment in usable)
    page = fill(
        Path(__file__).parent / "template.md",
        seed=run.seed,
        note=run.note,
        weights=run.weights,
        result=_result(curves, policies, ratios),
        speakers=len({moment.speaker for moment in usable}),
        ends=ends,
        pauses=len(usable) - ends,
        missed=len(scored) - len(usable),
        detectors=_detector_table(detectors),
        ratio_300=interval(ratios[0.3], parts.ratio),
        ratio_600=interval(ratios[0.6], parts.ratio),
        policies=_policy_table(configured),
        cut_cost=DEFAULT_CUT_COST_S,
        strata=_strata_table(strata),
        evidence=table(["evidence", "end over pause"], [(name, percent(value)) for name, value in evidence.items()]),
        worst=_worst(usable, policies[OUR_POLICY]),
        harms=parts.harm_table(harms),
        compared=parts.comparison_table(compared),
        goals=parts.goals(compared, run.over, costs),
        yields=parts.yield_table(run.over),
        selectivity=parts.selectivity_table(run.over),
        sources=parts.sources(run.over),
        lost=parts.lost(run.over),
        recogniser_delay=run.over.recogniser_delay_s,
        costs=parts.cost_table(costs),
        conversation_s=round(next(iter(run.costs.values())).seconds),
        first_words_s=harm.OURS.first_words_s,
        stop_s=harm.OURS.stop_s,
        answer_s=harm.OURS.answer_s,
        stock_first_words_s=harm.STOCK.first_words_s,
        stock_stop_s=harm.STOCK.stop_s,
        mini_ms=round(run.mini_ms),
        smart_ms=round(run.smart_ms),
    )
    files.write_page(page)


def _harms(policies: Mapping[str, Outcomes], seed: int) -> dict[str, HarmFigures]:
    ours, stock = policies[OUR_POLICY], policies[STOCK]
    found = {
        f"agent-worker, first words {delay} s after the decision": harm.figures(
            ours, replace(harm.OURS, first_words_s=delay), seed
        )
        for delay in _FIRST_WORDS_S
    }
    found[f"stock livekit-agents, {harm.STOCK.first_words_s} s after"] = harm.figures(stock, harm.STOCK, seed)
    found[f"the same, if it were heard {harm.OURS.first_words_s} s after"] = harm.figures(stock, _QUICK_STOCK, seed)
    return found


def _compared(curve: Outcomes, stock: Outcomes, seed: int) -> dict[str, Comparison]:
    return {
        _AS_CONFIGURED: harm.compare(curve, harm.OURS, stock, harm.STOCK, seed),
        "both heard 0.15 s after the decision": harm.compare(curve, harm.OURS, stock, _QUICK_STOCK, seed),
    }


def _figures(outcomes: Outcomes, seed: int) -> dict[str, Interval]:
    found = {f"cut at {delay} s": with_interval(outcomes, cut_share_at(delay), seed) for delay in _DELAYS_S}
    found |= {f"delay at {share:.0%}": with_interval(outcomes, delay_at(share), seed) for share in _CUT_SHARES}
    return found | {"over 1 s at 0.6 s": with_interval(outcomes, late_share_at(0.6), seed)}


def _policy_figures(outcomes: Outcomes, seed: int) -> dict[str, Any]:
    delays = outcomes.delays[0][outcomes.is_end]
    return {
        "cut": with_interval(outcomes, lambda some: float(some.cut_shares()[0]), seed),
        "mean": with_interval(outcomes, lambda some: float(some.mean_delays()[0]), seed),
        "p50": float(np.median(delays)),
        "p95": float(np.quantile(delays, 0.95)),
        "over 1 s": with_interval(outcomes, lambda some: float(some.late_shares()[0]), seed),
    }


def _strata(run: Run, fits: evaluate.Fits) -> dict[str, dict[str, float]]:
    scored = [moment for moment in run.clean if moment.kind in SCORED]
    groups: dict[str, Sequence[Moment]] = {
        kind: [moment for moment in run.clean if moment.kind == kind] for kind in ("calls", "requests", "monologues")
    }
    lengths: dict[str, Callable[[Moment], bool]] = {
        "spoken under 3 s": lambda moment: moment.spoken_s < 3,
        "spoken 3 to 10 s": lambda moment: 3 <= moment.spoken_s < 10,
        "spoken over 10 s": lambda moment: moment.spoken_s >= 10,
        "pauses within a sentence": lambda moment: moment.end is None or moment.hint in ("mid", "filler"),
        "pauses after a sentence": lambda moment: moment.end is None or moment.hint == "sentence",
    }
    groups |= {name: [moment for moment in scored if chosen(moment)] for name, chosen in lengths.items()}
    found = {}
    for name, group in {**groups, **run.others}.items():
        usable = evaluate.usable(group)
        ends = sum(moment.end is None for moment in usable)
        if min(ends, len(usable) - ends) < _MIN_STRATUM:
            continue
        row = {"ends": float(ends), "pauses": float(len(usable) - ends)}
        for detector in _STRATUM_DETECTORS:
            curve = evaluate.replay_one(usable, fits, evaluate.DETECTORS[detector])
            row[detector] = cut_share_at(_STRATUM_DELAY_S)(curve)
        found[name] = row
    return found


def _evidence(scored: Sequence[Moment]) -> dict[str, float]:
    heard = [moment for moment in scored if moment.silence and moment.mini]
    is_end = [moment.end is None for moment in heard]
    columns: dict[str, Callable[[Moment], float]] = {
        "v1-mini": lambda moment: moment.mini[0],
        "smart-turn v3.2": lambda moment: moment.smart[0],
        "completeness of the words": lambda moment: moment.completeness,
        "loudness: how far the end falls": lambda moment: moment.prosody.level_drop_db,
        "pitch: how far the end falls": lambda moment: moment.prosody.pitch_drop,
        "unvoiced share of the last 0.5 s": lambda moment: -moment.prosody.voiced_share,
        "shortness of the turn": lambda moment: -moment.spoken_s,
    }
    return {
        name: float(roc_auc_score(is_end, [column(moment) for moment in heard])) for name, column in columns.items()
    }


def _worst(usable: Sequence[Moment], ours: Outcomes) -> str:
    """Name the recordings with the most cut pauses and the longest waits."""
    harm: dict[str, float] = defaultdict(float)
    notes: dict[str, list[str]] = defaultdict(list)
    for moment, delay in zip(usable, ours.delays[0], strict=True):
        if moment.end is None:
            harm[moment.file] += max(0.0, float(delay) - 1.0)
            notes[moment.file] += [f"end after {delay:.2f} s"] if delay > 1 else []
        elif delay < moment.end - moment.start:
            harm[moment.file] += 1.0
            notes[moment.file].append(f"pause of {moment.end - moment.start:.2f} s cut")
    worst = sorted(harm, key=lambda name: -harm[name])[:_WORST]
    return "\n".join(f"- `{name}`: {', '.join(notes[name])}." for name in worst)


def _result(curves: Mapping[str, Outcomes], policies: Mapping[str, Outcomes], ratios: Mapping[float, Interval]) -> str:
    shares = {name: cut_share_at(0.6)(curve) for name, curve in curves.items()}
    ours, stock = policies[OUR_POLICY], policies[STOCK]
    return (
        f"At a mean delay of 600 ms the fused detector cuts {percent(shares[OURS])} of the pauses, v1-mini "
        f"{percent(shares['v1-mini'])}, smart-turn {percent(shares['smart-turn v3.2'])}, silence alone "
        f"{percent(shares['silence alone'])}. As configured, it cuts {percent(float(ours.cut_shares()[0]))} at "
        f"{seconds(float(ours.mean_delays()[0]))} mean delay; stock livekit-agents cuts "
        f"{percent(float(stock.cut_shares()[0]))} at {seconds(float(stock.mean_delays()[0]))}."
    )


def _detector_table(figures: Mapping[str, Mapping[str, Interval]]) -> str:
    names = list(next(iter(figures.values())))
    rows = [
        [name, *(interval(row[key], seconds if key.startswith("delay") else percent) for key in names)]
        for name, row in figures.items()
    ]
    return table(["detector", *names], rows)


def _policy_table(figures: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        (
            name,
            interval(row["cut"], percent),
            interval(row["mean"], seconds),
            seconds(row["p50"]),
            seconds(row["p95"]),
            interval(row["over 1 s"], percent),
        )
        for name, row in figures.items()
    ]
    return table(["policy", "pauses cut", "delay mean", "p50", "p95", "ends over 1 s"], rows)


def _strata_table(strata: Mapping[str, Mapping[str, float]]) -> str:
    rows = [
        (name, f"{row['ends']:.0f}", f"{row['pauses']:.0f}", *(percent(row[key]) for key in _STRATUM_DETECTORS))
        for name, row in strata.items()
    ]
    return table(["recordings", "ends", "pauses", *_STRATUM_DETECTORS], rows)
