"""Callers who hesitate, for those who have no recordings of people: synthetic sentences with pauses.

The pauses are of at most 1.2 s. An answer of the simulated providers takes longer, so that only a pre-response can be
heard in one.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from agent_worker.core.folders import cache_dir
from benchmarks.endpointing.speech import LEAD_S, SAMPLE_RATE, Recording, recordings
from benchmarks.harness.clips import wav_bytes
from benchmarks.latency.people import PersonTurn, script_of
from model_server.backends import Word

_STRIDE = 21
"""Of the sentences of ``benchmarks.endpointing``, so that 14 recordings have to be synthesized."""
_MORE_TAIL_S = 1.0
"""Of the noise behind the end, as long as the longest usual wait."""


def hesitating_turns(count: int, seed: int) -> list[PersonTurn]:
    """Return so many turns, all with pauses of 0.3 to 1.2 s in them; Kokoro speaks them once, and they are kept."""
    found = list(recordings(seed, _STRIDE))
    random.Random(seed).shuffle(found)
    return [_turn(recording, seed) for recording in found[:count]]


def _turn(recording: Recording, seed: int) -> PersonTurn:
    tail = recording.samples[-round(_MORE_TAIL_S * SAMPLE_RATE) :]
    samples = np.concatenate([recording.samples, tail])
    name = f"sentence-{recording.sentence.number}-{recording.voice}"
    clip = cache_dir() / "benchmarks" / "hesitating" / f"{seed}-{name}.wav"
    clip.parent.mkdir(parents=True, exist_ok=True)
    clip.write_bytes(wav_bytes(samples, SAMPLE_RATE))
    words = words_of(recording.sentence.parts, recording.pauses, recording.end)
    script = script_of(words, recording.pauses, recording.end, samples)
    return PersonTurn(name, str(clip), LEAD_S, recording.end, recording.pauses, script)


def words_of(parts: Sequence[str], pauses: Sequence[tuple[float, float]], end: float) -> list[Word]:
    """Return the words of each part, evenly in the time in which it is spoken."""
    edges = [LEAD_S, *(edge for pause in pauses for edge in pause), end]
    found = []
    for part, start, stop in zip(parts, edges[::2], edges[1::2], strict=True):
        texts = part.split()
        step = (stop - start) / len(texts)
        found += [Word(text, start + i * step, start + (i + 1) * step, 1.0) for i, text in enumerate(texts)]
    return found
