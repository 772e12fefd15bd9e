"""What do many turns say together?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_RESAMPLES = 4000
_SEED = 1


@dataclass(frozen=True)
class Spread:
    """Of a sample, in its own unit.

    Attributes:
        low: With ``high`` the 95 % confidence interval of the median.
    """

    count: int
    p50: float
    p95: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread | None:
    """None where there is nothing to tell."""
    if not values:
        return None
    sample = np.asarray(values, float)
    low, high = np.percentile(_medians(sample), (2.5, 97.5))
    p50, p95 = np.percentile(sample, (50, 95))
    return Spread(len(sample), float(p50), float(p95), float(low), float(high))


def _medians(sample: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bootstrap: the medians of as many samples drawn from this one, turn by turn and with replacement."""
    chance = np.random.default_rng(_SEED)
    medians: NDArray[np.float64] = np.median(chance.choice(sample, (_RESAMPLES, len(sample))), axis=1)
    return medians


@dataclass(frozen=True)
class Agreement:
    """How far one clock's values are from another's, p95 of the absolute difference."""

    count: int
    offset: float
    """Median of the difference."""
    p95: float


def agreement(pairs: Sequence[tuple[float, float]]) -> Agreement | None:
    """Of (theirs, ours)."""
    if not pairs:
        return None
    theirs, ours = np.asarray(pairs, float).T
    difference = theirs - ours
    return Agreement(len(pairs), float(np.median(difference)), float(np.percentile(np.abs(difference), 95)))
