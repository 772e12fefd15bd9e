"""Replay of detectors and whole policies over the moments of recordings, fitted on other dialogues.

A pause is cut if the turn is ended before the caller's next sound. The delay of an end is the time from the caller's
last sound to the decision. Every detector gets the same policy (``agent_worker.turn_taking.fusion``), fitted with its
own evidence, and swept over the cost of a cut; so the curves differ by the evidence alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from agent_worker.core.settings import Settings
from agent_worker.turn_taking.end_of_turn import CHECKPOINTS_S
from agent_worker.turn_taking.fusion import FEATURES, Fusion
from agent_worker.turn_taking.pause_length import Pause, pause_after
from benchmarks.turn_taking.features import Moment, asked_in_time
from training.end_of_turn import LAST_S, evidence, fit, silences

SILENCE = ("log_silence", "late_silence")
DETECTORS: Mapping[str, tuple[str, ...]] = {
    "silence alone": SILENCE,
    "v1-mini": (*SILENCE, "mini"),
    "smart-turn v3.2": (*SILENCE, "smart"),
    "both": (*SILENCE, "mini", "smart"),
    "words alone": (*SILENCE, "incompleteness", "breaks_off", "asks"),
    "fused without smart-turn": tuple(name for name in FEATURES if name != "smart"),
    "fused": FEATURES,
}
#: Those of our detector, which asks the models ahead.
OURS_FEATURES = (FEATURES, DETECTORS["fused without smart-turn"])
OURS = "fused"
CUT_COSTS_S = np.geomspace(0.01, 60, 70)
DEFAULT_CUT_COST_S = 0.5
MAX_DELAY_S = 1.8
OUR_POLICY, STOCK = "agent-worker, fused", "stock livekit-agents"
_OPEN_DELAY_S: float = Settings.model_fields["endpointing_open_delay"].default
_DICTATION_DELAY_S: float = Settings.model_fields["endpointing_dictation_delay"].default
NEVER_S = 1e6
_RESAMPLES = 1000

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Outcomes:
    """Decisions of one detector, shape (settings, moments).

    Attributes:
        delays: From the caller's last sound to the decision, seconds.
        is_end: Of each moment, whether it is the end of the turn.
        duration: Of each pause, seconds.
        speakers: Of each moment.
    """

    delays: Floats
    is_end: Bools
    duration: Floats
    speakers: npt.NDArray[np.str_]

    def at(self, rows: npt.NDArray[np.int64] | Bools) -> Outcomes:
        """Return the outcomes of some moments."""
        return Outcomes(self.delays[:, rows], self.is_end[rows], self.duration[rows], self.speakers[rows])

    def cut_shares(self) -> Floats:
        """Return the share of cut pauses of each setting."""
        pauses = ~self.is_end
        shares: Floats = (self.delays[:, pauses] < self.duration[pauses]).mean(axis=1)
        return shares

    def mean_delays(self) -> Floats:
        """Return the mean delay of the ends of each setting."""
        means: Floats = self.delays[:, self.is_end].mean(axis=1)
        return means

    def late_shares(self, over_s: float = 1.0) -> Floats:
        """Return the share of ends of each setting that wait longer."""
        shares: Floats = (self.delays[:, self.is_end] > over_s).mean(axis=1)
        return shares


Measure = Callable[[Outcomes], float]


def cut_share_at(mean_delay_s: float) -> Measure:
    """Return how to read the share of cut pauses at a mean delay from the curve; NaN where the curve has none."""
    return lambda outcomes: _interpolated(outcomes.mean_delays(), outcomes.cut_shares(), mean_delay_s)


def delay_at(cut_share: float) -> Measure:
    """Return how to read the mean delay at a share of cut pauses from the curve."""
    return lambda outcomes: _interpolated(outcomes.cut_shares(), outcomes.mean_delays(), cut_share)


def late_share_at(mean_delay_s: float) -> Measure:
    """Return how to read the share of ends that wait longer than 1 s, at a mean delay."""
    return lambda outcomes: _interpolated(outcomes.mean_delays(), outcomes.late_shares(), mean_delay_s)


def _interpolated(keys: Floats, values: Floats, key: float) -> float:
    order = np.argsort(keys, kind="stable")
    if not keys[order[0]] <= key <= keys[order[-1]]:
        return float("nan")
    return float(np.interp(key, keys[order], values[order]))


class Fits:
    """Fusions fitted on all dialogues but one; each is fitted once.

    Args:
        train: The moments to fit on.
        shipped: Whether the fused detector has the weights that come with the package, as for recordings on which they
            were not fitted.
    """

    def __init__(self, train: Sequence[Moment], *, shipped: bool = False) -> None:
        self._train = train
        self._train_in_time = [asked_in_time(moment) for moment in train]
        self._shipped = shipped
        self._fitted: dict[tuple[str, tuple[str, ...]], Fusion] = {}

    def without(self, dialogue: str, features: tuple[str, ...]) -> Fusion:
        """Return the fusion of these features, fitted on the other dialogues."""
        if self._shipped and features in OURS_FEATURES:
            return Fusion.load(with_smart_turn=features == FEATURES)
        key = dialogue, features
        if key not in self._fitted:
            train = self._train if features in OURS_FEATURES else self._train_in_time
            others = [moment for moment in train if moment.dialogue != dialogue]
            self._fitted[key] = fit(others, features)
        return self._fitted[key]


def replay(test: Sequence[Moment], fits: Fits) -> dict[str, Outcomes]:
    """Return the outcomes of every detector; each dialogue is judged by a fit on the others."""
    test = usable(test)
    return {name: replay_one(test, fits, features) for name, features in DETECTORS.items()}


def usable(found: Sequence[Moment]) -> list[Moment]:
    """Return the moments without those ends that the voice activity detector does not hear at all."""
    return [moment for moment in found if moment.end is not None or (moment.silence and moment.mini)]


def _decided(moment: Moment, fusion: Fusion) -> Floats:
    """Return the delay for each cost of a cut."""
    if not (moment.silence and moment.mini):
        return np.full(len(CUT_COSTS_S), NEVER_S)  # no turn ends in a silence that is not noticed
    times = silences()
    probability = np.array([fusion.probability(evidence(moment, at), at) for at in times])
    hazard = fusion.hazard_shape / (fusion.hazard_scale_s + times)
    worth = probability / np.maximum(1e-9, (1 - probability) * hazard)
    ends = worth[np.newaxis, :] >= CUT_COSTS_S[:, np.newaxis]
    decided = np.where(ends.any(axis=1), times[ends.argmax(axis=1)], LAST_S)
    return decided + moment.silence.since - moment.start


def policies(test: Sequence[Moment], fits: Fits) -> dict[str, Outcomes]:
    """Return the outcomes of whole policies as they are configured; each has one setting."""
    test = usable(test)
    ours = configured(fused_curve(test, fits))
    detected = CHECKPOINTS_S[0]
    fixed: dict[str, Callable[[Moment], float]] = {
        "agent-worker, livekit-mini": lambda moment: max(
            detected, 0.25 if moment.mini_in_time[0] >= 0.36 else MAX_DELAY_S, least_pause_s(moment)
        ),
        "agent-worker, smart-turn": lambda moment: max(
            detected, 0.25 if moment.smart[0] >= 0.5 else MAX_DELAY_S, least_pause_s(moment)
        ),
        STOCK: lambda moment: max(detected, 0.3 if moment.mini_in_time[0] >= 0.36 else 2.5),
        "smart-turn, then 3 s (Pipecat's default)": lambda moment: detected if moment.smart_in_time[0] > 0.5 else 3.0,
        "silence of 0.8 s": lambda moment: 0.8,
    }
    found = {OUR_POLICY: ours}
    for name, wait in fixed.items():
        delays = [
            moment.silence.since + wait(moment) - moment.start if moment.silence and moment.mini else NEVER_S
            for moment in test
        ]
        found[name] = _outcomes(np.array([delays]), test)
    return found


def fused_curve(test: Sequence[Moment], fits: Fits) -> Outcomes:
    """Return the outcomes of our whole policy, for each cost of a cut.

    Unlike the bare detector's, its decision comes at the latest after ``MAX_DELAY_S``, and not before the pause that
    the words demand (``pause_length.py``).
    """
    test = usable(test)
    curve = replay_one(test, fits, FEATURES)
    shift = np.array([moment.silence.since - moment.start if moment.silence else 0.0 for moment in test])
    least = np.array([least_pause_s(moment) for moment in test])
    delays = np.maximum(np.minimum(curve.delays, MAX_DELAY_S + shift), least + shift)
    delays = np.where(curve.delays < NEVER_S, delays, NEVER_S)
    return Outcomes(delays, curve.is_end, curve.duration, curve.speakers)


def configured(curve: Outcomes) -> Outcomes:
    """Return the outcomes at the default cost of a cut."""
    column = int(np.abs(np.log(CUT_COSTS_S / DEFAULT_CUT_COST_S)).argmin())
    return Outcomes(curve.delays[[column]], curve.is_end, curve.duration, curve.speakers)


@cache
def least_pause_s(moment: Moment) -> float:
    """Return how long a pause the words so far demand by the defaults of the settings; 0 if they demand none."""
    pause = pause_after(moment.text, moment.question or None, "en") if moment.text else Pause.USUAL
    return {Pause.USUAL: 0.0, Pause.OPEN: _OPEN_DELAY_S, Pause.DICTATION: _DICTATION_DELAY_S}[pause]


def replay_one(test: Sequence[Moment], fits: Fits, features: tuple[str, ...]) -> Outcomes:
    """Return the outcomes of one detector, as :func:`replay` does."""
    delays = np.zeros((len(CUT_COSTS_S), len(test)))
    known = test if features in OURS_FEATURES else [asked_in_time(moment) for moment in test]
    for dialogue in sorted({moment.dialogue for moment in test}):
        fusion = fits.without(dialogue, features)
        for index, moment in enumerate(known):
            if moment.dialogue == dialogue:
                delays[:, index] = _decided(moment, fusion)
    return _outcomes(delays, test)


def _outcomes(delays: Floats, test: Sequence[Moment]) -> Outcomes:
    return Outcomes(
        delays,
        np.array([moment.end is None for moment in test]),
        np.array([np.inf if moment.end is None else moment.end - moment.start for moment in test]),
        np.array([moment.speaker for moment in test]),
    )


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % confidence interval."""

    value: float
    low: float
    high: float


