"""What a session with certain settings would have done in the recorded turns. No models and no clock."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from livekit.agents.voice.endpointing import BaseEndpointing, DynamicEndpointing

from benchmarks.endpointing.turns import Silence, Turn

DEFAULT_THRESHOLD = 0.36
"""Of turn-detector-v1-mini for English, and for a language that is not known."""

TRANSCRIPTION_DELAY = 0.2
REPLY_DELAY = 1.0
REPLY_SECONDS = 3.0
TURNS_IN_A_CALL = 10
"""Dynamic endpointing learns during one call and begins anew in the next."""
SHORTEST_MAX_DELAY = 1.8
"""The pauses of this set end at 1.2 s because it was made so; callers' pauses do not."""

_ALPHA = 0.9

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Setting:
    vad: str
    min_delay: float
    max_delay: float
    threshold: float | None = DEFAULT_THRESHOLD
    """None: without an end-of-turn model, as turn_detection="vad" has it."""
    mode: Literal["fixed", "dynamic"] = "fixed"

    def endpointing(self) -> BaseEndpointing:
        if self.mode == "dynamic":
            return DynamicEndpointing(self.min_delay, self.max_delay, _ALPHA)
        return BaseEndpointing(self.min_delay, self.max_delay)


STOCK = Setting("inference 0.25", 0.3, 2.5)
"""AgentSession without vad and turn_handling, where the local model is used (not `dev`, not LiveKit Cloud)."""


@dataclass(frozen=True)
class Outcome:
    cut: bool
    """The turn was ended at least once before the caller had finished."""
    delay: float
    """From the last sound of the turn to its end being decided."""


@dataclass(frozen=True)
class Outcomes:
    """Of one setting over all turns, in the turns' order."""

    sentences: npt.NDArray[np.int64]
    cuts: Bools
    delays: Floats

    def of(self, sentences: Iterable[int]) -> Outcomes:
        chosen = np.isin(self.sentences, list(sentences))
        return Outcomes(self.sentences[chosen], self.cuts[chosen], self.delays[chosen])

    @property
    def cut_share(self) -> float:
        return float(self.cuts.mean())

    @property
    def mean_delay(self) -> float:
        return float(self.delays.mean())


def simulate(turns: Sequence[Turn], setting: Setting, transcription_delay: float = TRANSCRIPTION_DELAY) -> Outcomes:
    outcomes: list[Outcome] = []
    for call in range(0, len(turns), TURNS_IN_A_CALL):
        endpointing = setting.endpointing()
        call_time = 0.0
        for turn in turns[call : call + TURNS_IN_A_CALL]:
            outcomes.append(_replay(turn, setting.threshold, endpointing, call_time, transcription_delay))
            call_time += turn.end + setting.max_delay + REPLY_DELAY + REPLY_SECONDS
    return Outcomes(
        np.array([turn.sentence for turn in turns], np.int64),
        np.array([outcome.cut for outcome in outcomes], np.bool_),
        np.array([outcome.delay for outcome in outcomes], np.float64),
    )


def _replay(
    turn: Turn, threshold: float | None, endpointing: BaseEndpointing, call_time: float, transcription_delay: float
) -> Outcome:
    cut, ended_at = False, None
    for silence in turn.silences:
        endpointing.on_start_of_speech(call_time + silence.speech_from)
        endpointing.on_end_of_speech(call_time + silence.since)
        decided_at = _end_of_turn(silence, threshold, endpointing, transcription_delay)
        if silence.resumed_at is not None and decided_at >= silence.resumed_at:
            continue
        if decided_at < turn.end:
            cut = True
        elif ended_at is None:
            ended_at = decided_at
        _reply(endpointing, call_time, decided_at + REPLY_DELAY, silence.resumed_at)
    if ended_at is None:
        raise ValueError(f"the VAD missed the end of {turn.text!r} ({turn.voice})")
    return Outcome(cut, ended_at - turn.end)


def _end_of_turn(
    silence: Silence, threshold: float | None, endpointing: BaseEndpointing, transcription_delay: float
) -> float:
    """When the turn ends, unless the caller speaks again before."""
    earliest = max(silence.reported_at, silence.since + transcription_delay)
    if threshold is None:
        return max(earliest, silence.since + endpointing.min_delay)
    earliest = max(earliest, silence.predicted_at + silence.prediction_seconds)
    likely = silence.probability >= threshold
    return max(earliest, silence.since + (endpointing.min_delay if likely else endpointing.max_delay))


def _reply(endpointing: BaseEndpointing, call_time: float, starts_at: float, resumed_at: float | None) -> None:
    """The agent speaks, which dynamic endpointing takes into account; who goes on speaking stops it."""
    if resumed_at is None:
        endpointing.on_start_of_agent_speech(call_time + starts_at)
        endpointing.on_end_of_agent_speech(call_time + starts_at + REPLY_SECONDS)
    elif starts_at < resumed_at:
        endpointing.on_start_of_agent_speech(call_time + starts_at)
        endpointing.on_end_of_agent_speech(call_time + resumed_at)


def grid(vads: Iterable[str]) -> list[Setting]:
    min_delays = (0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8)
    max_delays = (0.8, 1.0, 1.3, 1.5, 1.8, 2.0, 2.5, 3.0)
    thresholds = (0.1, 0.2, 0.3, DEFAULT_THRESHOLD, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9)
    modes: tuple[Literal["fixed", "dynamic"], ...] = ("fixed", "dynamic")
    return [
        Setting(vad, min_delay, max_delay, threshold, mode)
        for vad, min_delay, max_delay, threshold, mode in itertools.product(
            vads, min_delays, max_delays, thresholds, modes
        )
    ]


