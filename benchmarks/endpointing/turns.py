"""Recorded turns and the silences that a VAD detected in them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Silence:
    """One end of speech as the VAD reports it; times in seconds from the start of the recording.

    Attributes:
        speech_from: Start of the speech before it.
        since: Last voice by the VAD; the delays count from here.
        reported_at: VAD END_OF_SPEECH, the earliest moment for an end of turn.
        probability: Prediction of the end-of-turn model.
        predicted_at: When the prediction was requested.
        prediction_seconds: How long it took.
        resumed_at: VAD START_OF_SPEECH, which cancels the wait; None at the end of the recording.
    """

    speech_from: float
    since: float
    reported_at: float
    probability: float
    predicted_at: float
    prediction_seconds: float
    resumed_at: float | None


@dataclass(frozen=True)
class Turn:
    """A recording and the silences that one VAD detected in it.

    Attributes:
        sentence: Number of the sentence.
        category: Of the sentence.
        voice: That spoke it.
        text: Its parts, separated by ``|`` where the pauses are.
        one_piece: Whether it was spoken as one sentence and cut at gaps, not part by part.
        noise_dbfs: Level of the noise.
        pauses: Start and end of each.
        end: When the last sound has faded.
        silences: In their order.
    """

    sentence: int
    category: str
    voice: str
    text: str
    one_piece: bool
    noise_dbfs: float
    pauses: tuple[tuple[float, float], ...]
    end: float
    silences: tuple[Silence, ...]
