"""The report: tables in Markdown, and the same figures as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from agent_worker.turn_taking.end_of_turn import DETECTED_SILENCE_S
from agent_worker.turn_taking.fusion import FEATURES
from benchmarks.anticipation import before_end
from benchmarks.anticipation.calls import Calls
from benchmarks.anticipation.early import VARIANTS, decided_early
from benchmarks.anticipation.probes import Probes
from benchmarks.anticipation.settings import Delays, cut_shares, delays, heard_shares, parts, quickest
from benchmarks.harness import results
from benchmarks.harness.cli import ReportFiles
from benchmarks.harness.markdown import fill, table
from benchmarks.turn_taking import evaluate, harm
from benchmarks.turn_taking.evaluate import Floats, Interval, Outcomes
from benchmarks.turn_taking.features import Moment
from benchmarks.turn_taking.report import SCORED
from benchmarks.turn_taking.report_parts import interval, percent, ratio, seconds

SHARES = {"5%": 0.05, "10%": 0.1}
GOAL_S = 0.3
_HEARD_SHARES = {**SHARES, "20%": 0.2, "30%": 0.3}
_CONFIGURED, _PRESENT = "as configured", "as now"
_HEARD_S = harm.OURS.first_words_s


@dataclass(frozen=True)
class Run:
    """Everything that the report is made from.

    Attributes:
        moments: Of all recordings.
        probes: Of each recording.
        calls: What calls add.
        seed: Of the bootstrap.
        note: A sentence about the run.
    """

    moments: Sequence[Moment]
    probes: Sequence[Probes]
    calls: Calls
    seed: int
    note: str


def write(run: Run, files: ReportFiles) -> None:
    """Write the page and the JSON file."""
    scored = evaluate.usable([moment for moment in run.moments if moment.kind in SCORED])
    fits = evaluate.Fits(run.moments)
    curve = evaluate.fused_curve(scored, fits)
    bare = evaluate.replay_one(scored, fits, FEATURES)
    offsets = np.array([it.silence.since - it.start for it in scored if it.end is None and it.silence])
    early = [(variant, decided_early(variant, run.probes, scored, curve)) for variant in VARIANTS]
    turns = before_end.turns(run.probes)
    figures: dict[str, Any] = {
        "policy": _at(curve, run.seed) | {_CONFIGURED: delays(evaluate.configured(curve), 1.0, run.seed)},
        "cut_as_configured": float(cut_shares(evaluate.configured(curve))[0]),
        "detector": _at(bare, run.seed),
        "parts": _parts(curve, offsets),
        "bounds": _bounds(offsets, run.calls),
        "calls": run.calls,
        "early": {_PRESENT: _at(curve, run.seed)} | {it.name: _at(outcomes, run.seed) for it, outcomes in early},
        "before_the_end": {name: _before_end(found, curve, scored, run.seed) for name, found in turns.items()},
        "released": {name: _released(curve, share, run.seed) for name, share in _HEARD_SHARES.items()},
    }
    results.save(files.json, {"seed": run.seed, **figures}, depth=3)
    page = fill(
        Path(__file__).parent / "template.md",
        seed=run.seed,
        note=run.note,
        result=_result(figures, run.calls.after_decision),
        ends=len(offsets),
        pauses=len(scored) - len(offsets),
        short=early[0][1].delays.shape[1] - len(scored),
        speakers=len(set(curve.speakers)),
        after=milliseconds(run.calls.after_decision),
        own_after=milliseconds(run.calls.own_after_decision),
        transport=milliseconds(run.calls.transport),
        turns=len(turns["both"]),
        probes=sum(len(turn.scores) for turn in turns["both"]),
        heard_s=_HEARD_S,
        **_tables(figures, run.calls),
    )
    files.write_page(page)


def _at(outcomes: Outcomes, seed: int) -> dict[str, Delays]:
    return {name: delays(outcomes, share, seed) for name, share in SHARES.items()}


def _parts(curve: Outcomes, offsets: Floats) -> dict[str, Any]:
    settings = {name: quickest(curve, share) for name, share in SHARES.items()}
    settings[_CONFIGURED] = evaluate.configured(curve).delays[0]
    return {name: parts(found[curve.is_end], offsets) for name, found in settings.items() if found is not None}


def _bounds(offsets: Floats, calls: Calls) -> dict[str, float]:
    """Return the p50 of the first sound if every end were decided at one moment."""
    offset = float(np.median(offsets))
    return {
        f"{DETECTED_SILENCE_S} s after the last voice, as now at the earliest": offset + 0.256 + calls.after_decision,
        "0.128 s after the last voice": offset + 0.128 + calls.after_decision,
        "at the last voice that the voice activity detector hears": offset + calls.after_decision,
        "at the last sound (an oracle): transport, frames and jitter buffer alone": calls.after_decision,
    }


def _before_end(
    found: Sequence[before_end.Turn], curve: Outcomes, scored: Sequence[Moment], seed: int
) -> dict[str, Any]:
    """Return what a model knows before the end, and the p50 of the decision if anticipated ends need no silence."""
    figures: dict[str, Any] = {"auc": before_end.auc(found, seed)}
    at_ends = quickest(curve, SHARES["10%"])
    for name, allowed in SHARES.items():
        alarms = before_end.alarms(found, allowed, seed)
        known = [moment.end is None and moment.file in alarms.files for moment in scored]
        p50 = np.nan if at_ends is None else np.median(np.where(known, np.minimum(at_ends, 0), at_ends)[curve.is_end])
        figures[name] = {"false": alarms.false, "anticipated": alarms.anticipated, "p50": float(p50)}
    return figures


def _released(curve: Outcomes, share: float, seed: int) -> dict[str, Any]:
    """Return the delays of an opener that is heard in a share of the pauses, and of a decision that cuts as many."""
    chosen = quickest(curve, share, heard_shares(_HEARD_S))
    released = np.nan if chosen is None else cut_shares(replace(curve, delays=chosen[np.newaxis]))[0]
    found = delays(curve, share, seed, heard_shares(_HEARD_S))
    return {"released": float(released), "heard": found, "decided": delays(curve, share, seed)}


def _tables(figures: Mapping[str, Any], calls: Calls) -> dict[str, str]:
    after = calls.after_decision
    policy = [
        (name, share, interval(it.p50, seconds), interval(it.mean, seconds), first_sound(it.p50, after))
        for name in ("policy", "detector")
        for share, it in figures[name].items()
    ]
    consists = [
        (share, *map(seconds, (it.offset, it.window, it.doubt)), percent(it.at_once))
        for share, it in figures["parts"].items()
    ]
    bounds = [(name, seconds(at)) for name, at in figures["bounds"].items()]
    people = [
        (name, number, seconds(decided), seconds(heard)) for name, (heard, decided, number) in calls.people.items()
    ]
    early = [
        (name, *(interval(of, seconds) for share in SHARES for of in (at[share].p50, at[share].mean)))
        for name, at in figures["early"].items()
    ]
    before = [
        (name, share, interval(row["auc"], ratio), interval(row[share]["anticipated"], percent),
         interval(row[share]["false"], percent), seconds(row[share]["p50"] + after))
        for name, row in figures["before_the_end"].items() for share in SHARES
    ]  # fmt: skip
    released = [
        (f"at most {share}", percent(row["released"]), first_sound(row["heard"].p50, _HEARD_S),
         first_sound(row["decided"].p50, _HEARD_S))
        for share, row in figures["released"].items()
    ]  # fmt: skip
    early_heads = [f"{what} at {share}" for share in SHARES for what in ("p50", "mean")]
    before_heads = ["ends anticipated", "turns with a false alarm", "first sound, p50"]
    return {
        "policy": table(["", "pauses cut", "decision, p50", "decision, mean", "first sound, p50"], policy),
        "parts": table(["pauses cut", "offset", "silence", "doubt", "ends without doubt"], consists),
        "bounds": table(["every end decided", "first sound, p50"], bounds),
        "people": table(["turns of people in calls", "number", "decision, p50", "first sound, p50"], people),
        "early": table(["decided", *early_heads], early),
        "before": table(["model", "false alarms wanted", "AUC", *before_heads], before),
        "released": table(["of the pauses", "released in", "heard in so many", "decided in so many"], released),
    }  # fmt: skip


def first_sound(decision: Interval, after_s: float) -> str:
    """Return the time of the first sound, so long after a decision."""
    return interval(Interval(decision.value + after_s, decision.low + after_s, decision.high + after_s), seconds)


def milliseconds(value_s: float) -> str:
    """Return a short time."""
    return f"{value_s * 1000:.0f} ms"


def _result(figures: Mapping[str, Any], after: float) -> str:
    first = {share: seconds(it.p50.value + after) for share, it in figures["policy"].items()}
    early = [at["10%"].p50.value + after for name, at in figures["early"].items() if name != _PRESENT]
    heard = figures["released"]["10%"]["heard"].p50.value + _HEARD_S
    configured, at_10 = figures["cut_as_configured"], figures["policy"]["10%"].p50.value + after
    both, alarms = figures["before_the_end"]["both"]["auc"], figures["before_the_end"]["both"]["10%"]
    return (
        f"With 10 % of the pauses cut, half of the first sounds come within {first['10%']} of the caller's last; "
        f"with 5 %, {first['5%']}; as configured, {first[_CONFIGURED]}, with {percent(configured)} of the pauses cut. "
        f"The goal of {seconds(GOAL_S)} at 10 % is {'met' if at_10 <= GOAL_S else '**not met**'}. "
        f"Decisions before 0.256 s of silence: {seconds(min(early))} at best. An opener that is heard in 10 % of the "
        f"pauses: {seconds(heard)}. While the caller speaks, the models foresee {percent(alarms['anticipated'].value)} "
        f"of the ends, with false alarms in {percent(alarms['false'].value)} of the turns (AUC {ratio(both.value)})."
    )
