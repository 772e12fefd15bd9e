"""What a detector does at the laxest cost of a cut that keeps within a share of cut pauses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from agent_worker.turn_taking.end_of_turn import DETECTED_SILENCE_S
from benchmarks.turn_taking.evaluate import Floats, Interval, Measure, Outcomes, with_interval

_LONG_S = 0.249
"""Pauses of 0.25 s and more are what the shares are of; cut pauses that are shorter count on top."""
_CLOCK_ERROR_S = 1e-6

Shares = Callable[[Outcomes], Floats]
"""Returns a share of the pauses for each setting."""


def cut_shares(outcomes: Outcomes) -> Floats:
    """Return cut pauses, shorter ones too, over the number of pauses of 0.25 s and more."""
    lasts = outcomes.duration[~outcomes.is_end]
    shares: Floats = (outcomes.delays[:, ~outcomes.is_end] < lasts).sum(axis=1) / (lasts > _LONG_S).sum()
    return shares


def heard_shares(first_sound_s: float) -> Shares:
    """Return how to count the pauses in which a sound is heard, so long after its release."""

    def shares(outcomes: Outcomes) -> Floats:
        return cut_shares(replace(outcomes, delays=outcomes.delays + first_sound_s))

    return shares


def quickest(outcomes: Outcomes, share: float, shares: Shares = cut_shares) -> Floats | None:
    """Return the delays of the quickest setting (mean of the ends) within a share of the pauses; None without one."""
    allowed = np.flatnonzero(shares(outcomes) <= share)
    if not len(allowed):
        return None
    delays: Floats = outcomes.delays[allowed[outcomes.mean_delays()[allowed].argmin()]]
    return delays


@dataclass(frozen=True)
class Delays:
    """From the callers' last sounds to the decisions at the ends, seconds."""

    p50: Interval
    mean: Interval


def delays(outcomes: Outcomes, share: float, seed: int, shares: Shares = cut_shares) -> Delays:
    """Return the delays at a share of the pauses; NaN if no setting keeps within it."""

    def at_ends(summary: Callable[[Floats], float]) -> Measure:
        def measure(some: Outcomes) -> float:
            found = quickest(some, share, shares)
            return float("nan") if found is None else float(summary(found[some.is_end]))

        return measure

    p50, mean = (with_interval(outcomes, at_ends(summary), seed) for summary in (np.median, np.mean))
    return Delays(p50, mean)


@dataclass(frozen=True)
class Parts:
    """What the mean delay of the ends consists of, seconds.

    Attributes:
        offset: From the caller's last sound to the voice activity detector's last voice.
        window: The silence before which nothing is decided.
        doubt: What the decision waits longer.
        at_once: Share of the ends that are decided without doubt.
    """

    offset: float
    window: float
    doubt: float
    at_once: float


def parts(delays_s: Floats, offsets_s: Floats) -> Parts:
    """Return what the delays of ends consist of."""
    doubt = delays_s - offsets_s - DETECTED_SILENCE_S
    at_once = float((doubt < _CLOCK_ERROR_S).mean())
    return Parts(float(offsets_s.mean()), DETECTED_SILENCE_S, float(doubt.mean()), at_once)
