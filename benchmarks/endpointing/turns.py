"""What was measured: the recorded turns, and the silences that each VAD heard in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Silence:
    """One end of speech, as the VAD reports it. Seconds from the beginning of the recording."""

    speech_from: float
    since: float
    """The last voice, as the VAD sees it: the delays count from here."""
    reported_at: float
    """VAD END_OF_SPEECH: the earliest moment for an end of turn."""
    probability: float
    predicted_at: float
    prediction_seconds: float
    resumed_at: float | None
    """VAD START_OF_SPEECH, which cancels the wait."""


@dataclass(frozen=True)
class Turn:
    """A recording and what one VAD made of it."""

    sentence: int
    category: str
    voice: str
    text: str
    one_piece: bool
    noise_dbfs: float
    pauses: tuple[tuple[float, float], ...]
    end: float
    silences: tuple[Silence, ...]


def read_traces(traces: Mapping[str, Sequence[dict[str, Any]]]) -> dict[str, list[Turn]]:
    """From JSON, by the VAD's name."""
    return {name: [_turn(turn) for turn in turns] for name, turns in traces.items()}


def _turn(turn: dict[str, Any]) -> Turn:
    silences = tuple(Silence(**silence) for silence in turn.pop("silences"))
    pauses = tuple((begin, end) for begin, end in turn.pop("pauses"))
    return Turn(**turn, pauses=pauses, silences=silences)
