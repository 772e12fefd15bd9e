"""Replay of settings over recorded turns, without models and clock, and the choice of a setting."""

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
"""Of turn-detector-v1-mini for English, and for an unknown language."""
MIN_MAX_DELAY_S = 1.8
"""Lower limit of ``max_delay``: the pauses of this set end at 1.2 s by construction; those of callers do not."""
TURNS_PER_CALL = 10
"""Dynamic endpointing learns during one call and starts anew in the next."""

_TRANSCRIPTION_DELAY_S = 0.2
_REPLY_DELAY_S = 1.0
_REPLY_S = 3.0
_DYNAMIC_ALPHA = 0.9
_RESAMPLES = 2000

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Setting:
    """Settings of an AgentSession that decide about the end of a turn.

    Attributes:
        vad: Name of the VAD.
        min_delay: Delay if the model takes a silence for the end, seconds.
        max_delay: Delay otherwise, seconds.
        threshold: Probability from which it does; None without a model (``turn_detection="vad"``).
        mode: Of the framework's endpointing.
    """

    vad: str
    min_delay: float
    max_delay: float
    threshold: float | None = DEFAULT_THRESHOLD
    mode: Literal["fixed", "dynamic"] = "fixed"

    def endpointing(self) -> BaseEndpointing:
        """Return the framework's own object for the setting."""
        if self.mode == "dynamic":
            return DynamicEndpointing(self.min_delay, self.max_delay, _DYNAMIC_ALPHA)
        return BaseEndpointing(self.min_delay, self.max_delay)


STOCK = Setting("inference 0.25", 0.3, 2.5)
"""An AgentSession without ``vad`` and ``turn_handling`` that uses the local model."""


@dataclass(frozen=True)
class Outcomes:
    """Outcomes of one setting, one element for each turn.

    Attributes:
        sentences: Number of the sentence.
        cuts: Whether the turn was ended at least once before the caller had finished.
        delays: From the last sound of the turn to the decision, seconds.
    """

    sentences: Integers
    cuts: Bools
    delays: Floats

    def of(self, sentences: Iterable[int]) -> Outcomes:
        """Return the outcomes of some sentences."""
        return self.at(np.flatnonzero(np.isin(self.sentences, list(sentences))))

    def at(self, rows: npt.NDArray[np.int64]) -> Outcomes:
        """Return the outcomes at these indices."""
        return Outcomes(self.sentences[rows], self.cuts[rows], self.delays[rows])

    @property
    def cut_share(self) -> float:
        """Share of turns that were cut."""
        return float(self.cuts.mean())

    @property
    def mean_delay(self) -> float:
        """Mean delay, seconds."""
        return float(self.delays.mean())


def simulate(turns: Sequence[Turn], setting: Setting, transcription_delay: float = _TRANSCRIPTION_DELAY_S) -> Outcomes:
    """Return what a session with this setting would have done.

    Args:
        turns: As the setting's VAD detected them.
        setting: What to replay.
        transcription_delay: From the last voice to the final transcript, seconds.

    Raises:
        ValueError: If the VAD missed the end of a turn.
    """
    outcomes: list[tuple[bool, float]] = []
    for call in range(0, len(turns), TURNS_PER_CALL):
        endpointing = setting.endpointing()
        call_time = 0.0
        for turn in turns[call : call + TURNS_PER_CALL]:
            outcomes.append(_replay(turn, setting.threshold, endpointing, call_time, transcription_delay))
            call_time += turn.end + setting.max_delay + _REPLY_DELAY_S + _REPLY_S
    return Outcomes(
        np.array([turn.sentence for turn in turns], np.int64),
        np.array([cut for cut, _ in outcomes], np.bool_),
        np.array([delay for _, delay in outcomes], np.float64),
    )


def _replay(
    turn: Turn, threshold: float | None, endpointing: BaseEndpointing, call_time: float, transcription_delay: float
) -> tuple[bool, float]:
    """Return whether the turn was cut, and its delay."""
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
        _reply(endpointing, call_time, decided_at + _REPLY_DELAY_S, silence.resumed_at)
    if ended_at is None:
        raise ValueError(f"the VAD missed the end of {turn.text!r} ({turn.voice})")
    return cut, ended_at - turn.end


def _end_of_turn(
    silence: Silence, threshold: float | None, endpointing: BaseEndpointing, transcription_delay: float
) -> float:
    """Return when the turn ends, unless the caller speaks again before."""
    earliest = max(silence.reported_at, silence.since + transcription_delay)
    if threshold is None:
        return max(earliest, silence.since + endpointing.min_delay)
    earliest = max(earliest, silence.predicted_at + silence.prediction_seconds)
    is_end_likely = silence.probability >= threshold
    return max(earliest, silence.since + (endpointing.min_delay if is_end_likely else endpointing.max_delay))


def _reply(endpointing: BaseEndpointing, call_time: float, starts_at: float, resumed_at: float | None) -> None:
    """Tell dynamic endpointing that the agent speaks, until its end or until the caller resumes."""
    if resumed_at is not None and starts_at >= resumed_at:
        return
    endpointing.on_start_of_agent_speech(call_time + starts_at)
    endpointing.on_end_of_agent_speech(call_time + (starts_at + _REPLY_S if resumed_at is None else resumed_at))