@dataclass(frozen=True)
class Results:
    """Of many settings: one row for each setting, one column for each turn."""

    settings: tuple[Setting, ...]
    sentences: npt.NDArray[np.int64]
    cuts: Bools
    delays: Floats

    def of(self, setting: Setting) -> Outcomes:
        row = self.settings.index(setting)
        return Outcomes(self.sentences, self.cuts[row], self.delays[row])


def simulate_all(traces: Mapping[str, Sequence[Turn]], settings: Iterable[Setting]) -> Results:
    settings = tuple(dict.fromkeys(settings))
    outcomes = [simulate(traces[setting.vad], setting) for setting in settings]
    return Results(
        settings,
        outcomes[0].sentences,
        np.stack([outcome.cuts for outcome in outcomes]),
        np.stack([outcome.delays for outcome in outcomes]),
    )


def halves(sentences: npt.NDArray[np.int64], seed: int) -> tuple[frozenset[int], frozenset[int]]:
    """The sentences to choose the setting by, and those to report. Both voices of a sentence stay together."""
    numbers = [int(number) for number in np.unique(sentences)]
    order = np.random.default_rng(seed).permutation(numbers)
    tuning = frozenset(int(number) for number in order[: len(order) // 2])
    return tuning, frozenset(numbers) - tuning


def choose(results: Results, sentences: Iterable[int], most_cuts: float) -> Setting:
    """The quickest setting that cuts no larger share of these sentences' turns."""
    cut_shares, mean_delays = _on(results, sentences)
    allowed = np.flatnonzero(_robust(results) & (cut_shares <= most_cuts))
    # Of equally quick ones the one that cuts less.
    return results.settings[min(allowed, key=lambda row: (float(mean_delays[row].round(4)), float(cut_shares[row])))]


def fewest_cuts(results: Results, sentences: Iterable[int], longest_delay: float) -> Setting:
    """The other way round: what may be had for a mean delay of so many seconds."""
    cut_shares, mean_delays = _on(results, sentences)
    allowed = np.flatnonzero(_robust(results) & (mean_delays <= longest_delay))
    return results.settings[min(allowed, key=lambda row: (float(cut_shares[row]), float(mean_delays[row])))]


def _on(results: Results, sentences: Iterable[int]) -> tuple[Floats, Floats]:
    turns = np.isin(results.sentences, list(sentences))
    return results.cuts[:, turns].mean(axis=1), results.delays[:, turns].mean(axis=1)


def _robust(results: Results) -> Bools:
    return np.array([setting.max_delay >= SHORTEST_MAX_DELAY for setting in results.settings])


def pareto_front(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Those points (cut share, delay) that no other beats in both, by rising delay."""
    front: list[tuple[float, float]] = []
    for cut_share, delay in sorted(points, key=lambda point: (point[1], point[0])):
        if not front or cut_share < front[-1][0]:
            front.append((cut_share, delay))
    return front


@dataclass(frozen=True)
class Interval:
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Summary:
    turns: int
    cut_share: Interval
    mean_delay: Interval
    p50_delay: Interval
    p95_delay: Interval


def summarise(outcomes: Outcomes, seed: int, resamples: int = 2000) -> Summary:
    samples = [_pick(outcomes, rows) for rows in _resampled(outcomes.sentences, seed, resamples)]
    return Summary(
        turns=len(outcomes.cuts),
        cut_share=_interval(outcomes.cut_share, [sample.cut_share for sample in samples]),
        mean_delay=_interval(outcomes.mean_delay, [sample.mean_delay for sample in samples]),
        p50_delay=_interval(_quantile(outcomes, 0.5), [_quantile(sample, 0.5) for sample in samples]),
        p95_delay=_interval(_quantile(outcomes, 0.95), [_quantile(sample, 0.95) for sample in samples]),
    )


def difference(ours: Outcomes, theirs: Outcomes, seed: int, resamples: int = 2000) -> tuple[Interval, Interval]:
    """Cut share and mean delay of ours minus theirs, turn by turn: surer than two intervals held side by side."""
    cuts = ours.cuts.astype(np.float64) - theirs.cuts
    delays = ours.delays - theirs.delays
    rows = list(_resampled(ours.sentences, seed, resamples))
    return (
        _interval(float(cuts.mean()), [float(cuts[row].mean()) for row in rows]),
        _interval(float(delays.mean()), [float(delays[row].mean()) for row in rows]),
    )


def _resampled(sentences: npt.NDArray[np.int64], seed: int, resamples: int) -> Iterable[npt.NDArray[np.int64]]:
    """Whole sentences are drawn, as the two voices of one are not independent."""
    numbers = np.unique(sentences)
    rows = [np.flatnonzero(sentences == number) for number in numbers]
    rng = np.random.default_rng(seed)
    for _ in range(resamples):
        yield np.concatenate([rows[index] for index in rng.integers(len(rows), size=len(rows))])


def _pick(outcomes: Outcomes, rows: npt.NDArray[np.int64]) -> Outcomes:
    return Outcomes(outcomes.sentences[rows], outcomes.cuts[rows], outcomes.delays[rows])


def _quantile(outcomes: Outcomes, share: float) -> float:
    return float(np.quantile(outcomes.delays, share))


def _interval(value: float, samples: Sequence[float]) -> Interval:
    low, high = np.quantile(samples, [0.025, 0.975])
    return Interval(value, float(low), float(high))