def with_interval(outcomes: Outcomes, measure: Measure, seed: int) -> Interval:
    """Return a measure with its confidence interval."""
    return bootstrap([outcomes], lambda some: measure(some[0]), seed)


def ratio_interval(ours: Outcomes, theirs: Outcomes, measure: Measure, seed: int) -> Interval:
    """Return our measure over theirs with its confidence interval, the same speakers resampled in both."""

    def ratio(some: list[Outcomes]) -> float:
        below = measure(some[1])
        return measure(some[0]) / below if below else float("nan")

    return bootstrap([ours, theirs], ratio, seed)


def bootstrap(outcomes: Sequence[Outcomes], measure: Callable[[list[Outcomes]], float], seed: int) -> Interval:
    """Return a measure of outcomes of the same moments, with its confidence interval (bootstrap over speakers)."""
    first = outcomes[0]
    samples = [
        measure([some.at(chosen) for some in outcomes])
        for chosen in resampled(first.speakers, seed)
        if first.is_end[chosen].any() and not first.is_end[chosen].all()
    ]
    return _interval(measure(list(outcomes)), samples)


def resampled(speakers: npt.NDArray[np.str_], seed: int) -> Iterator[npt.NDArray[np.int64]]:
    """Yield the rows of as many speakers as there are, drawn anew each time."""
    names = np.unique(speakers)
    rows = {name: np.flatnonzero(speakers == name) for name in names}
    random = np.random.default_rng(seed)
    for _ in range(_RESAMPLES):
        yield np.concatenate([rows[name] for name in random.choice(names, len(names))])


def measured(
    values: Sequence[float], speakers: Sequence[str], measure: Callable[[Floats], float], seed: int
) -> Interval:
    """Return a measure of values, one for each sound, with its confidence interval (bootstrap over speakers)."""
    known = np.array(values, float)
    samples = [measure(known[chosen]) for chosen in resampled(np.array(speakers), seed)]
    return _interval(measure(known), samples)


def _interval(value: float, samples: Sequence[float]) -> Interval:
    if np.isnan(samples).all():
        return Interval(value, float("nan"), float("nan"))
    low, high = np.nanquantile(samples, [0.025, 0.975])
    return Interval(value, float(low), float(high))
