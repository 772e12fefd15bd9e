"""A linear model of intents: logistic regression over hashed words, word pairs and character n-grams.

One model for all languages, trained by ``training/train.py``. The intent that the rules give is one of its features.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

BUCKETS = 1 << 15
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[?!]")
_NGRAM_SIZES = (3, 4, 5)
#: Only the two ends of a long text are used: time stays bounded.
_MAX_EDGE_CHARS = 400
#: Steps of the feature for the number of words.
_LENGTH_STEPS = (1, 2, 3, 5, 8, 12, 20, 35)
_AGENT_WORDS = 12
_QUESTION_MARK_WITHIN = 8


class IntentModel:
    """A linear classifier.

    Args:
        intents: Names of the classes.
        weights: Shape (``BUCKETS`` + 1, classes); the last row is the bias.
    """

    def __init__(self, intents: list[str], weights: npt.NDArray[np.float32]) -> None:
        self.intents = intents
        self._weights = weights

    @classmethod
    @cache
    def load(cls) -> IntentModel:
        """Load the model that comes with the package, once."""
        with resources.files("agent_worker.text").joinpath("data/intents/model.npz").open("rb") as file:
            stored = np.load(file)
            return cls(list(stored["intents"]), stored["weights"].astype(np.float32) * stored["scale"])

    def probabilities(self, text: str, context: str, rule: str) -> dict[str, float]:
        """Return the probability of each intent; they add up to 1."""
        indices = buckets(text, context, rule)
        scores = self._weights[indices].sum(axis=0) / np.sqrt(len(indices)) + self._weights[-1]
        exponentials = np.exp(scores - scores.max())
        return dict(zip(self.intents, (exponentials / exponentials.sum()).tolist(), strict=True))


def buckets(text: str, context: str, rule: str) -> list[int]:
    """Return the hashed features of a text: sorted indices below ``BUCKETS``, each once."""
    return sorted({zlib.crc32(feature.encode()) % BUCKETS for feature in _features(text, context, rule)})


def _features(text: str, context: str, rule: str) -> Iterator[str]:
    words, agents = _words(text), _words(context)
    asked = "asked" if "?" in agents[-_QUESTION_MARK_WITHIN:] else "told" if agents else "first"
    length = sum(len(words) >= limit for limit in _LENGTH_STEPS)
    yield from (f"rule {rule}", f"rule {rule} {asked}", asked, f"length {length}", f"length {length} {asked}")
    yield from (f"agent {word}" for word in agents[-_AGENT_WORDS:])
    spoken = ["^", *words, "$"]
    for position, (word, following) in enumerate(zip(spoken, [*spoken[1:], ""], strict=True)):
        yield word
        yield f"{word} {following}"
        if position < 3:
            yield f"^{position} {word} {asked}"
        marked = f"<{word}>"
        for size in _NGRAM_SIZES:
            for start in range(len(marked) - size + 1):
                yield f"piece {marked[start : start + size]}"


def _words(text: str) -> list[str]:
    shortened = text if len(text) <= 2 * _MAX_EDGE_CHARS else f"{text[:_MAX_EDGE_CHARS]} {text[-_MAX_EDGE_CHARS:]}"
    return _WORD.findall(shortened.lower().replace("’", "'"))
