"""Earlier decisions: a decision on the sound alone before the detector's first one, and that one afterwards.

Before 0.256 s of silence there are no words yet, so a fit of its own weighs v1-mini, smart-turn and the silence, with
the policy of the detector (``agent_worker.turn_taking.fusion``). Pauses that are too short for the detector are chances
to cut too: all of them are in the fit and in the count.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from agent_worker.turn_taking.end_of_turn import DETECTED_SILENCE_S
from benchmarks.anticipation.probes import ASKED_S, Answer, EarlySilence, Probes
from benchmarks.turn_taking.evaluate import CUT_COSTS_S, NEVER_S, Floats, Outcomes
from benchmarks.turn_taking.features import Moment
from training.end_of_turn import INVERSE_REGULARISATION, STEP_S

_LEAST_PROBABILITY = 0.01


@dataclass(frozen=True)
class Variant:
    """An earlier decision.

    Attributes:
        asked_s: The silence at which the models are asked.
        floor_s: The silence from which their answers count.
        factor: By how much an early decision has to be worth more than the detector's.
    """

    asked_s: float
    floor_s: float
    factor: float = 1.0

    @property
    def name(self) -> str:
        """Name in the report."""
        asked = f"from {self.floor_s} s, models asked at {self.asked_s} s"
        return asked if self.factor == 1 else f"{asked}, cuts {self.factor:g} times as dear"

    @property
    def times(self) -> Floats:
        """The silences at which it can decide before the detector."""
        times: Floats = np.arange(self.floor_s, DETECTED_SILENCE_S - 1e-6, STEP_S)
        return times

    def rows(self, silence: EarlySilence) -> Floats:
        """Return what is known at each of the times that the silence reaches, shape (times, features)."""
        reached = [at for at in self.times if at < lasts_s(silence) - 1e-6]
        if not reached or len(silence.answers) <= ASKED_S.index(self.asked_s):
            return np.zeros((0, 3))
        sound = logits(silence.answers[ASKED_S.index(self.asked_s)])
        return np.array([[math.log(at), *sound] for at in reached])


#: The last leaves the models as much time as they have now.
VARIANTS = tuple(Variant(asked, floor, factor) for asked, floor in ((0.064, 0.064), (0.128, 0.128), (0.064, 0.192))
                 for factor in (1.0, 10.0))  # fmt: skip


def lasts_s(silence: EarlySilence) -> float:
    """Return how long the silence lasts by the voice activity detector's clock; infinite at an end."""
    return math.inf if silence.resumed is None else silence.resumed - silence.since


def logits(answer: Answer) -> tuple[float, float]:
    """Return the log odds of v1-mini and smart-turn."""
    mini, smart = np.clip([answer.mini, answer.smart], _LEAST_PROBABILITY, 1 - _LEAST_PROBABILITY)
    return float(np.log(mini / (1 - mini))), float(np.log(smart / (1 - smart)))


class EarlyFit:
    """The early decision, fitted to silences.

    Args:
        variant: When it decides.
        known: The silences.
    """

    def __init__(self, variant: Variant, known: Sequence[EarlySilence]) -> None:
        self._variant = variant
        samples = [variant.rows(silence) for silence in known]
        is_end = [np.full(len(rows), silence.resumed is None) for rows, silence in zip(samples, known, strict=True)]
        self._model = make_pipeline(StandardScaler(), LogisticRegression(C=INVERSE_REGULARISATION, max_iter=1000))
        self._model.fit(np.concatenate(samples), np.concatenate(is_end))
        beyond = np.array([lasts_s(silence) for silence in known if silence.resumed is not None]) - variant.floor_s
        beyond = beyond[beyond > 0]
        span = DETECTED_SILENCE_S - variant.floor_s
        self._resumes_per_s = (beyond < span).sum() / np.minimum(beyond, span).sum()

    def decided(self, silence: EarlySilence) -> Floats:
        """Return the silence at which the turn ends for each cost of a cut; infinite if not early."""
        rows = self._variant.rows(silence)
        if not len(rows):
            return np.full(len(CUT_COSTS_S), math.inf)
        probability = self._model.predict_proba(rows)[:, 1]
        worth = probability / np.maximum(1e-9, (1 - probability) * self._resumes_per_s)
        ends = worth >= self._variant.factor * CUT_COSTS_S[:, np.newaxis]
        return np.where(ends.any(axis=1), self._variant.times[ends.argmax(axis=1)], math.inf)


def decided_early(variant: Variant, known: Sequence[Probes], scored: Sequence[Moment], curve: Outcomes) -> Outcomes:
    """Return the outcomes of a variant in front of the detector, fitted on the other dialogues.

    Args:
        variant: When it decides.
        known: Probes of all recordings.
        scored: The moments that the detector was asked about.
        curve: Its outcomes there. Those of the shorter pauses of the same recordings are appended.
    """

    @cache
    def fit(dialogue: str) -> EarlyFit:
        return EarlyFit(variant, [it for probes in known if probes.dialogue != dialogue for it in probes.silences])

    silences = {(probes.file, it.start): it for probes in known for it in probes.silences}
    delays = curve.delays.copy()
    for column, moment in enumerate(scored):
        if silence := silences.get((moment.file, moment.start)):
            early = fit(moment.dialogue).decided(silence) + silence.since - moment.start
            delays[:, column] = np.minimum(delays[:, column], early)
    files = {moment.file for moment in scored}
    short = [(it, p) for p in known if p.file in files for it in p.silences if it.start is None]
    more = [np.minimum(NEVER_S, fit(p.dialogue).decided(it)) for it, p in short]
    return Outcomes(
        np.concatenate([delays, np.reshape(more, (-1, len(CUT_COSTS_S))).T], axis=1),
        np.concatenate([curve.is_end, np.zeros(len(short), bool)]),
        np.concatenate([curve.duration, [lasts_s(it) for it, _ in short]]),
        np.concatenate([curve.speakers, [p.speaker for _, p in short]]),
    )
