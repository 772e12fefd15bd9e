"""Before the end: do the models know, while the caller still speaks, that he is about to end?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from benchmarks.anticipation.early import logits
from benchmarks.anticipation.probes import Probes
from benchmarks.turn_taking.evaluate import Floats, Interval, measured

SOON_S = 0.3
ALARM_S = 0.5
"""An alarm so long before the end is in time; an earlier one is false."""


@dataclass(frozen=True)
class Turn:
    """Scores of a turn's probes.

    Attributes:
        before_end_s: Of each probe.
        scores: Of each probe.
    """

    file: str
    speaker: str
    dialogue: str
    before_end_s: Floats
    scores: Floats

    @property
    def highest_false(self) -> float:
        """The highest score before the last ``ALARM_S``."""
        return float(self.scores[self.before_end_s > ALARM_S].max(initial=-np.inf))

    @property
    def highest_true(self) -> float:
        """The highest score in the last ``ALARM_S``."""
        return float(self.scores[self.before_end_s <= ALARM_S].max(initial=-np.inf))


def turns(known: Sequence[Probes]) -> dict[str, list[Turn]]:
    """Return the turns as each model scores them; ``both``: a logistic regression on the other dialogues."""
    known = [probes for probes in known if probes.speech]
    times = [np.array([it.before_end_s for it in probes.speech]) for probes in known]
    values = [np.array([logits(it.answer) for it in probes.speech]) for probes in known]

    def both(number: int) -> Floats:
        others = [row for row, probes in enumerate(known) if probes.dialogue != known[number].dialogue]
        model = LogisticRegression(class_weight="balanced")
        model.fit(np.concatenate([values[row] for row in others]),
                  np.concatenate([times[row] <= SOON_S for row in others]))  # fmt: skip
        scores: Floats = model.decision_function(values[number])
        return scores

    def scored(scores: Sequence[Floats]) -> list[Turn]:
        found = zip(known, times, scores, strict=True)
        return [Turn(probes.file, probes.speaker, probes.dialogue, at, score) for probes, at, score in found]

    return {
        "v1-mini": scored([rows[:, 0] for rows in values]),
        "smart-turn v3.2": scored([rows[:, 1] for rows in values]),
        "both": scored([both(number) for number in range(len(known))]),
    }


def auc(found: Sequence[Turn], seed: int) -> Interval:
    """Return how often a moment in the last ``SOON_S`` of a turn ranks over another in speech."""

    def measure(rows: Floats) -> float:
        chosen = [found[int(row)] for row in rows]
        soon = np.concatenate([turn.before_end_s for turn in chosen]) <= SOON_S
        return float(roc_auc_score(soon, np.concatenate([turn.scores for turn in chosen])))

    return measured(list(range(len(found))), [turn.speaker for turn in found], measure, seed)


@dataclass(frozen=True)
class Alarms:
    """What alarms at a threshold that was chosen on the other dialogues do.

    Attributes:
        false: Share of the turns with an alarm more than ``ALARM_S`` before the end.
        anticipated: Share of the ends with an alarm in the last ``ALARM_S``.
        files: The turns whose end is anticipated.
    """

    false: Interval
    anticipated: Interval
    files: tuple[str, ...]


def alarms(found: Sequence[Turn], allowed: float, seed: int) -> Alarms:
    """Return what alarms do that may be false in a share of the turns."""
    thresholds: Mapping[str, float] = {
        dialogue: float(np.quantile([it.highest_false for it in found if it.dialogue != dialogue], 1 - allowed,
                                    method="higher"))
        for dialogue in {turn.dialogue for turn in found}
    }  # fmt: skip
    speakers = [turn.speaker for turn in found]
    false = [float(turn.highest_false > thresholds[turn.dialogue]) for turn in found]
    hits = [float(turn.highest_true > thresholds[turn.dialogue]) for turn in found]
    files = tuple(turn.file for turn, hit in zip(found, hits, strict=True) if hit)
    return Alarms(measured(false, speakers, np.mean, seed), measured(hits, speakers, np.mean, seed), files)
