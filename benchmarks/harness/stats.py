"""Statistics of measured values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_RESAMPLES = 4000
_SEED = 1


@dataclass(frozen=True)
class Spread:
    """A sample's distribution, in the sample's unit.

    Attributes:
        count: Number of values.
        p50: Median.
        p95: 95th percentile.
        low: Lower end of the median's 95 % confidence interval.
        high: Upper end of it.
    """

    count: int
    p50: float
    p95: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread | None:
    """Return the distribution of a sample, or None if it is empty."""
    if not values:
        return None
    sample = np.asarray(values, float)
    low, high = np.percentile(_bootstrap_medians(sample, np.random.default_rng(_SEED)), (2.5, 97.5))
    p50, p95 = np.percentile(sample, (50, 95))
    return Spread(len(sample), float(p50), float(p95), float(low), float(high))


def median_difference(first: Sequence[float], second: Sequence[float]) -> tuple[float, float, float]:
    """Return the difference of two medians, and the ends of its 95 % confidence interval (bootstrap)."""
    random = np.random.default_rng(_SEED)
    samples = [np.asarray(values, float) for values in (first, second)]
    medians = [_bootstrap_medians(sample, random) for sample in samples]
    low, high = np.percentile(medians[0] - medians[1], (2.5, 97.5))
    return float(np.median(samples[0]) - np.median(samples[1])), float(low), float(high)


def _bootstrap_medians(sample: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    medians: NDArray[np.float64] = np.median(random.choice(sample, (_RESAMPLES, len(sample))), axis=1)
    return medians


def percentile(values: Sequence[float], percent: float) -> float:
    """Return a percentile, or NaN of an empty sample."""
    return float(np.percentile(values, percent)) if values else math.nan


@dataclass(frozen=True)
class Agreement:
    """How well two clocks agree, seconds.

    Attributes:
        count: Number of pairs.
        offset: Median of the difference.
        p95: 95th percentile of the absolute difference.
    """

    count: int
    offset: float
    p95: float


def agreement(pairs: Sequence[tuple[float, float]]) -> Agreement | None:
    """Compare pairs of values; the difference is the first less the second. None if there are no pairs."""
    if not pairs:
        return None
    first, second = np.asarray(pairs, float).T
    difference = first - second
    return Agreement(len(pairs), float(np.median(difference)), float(np.percentile(np.abs(difference), 95)))


def wilson_interval(count: int, total: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a share (Wilson, 1927)."""
    if not total:
        return 0.0, 1.0
    z = 1.959964
    share, term = count / total, z * z / total
    middle = (share + term / 2) / (1 + term)
    half = z * math.sqrt(share * (1 - share) / total + term / (4 * total)) / (1 + term)
    return max(0.0, middle - half), min(1.0, middle + half)