def grid(vads: Iterable[str]) -> list[Setting]:
    """Return the settings to choose from."""
    min_delays = (0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8)
    max_delays = (0.8, 1.0, 1.3, 1.5, 1.8, 2.0, 2.5, 3.0)
    thresholds = (0.1, 0.2, 0.3, DEFAULT_THRESHOLD, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9)
    modes: tuple[Literal["fixed", "dynamic"], ...] = ("fixed", "dynamic")
    return list(itertools.starmap(Setting, itertools.product(vads, min_delays, max_delays, thresholds, modes)))


Results = Mapping[Setting, Outcomes]


def simulate_all(traces: Mapping[str, Sequence[Turn]], settings: Iterable[Setting]) -> dict[Setting, Outcomes]:
    """Replay settings over the turns as each setting's VAD detected them."""
    return {setting: simulate(traces[setting.vad], setting) for setting in settings}


def halves(sentences: Integers, seed: int) -> tuple[frozenset[int], frozenset[int]]:
    """Return the sentences to choose the setting by, and those to report; both voices of a sentence stay together."""
    numbers = [int(number) for number in np.unique(sentences)]
    order = np.random.default_rng(seed).permutation(numbers)
    tuning = frozenset(int(number) for number in order[: len(order) // 2])
    return tuning, frozenset(numbers) - tuning


def choose(results: Results, sentences: Iterable[int], max_cut_share: float) -> Setting:
    """Return the setting with the lowest mean delay that cuts at most this share of the turns of some sentences."""
    allowed = {
        setting: outcomes
        for setting, outcomes in _allowed(results, sentences).items()
        if outcomes.cut_share <= max_cut_share
    }
    return min(allowed, key=lambda setting: (round(allowed[setting].mean_delay, 4), allowed[setting].cut_share))


def fewest_cuts(results: Results, sentences: Iterable[int], max_mean_delay: float) -> Setting:
    """Return the setting that cuts the fewest turns within this mean delay."""
    allowed = {
        setting: outcomes
        for setting, outcomes in _allowed(results, sentences).items()
        if outcomes.mean_delay <= max_mean_delay
    }
    return min(allowed, key=lambda setting: (allowed[setting].cut_share, round(allowed[setting].mean_delay, 4)))


def _allowed(results: Results, sentences: Iterable[int]) -> dict[Setting, Outcomes]:
    chosen = list(sentences)
    return {
        setting: outcomes.of(chosen) for setting, outcomes in results.items() if setting.max_delay >= MIN_MAX_DELAY_S
    }


def pareto_front(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the points (cut share, delay) that no other point beats in both, by increasing delay."""
    front: list[tuple[float, float]] = []
    for cut_share, delay in sorted(points, key=lambda point: (point[1], point[0])):
        if not front or cut_share < front[-1][0]:
            front.append((cut_share, delay))
    return front


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Summary:
    """Outcomes of one setting; delays in seconds."""

    turns: int
    cut_share: Interval
    mean_delay: Interval
    p50_delay: float
    p95_delay: float


def summarize(outcomes: Outcomes, seed: int, resamples: int = _RESAMPLES) -> Summary:
    """Return shares and delays with their confidence intervals (bootstrap over sentences)."""
    samples = [outcomes.at(rows) for rows in _resampled(outcomes.sentences, seed, resamples)]
    p50, p95 = np.quantile(outcomes.delays, [0.5, 0.95])
    return Summary(
        turns=len(outcomes.cuts),
        cut_share=_interval(outcomes.cut_share, [sample.cut_share for sample in samples]),
        mean_delay=_interval(outcomes.mean_delay, [sample.mean_delay for sample in samples]),
        p50_delay=float(p50),
        p95_delay=float(p95),
    )


def difference(ours: Outcomes, theirs: Outcomes, seed: int, resamples: int = _RESAMPLES) -> tuple[Interval, Interval]:
    """Return the differences of cut share and mean delay, turn by turn, with their confidence intervals."""
    cuts, delays = ours.cuts.astype(np.float64) - theirs.cuts, ours.delays - theirs.delays
    rows = list(_resampled(ours.sentences, seed, resamples))
    return (
        _interval(float(cuts.mean()), [float(cuts[row].mean()) for row in rows]),
        _interval(float(delays.mean()), [float(delays[row].mean()) for row in rows]),
    )


def _resampled(sentences: Integers, seed: int, resamples: int) -> Iterable[Integers]:
    """Yield indices of resampled sentences; whole sentences, because the two voices of one are not independent."""
    rows = [np.flatnonzero(sentences == number) for number in np.unique(sentences)]
    random = np.random.default_rng(seed)
    for _ in range(resamples):
        yield np.concatenate([rows[index] for index in random.integers(len(rows), size=len(rows))])


def _interval(value: float, samples: Sequence[float]) -> Interval:
    low, high = np.quantile(samples, [0.025, 0.975])
    return Interval(value, float(low), float(high))
