"""A linear model of what human agents do before an answer: nothing, one word, or a look-up phrase.

Logistic regression over the situation of the turn and, in English, over hashed words and word pairs. It was trained by
``training/moves.py`` on dialogues of people; the dialogues are in English, so that for another language the situation
alone speaks. The texts of the training are cut off, in lower case and without punctuation.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from agent_worker.text.asked import Situation
from agent_worker.text.language import base_language
from agent_worker.text.move import Move

BUCKETS = 1 << 12
#: What the model tells apart: groups of moves.
GROUPS = (Move.NOTHING, Move.WORD, Move.LOOK_UP)
_LANGUAGE_OF_THE_DIALOGUES = "en"
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_MAX_CHARS = 300
#: Steps of the feature for the number of words.
_LENGTH_STEPS = (1, 2, 3, 5, 8, 12, 20, 35)


class MoveModel:
    """A linear classifier.

    Args:
        weights: Shape (``BUCKETS`` + 1, ``GROUPS``); the last row is the bias.
    """

    def __init__(self, weights: npt.NDArray[np.float32]) -> None:
        self._weights = weights

    @classmethod
    @cache
    def load(cls) -> MoveModel:
        """Load the model that comes with the package, once."""
        with resources.files("agent_worker.text").joinpath("data/moves/model.npz").open("rb") as file:
            stored = np.load(file)
            return cls(stored["weights"].astype(np.float32) * stored["scale"])

    def probabilities(self, text: str, situation: Situation, language: str) -> dict[Move, float]:
        """Return the probability that a human agent begins with each group of moves; they add up to 1."""
        words = text if base_language(language) == _LANGUAGE_OF_THE_DIALOGUES else ""
        indices = buckets(words, situation)
        scores = self._weights[indices].sum(axis=0) / np.sqrt(len(indices)) + self._weights[-1]
        exponentials = np.exp(scores - scores.max())
        return dict(zip(GROUPS, (exponentials / exponentials.sum()).tolist(), strict=True))


def buckets(text: str, situation: Situation) -> list[int]:
    """Return the hashed features: sorted indices below ``BUCKETS``, each once."""
    return sorted({zlib.crc32(feature.encode()) % BUCKETS for feature in _features(text, situation)})


def _features(text: str, situation: Situation) -> Iterator[str]:
    agent = "first" if situation.is_first else "asked" if situation.agent_asked else "told"
    asked = situation.asked.value
    yield from (f"= {asked}", f"= {agent}", f"= {asked} {agent}", f"= closing {situation.is_closing}")
    if situation.agent_looks_up:
        yield "= looks up"
    words = _WORD.findall(text[-_MAX_CHARS:].lower().replace("’", "'"))
    if not words:
        return
    length = sum(len(words) >= step for step in _LENGTH_STEPS)
    yield f"= length {length} {asked}"
    for word, following in zip(words, [*words[1:], "$"], strict=True):
        yield word
        yield f"{word} {following}"
