"""Yield latency and selectivity, with confidence intervals by speaker."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.harness.cli import progress
from benchmarks.turn_taking.caller_sounds import INTERRUPTION, KINDS, CallerSound
from benchmarks.turn_taking.evaluate import Floats, Interval, measured
from benchmarks.turn_taking.over_agent import OURS, STOCK, Reaction, react

SYSTEMS = (OURS, STOCK)


@dataclass(frozen=True)
class Yields:
    """What a system does at real interruptions; the first sound of the caller is the origin of all times.

    Attributes:
        yields: Share that it falls silent at within 2 s.
        p50: Seconds to its silence, of those.
        p95: The same.
        speaks_again: Share at which it is heard again while the caller speaks.
        silent_p50: Seconds to the silence that lasts as long as the caller speaks.
        silent_p95: The same.
    """

    yields: Interval
    p50: Interval
    p95: Interval
    speaks_again: Interval
    silent_p50: Interval
    silent_p95: Interval


@dataclass(frozen=True)
class Selectivity:
    """What a system does at sounds that want nothing of it.

    Attributes:
        unmoved: Share at which it does not fall silent within 1 s: tau-voice's selectivity.
        let_pass: Share after which the answer goes on, and that become no turn.
        released: Share of those let pass, in all, that hold the answer at most until 0.3 s after the sound.
        lost: Names of the sounds that are not let pass.
    """

    unmoved: Interval
    let_pass: Interval
    released: Interval
    lost: tuple[str, ...]


@dataclass(frozen=True)
class OverAgent:
    """The figures of all sounds.

    Attributes:
        sounds: Number of sounds and of speakers of each kind.
        yields: By system.
        selectivity: By kind, then by system.
        recogniser_delay_s: See ``react``.
    """

    sounds: Mapping[str, tuple[int, int]]
    yields: Mapping[str, Yields]
    selectivity: Mapping[str, Mapping[str, Selectivity]]
    recogniser_delay_s: float


def over_agent(sounds: Sequence[CallerSound], recogniser_delay_s: float, seed: int) -> OverAgent:
    """Play every sound over an answer of each system, and return the figures."""
    reactions: dict[str, list[Reaction]] = {}
    for system in SYSTEMS:
        progress(f"{system}: {len(sounds)} sounds over its answers")
        reactions[system] = [react(system, sound, recogniser_delay_s) for sound in sounds]
    return figures(sounds, reactions, recogniser_delay_s, seed)


def figures(
    sounds: Sequence[CallerSound],
    reactions: Mapping[str, Sequence[Reaction]],
    recogniser_delay_s: float,
    seed: int,
) -> OverAgent:
    """Return the figures of the reactions of each system to the sounds."""
    of = {kind: [index for index, sound in enumerate(sounds) if sound.kind == kind] for kind in KINDS}

    def pick(kind: str, system: str) -> list[tuple[CallerSound, Reaction]]:
        return [(sounds[index], reactions[system][index]) for index in of[kind]]

    return OverAgent(
        sounds={kind: (len(rows), len({sounds[index].speaker for index in rows})) for kind, rows in of.items() if rows},
        yields={system: _yields(pick(INTERRUPTION, system), seed) for system in reactions if of[INTERRUPTION]},
        selectivity={
            kind: {system: _selectivity(pick(kind, system), seed) for system in reactions}
            for kind, rows in of.items()
            if rows and kind != INTERRUPTION
        },
        recogniser_delay_s=recogniser_delay_s,
    )


def _yields(found: Sequence[tuple[CallerSound, Reaction]], seed: int) -> Yields:
    speakers = [sound.speaker for sound, _ in found]
    latencies = [reaction.yield_s() for _, reaction in found]
    lasting = [reaction.silent_s(sound.end_s - sound.start_s) for sound, reaction in found]
    again = [reaction.speaks_again_before(sound.end_s - sound.start_s) for sound, reaction in found]

    def of(values: Sequence[float], measure: Callable[[Floats], float]) -> Interval:
        return measured(values, speakers, measure, seed)

    return Yields(
        yields=of([not math.isnan(latency) for latency in latencies], _mean),
        p50=of(latencies, _quantile(0.5)),
        p95=of(latencies, _quantile(0.95)),
        speaks_again=of(again, _mean),
        silent_p50=of(lasting, _quantile(0.5)),
        silent_p95=of(lasting, _quantile(0.95)),
    )


def _selectivity(found: Sequence[tuple[CallerSound, Reaction]], seed: int) -> Selectivity:
    speakers = [sound.speaker for sound, _ in found]

    def share(values: Iterable[bool]) -> Interval:
        return measured(list(values), speakers, _mean, seed)

    return Selectivity(
        unmoved=share(reaction.is_unmoved() for _, reaction in found),
        let_pass=share(reaction.lets_pass() for _, reaction in found),
        released=share(reaction.released_within(sound.end_s - sound.start_s) for sound, reaction in found),
        lost=tuple(f"{sound.name}: {sound.words}" for sound, reaction in found if not reaction.lets_pass()),
    )


def _mean(values: Floats) -> float:
    return float(values.mean())


def _quantile(share: float) -> Callable[[Floats], float]:
    def measure(values: Floats) -> float:
        known = values[~np.isnan(values)]
        return float(np.quantile(known, share)) if len(known) else float("nan")

    return measure
