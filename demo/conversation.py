"""The scripted conversation: what the caller says, how each turn is shown, and when it counts as good."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import jiwer

from agent_worker.topics import TURN_TOPIC
from caller import CallOptions, Turn

SENTENCES = (
    "What is the best way to learn how to cook?",
    "Please tell me a little bit about the history of trains.",
    "I had a really long day and I feel very tired.",
    "Thank you very much for your help.",
)
MAX_WORD_ERROR_RATE = 0.2

_NORMALISE = jiwer.Compose(
    [
        jiwer.ToLowerCase(),
        jiwer.RemovePunctuation(),
        jiwer.RemoveMultipleSpaces(),
        jiwer.Strip(),
        jiwer.ReduceToListOfListOfWords(),
    ]
)


@dataclass(frozen=True)
class TurnResult:
    """One turn of the conversation. Times are seconds after the caller's last audible sample."""

    said: str
    heard: str
    word_error_rate: float
    preresponse: str | None
    answer: str
    response_gap: float | None
    answer_gap: float | None

    @property
    def ok(self) -> bool:
        return self.response_gap is not None and self.word_error_rate < MAX_WORD_ERROR_RATE


def word_error_rate(said: str, heard: str) -> float:
    """Word errors per word said, without regard to case and punctuation."""
    return float(jiwer.wer(said, heard, reference_transform=_NORMALISE, hypothesis_transform=_NORMALISE))
