"""Whether the caller's turn has ended, from all evidence and the silence so far.

A logistic regression gives the probability that a silence which has lasted this long is the end of the turn. The turn
ends when waiting on costs more than it saves: a pause resumes within the next moment with probability
``hazard * dt``, and to cut it is as bad as ``cut_cost_s`` seconds of waiting at an end. So the delay is a continuous
function of the evidence. ``training/end_of_turn.py`` fits the weights to recordings of people.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

FEATURES = (
    "log_silence",
    "late_silence",
    "mini",
    "smart",
    "incompleteness",
    "breaks_off",
    "asks",
)
_LATE_S = 0.8
_MIN_PROBABILITY = 0.01
_BREAKS_OFF = ("...", "…", ",", "-", "–", "—")


@dataclass(frozen=True)
class Evidence:
    """What is known in a silence of the caller.

    Attributes:
        mini: Probability of the end by v1-mini; None if unknown.
        smart: Probability of the end by smart-turn; None if unknown.
        completeness: How complete the words are; None without words.
        text: The words of the turn so far, with the recogniser's punctuation.
    """

    mini: float | None
    smart: float | None
    completeness: float | None
    text: str


@dataclass(frozen=True)
class Weight:
    """A feature's weight, after the mean is taken off and the scale divided out; an unknown feature counts as mean."""

    mean: float
    scale: float
    weight: float


@dataclass(frozen=True)
class Fusion:
    """The fitted model.

    Attributes:
        weights: By feature; those without weight are not used.
        bias: Of the logistic regression.
        hazard_shape: Pauses that have lasted `t` resume at the rate ``hazard_shape / (hazard_scale_s + t)``.
        hazard_scale_s: See there.
    """

    weights: Mapping[str, Weight]
    bias: float
    hazard_shape: float
    hazard_scale_s: float

    @classmethod
    @cache
    def load(cls, *, with_smart_turn: bool) -> Fusion:
        """Load the weights that come with the package, once."""
        file = resources.files("agent_worker.turn_taking").joinpath("data/end_of_turn.json")
        stored = json.loads(file.read_text(encoding="utf-8"))["with_smart_turn" if with_smart_turn else "without"]
        weights = {name: Weight(**weight) for name, weight in stored["weights"].items()}
        return cls(weights, stored["bias"], stored["hazard_shape"], stored["hazard_scale_s"])

    def probability(self, evidence: Evidence, silence_s: float) -> float:
        """Return the probability that a silence which has lasted so long is the end of the turn."""
        values = features(evidence, silence_s)
        score = self.bias
        for name, weight in self.weights.items():
            value = values[name]
            if value is not None:
                score += weight.weight * (value - weight.mean) / weight.scale
        return 1 / (1 + math.exp(-score))

    def is_end(self, evidence: Evidence, silence_s: float, cut_cost_s: float) -> bool:
        """Whether to end the turn now.

        Args:
            evidence: What is known.
            silence_s: How long the silence has lasted.
            cut_cost_s: How many seconds of waiting at an end are as bad as a cut pause.
        """
        probability = self.probability(evidence, silence_s)
        resumes_per_s = self.hazard_shape / (self.hazard_scale_s + silence_s)
        return probability >= (1 - probability) * resumes_per_s * cut_cost_s


def features(evidence: Evidence, silence_s: float) -> dict[str, float | None]:
    """Return the value of each feature; None if it is unknown."""
    text = evidence.text.rstrip()
    return {
        "log_silence": math.log(silence_s),
        "late_silence": max(0.0, math.log(silence_s / _LATE_S)),
        "mini": _logit(evidence.mini),
        "smart": _logit(evidence.smart),
        "incompleteness": None if evidence.completeness is None else min(0.0, _logit(evidence.completeness) or 0.0),
        "breaks_off": float(text.endswith(_BREAKS_OFF)) if text else None,
        "asks": float(text.endswith("?")) if text else None,
    }


def _logit(probability: float | None) -> float | None:
    if probability is None:
        return None
    bounded = min(max(probability, _MIN_PROBABILITY), 1 - _MIN_PROBABILITY)
    return math.log(bounded / (1 - bounded))
