"""Which cut pauses do harm: what the agent is heard to say in them, and what becomes of the turn.

A pause is cut if the turn is ended in it. It is harmfully cut if

- the agent's words are heard before the caller goes on,
- or the agent talks for more than 0.3 s over the caller who goes on,
- or the turn is answered in two pieces: the caller's words before and after the pause are two turns with two answers.

Otherwise the caller notices nothing: the reply was taken back before its first word. A soft sound that leaves the floor
with the caller ends no turn, so it cuts nothing. The time that counts is that of the first sound, not of the decision.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from agent_worker.turn_taking.continuation import MAX_HEARD_ANSWER_S
from benchmarks.turn_taking.evaluate import Bools, Floats, Interval, Outcomes, bootstrap

MAX_OVERLAP_S = 0.3
#: The caller has made a sound for so long when it is noticed (0.05 s of speech, in windows of 32 ms).
_NOTICED_S = 0.1


@dataclass(frozen=True)
class Speaker:
    """How soon an agent is heard, and how soon it is not; seconds.

    Attributes:
        first_words_s: From the decision to the first words.
        answer_s: From the decision to the answer.
        stop_s: From the caller's sound to silence.
        joins_s: If no more of the answer has been heard when the caller goes on, both parts become one turn. Negative:
            the parts are joined only as long as nothing is heard.
    """

    first_words_s: float
    answer_s: float
    stop_s: float
    joins_s: float


#: docs/benchmarks/latency.md, profile `cloud`: the pre-response is heard 0.11 to 0.17 s after the end of the turn (p50
#: to p95), the answer after 1.0 s. The floor stops it within 0.2 s of a sound that goes on.
OURS = Speaker(first_words_s=0.15, answer_s=1.0, stop_s=0.2, joins_s=MAX_HEARD_ANSWER_S)
#: The same page: the answer is heard 1.1 s after the end of the turn. It is paused when the voice activity detector has
#: heard 0.5 s of voice; a reply that is not yet heard when the caller goes on is held, and ended by the transcript.
STOCK = Speaker(first_words_s=1.1, answer_s=1.1, stop_s=0.55, joins_s=-1.0)


@dataclass(frozen=True)
class Harm:
    """What happens in each pause, shape (settings, pauses).

    Attributes:
        cut: The turn is ended.
        heard: Words are heard before the caller goes on.
        talked_over: The caller is talked over for more than 0.3 s.
        in_pieces: The turn is answered in two pieces.
    """

    cut: Bools
    heard: Bools
    talked_over: Bools
    in_pieces: Bools

    @property
    def harmful(self) -> Bools:
        """Whether any of it happens."""
        return self.heard | self.talked_over | self.in_pieces


def harm(outcomes: Outcomes, speaker: Speaker) -> Harm:
    """Return what happens in the pauses."""
    pauses = ~outcomes.is_end
    delays, ends = outcomes.delays[:, pauses], outcomes.duration[pauses]
    cut: Bools = delays < ends
    begins = delays + speaker.first_words_s
    heard = cut & (begins < ends)
    is_said = cut & (begins < ends + _NOTICED_S)  # later, the caller's sound keeps the agent from beginning
    overlap: Floats = ends + speaker.stop_s - np.maximum(begins, ends)
    answer_heard: Floats = ends - delays - speaker.answer_s
    return Harm(cut, heard, is_said & (overlap > MAX_OVERLAP_S), is_said & (answer_heard > speaker.joins_s))


def first_sounds(outcomes: Outcomes, speaker: Speaker) -> Floats:
    """Return the mean delay of each setting from the caller's last sound at an end to the agent's first."""
    means: Floats = outcomes.mean_delays() + speaker.first_words_s
    return means


def harmful_share_at(outcomes: Outcomes, speaker: Speaker, first_sound_s: float) -> float:
    """Return the share of harmfully cut pauses at a mean delay to the first sound; of the nearest setting beyond."""
    keys = first_sounds(outcomes, speaker)
    shares = harm(outcomes, speaker).harmful.mean(axis=1)
    order = np.argsort(keys, kind="stable")
    return float(np.interp(first_sound_s, keys[order], shares[order]))


@dataclass(frozen=True)
class HarmFigures:
    """Shares of all pauses, and the mean delay to the first sound, of one setting."""

    first_sound_s: Interval
    cut: Interval
    heard: Interval
    talked_over: Interval
    in_pieces: Interval
    harmful: Interval


def figures(outcomes: Outcomes, speaker: Speaker, seed: int) -> HarmFigures:
    """Return the figures of a policy with one setting."""

    def share(what: Callable[[Harm], Bools]) -> Interval:
        return bootstrap([outcomes], lambda some: float(what(harm(some[0], speaker)).mean()), seed)

    return HarmFigures(
        first_sound_s=bootstrap([outcomes], lambda some: float(first_sounds(some[0], speaker)[0]), seed),
        cut=share(lambda it: it.cut),
        heard=share(lambda it: it.heard),
        talked_over=share(lambda it: it.talked_over),
        in_pieces=share(lambda it: it.in_pieces),
        harmful=share(lambda it: it.harmful),
    )


@dataclass(frozen=True)
class Comparison:
    """Our harmful cuts beside another policy's, at its mean delay to the first sound.

    Attributes:
        first_sound_s: That delay.
        ours: Our share of harmfully cut pauses there.
        theirs: Theirs.
        ratio: Ours over theirs.
    """

    first_sound_s: float
    ours: Interval
    theirs: Interval
    ratio: Interval


def compare(curve: Outcomes, ours: Speaker, other: Outcomes, theirs: Speaker, seed: int) -> Comparison:
    """Compare our curve with another policy, the same speakers resampled in both.

    Args:
        curve: Ours, for each cost of a cut.
        ours: How soon we are heard.
        other: A policy with one setting.
        theirs: How soon it is heard.
        seed: Of the bootstrap.
    """

    def share(some: list[Outcomes]) -> float:
        return harmful_share_at(some[0], ours, float(first_sounds(some[1], theirs)[0]))

    def their_share(some: list[Outcomes]) -> float:
        return float(harm(some[1], theirs).harmful.mean())

    def ratio(some: list[Outcomes]) -> float:
        below = their_share(some)
        return share(some) / below if below else float("nan")

    both = [curve, other]
    return Comparison(
        first_sound_s=float(first_sounds(other, theirs)[0]),
        ours=bootstrap(both, share, seed),
        theirs=bootstrap(both, their_share, seed),
        ratio=bootstrap(both, ratio, seed),
    )
