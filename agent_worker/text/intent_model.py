"""A small linear model over words: what kind is an utterance that no rule knows?

A logistic regression over hashed words, word pairs and pieces of words, of all languages alike, trained by
``training/train.py`` on the utterances beside it. It sees what the rules of ``utterance.py`` say as one more feature.
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
_PIECES = (3, 4, 5)
_LONGEST = 400  # characters at each end of a long turn: the rest would only take time
_LENGTHS = (1, 2, 3, 5, 8, 12, 20, 35)


class IntentModel:
    """Weights of a class for each feature.

    Args:
        kinds: The classes.
        weights: Shape (:data:`BUCKETS` + 1, classes); the last row is the bias.
    """

    def __init__(self, kinds: list[str], weights: npt.NDArray[np.float32]) -> None:
        self.kinds = kinds
        self._weights = weights

    @classmethod
    @cache
    def load(cls) -> IntentModel:
        """The model that comes with the package."""
        with resources.files("agent_worker.text").joinpath("data/intents/kinds.npz").open("rb") as file:
            stored = np.load(file)
            return cls(list(stored["kinds"]), stored["weights"].astype(np.float32) * stored["scale"])

    def probabilities(self, text: str, context: str, rule: str) -> dict[str, float]:
        """How likely each kind is; the sum is 1."""
        indices = buckets(text, context, rule)
        scores = self._weights[indices].sum(axis=0) / np.sqrt(len(indices)) + self._weights[-1]
        likely = np.exp(scores - scores.max())
        return dict(zip(self.kinds, (likely / likely.sum()).tolist(), strict=True))


def buckets(text: str, context: str, rule: str) -> list[int]:
    """The features of an utterance, hashed: each once, sorted."""
    return sorted({zlib.crc32(feature.encode()) % BUCKETS for feature in _features(text, context, rule)})


def _features(text: str, context: str, rule: str) -> Iterator[str]:
    words, agents = _words(text), _words(context)
    asked = "asked" if "?" in agents[-8:] else "told" if agents else "first"
    length = sum(len(words) >= limit for limit in _LENGTHS)
    yield from (f"rule {rule}", f"rule {rule} {asked}", asked, f"length {length}", f"length {length} {asked}")
    yield from (f"agent {word}" for word in agents[-12:])
    spoken = ["^", *words, "$"]
    for position, (word, following) in enumerate(zip(spoken, [*spoken[1:], ""], strict=True)):
        yield word
        yield f"{word} {following}"
        if position < 3:
            yield f"^{position} {word} {asked}"
        marked = f"<{word}>"
        for size in _PIECES:
            for start in range(len(marked) - size + 1):
                yield f"piece {marked[start : start + size]}"


def _words(text: str) -> list[str]:
    shortened = text if len(text) <= 2 * _LONGEST else f"{text[:_LONGEST]} {text[-_LONGEST:]}"
    return _WORD.findall(shortened.lower().replace("’", "'"))
