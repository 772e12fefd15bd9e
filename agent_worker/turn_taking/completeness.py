"""How complete the caller's words are: logistic regression over hashed word features, for all five languages.

Trained by ``training/completeness.py`` on whole utterances against their beginnings.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

BUCKETS = 1 << 14
#: Only the end of a long text is used: time stays bounded.
_MAX_CHARS = 400
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[@?]")
_LENGTH_STEPS = (1, 2, 3, 5, 8, 12, 20, 35)
_DIGIT_STEPS = (1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 13, 16)
_LETTER_STEPS = (1, 2, 3, 4, 5, 7, 9)
_QUESTION_MARK_WITHIN = 8
_QUESTION_WORDS = 6
_SUFFIX_CHARS = (2, 3, 4)
_DIGIT_WORDS = frozenset(
    ("zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "double", "triple")
)
_DICTATED = {
    "number": r"number|phone|code|zip|digits|card|account|pin|nummer|num[eé]ro|n[uú]mero|tel[eé]f|télép",
    "spelling": r"spell|buchstabier|épel|deletre|soletr",
    "mail": r"e-?mail|mail address|correo|adresse mail",
    "address": r"address|street|adresse|anschrift|dirección|endereço|morada",
    "name": r"name|nom|nombre|nome",
    "date": r"\bdate\b|birth|when|datum|wann|quand|cuándo|quando",
    "open": r"help|happened|tell me|describe|what can|how can|going on|matter|problem",
}


def completeness(text: str, question: str | None) -> float:
    """Return the probability that the caller's words are a whole turn and not the beginning of one.

    Args:
        text: The transcript of the turn so far; 0.5 for none.
        question: The agent's last words.
    """
    if not _words(text):
        return 0.5
    return CompletenessModel.load().probability(text, question or "")


class CompletenessModel:
    """The weights of :func:`completeness`.

    Args:
        weights: Shape (``BUCKETS`` + 1,); the last is the bias.
    """

    def __init__(self, weights: npt.NDArray[np.float32]) -> None:
        self._weights = weights

    @classmethod
    @cache
    def load(cls) -> CompletenessModel:
        """Load the model that comes with the package, once."""
        with resources.files("agent_worker.turn_taking").joinpath("data/completeness.npz").open("rb") as file:
            stored = np.load(file)
            return cls(stored["weights"].astype(np.float32) * stored["scale"])

    def probability(self, text: str, question: str) -> float:
        """Return the probability that the text is whole."""
        indices = buckets(text, question)
        score = float(self._weights[indices].sum() / np.sqrt(len(indices)) + self._weights[-1])
        return 1 / (1 + float(np.exp(-score)))


def buckets(text: str, question: str) -> list[int]:
    """Return the hashed features of a text: sorted indices below ``BUCKETS``, each once."""
    return sorted({zlib.crc32(feature.encode()) % BUCKETS for feature in _features(text, question)})


def _features(text: str, question: str) -> Iterator[str]:
    words = [word for word in _words(text) if word != "?"]
    asked = _asked(question)
    length = _step(len(words), _LENGTH_STEPS)
    yield from (f"asked {kind}" for kind in asked)
    yield from (f"length {length} {kind}" for kind in asked)
    yield f"length {length}"
    padded = ["^", "^", "^", *words]
    for size in (1, 2, 3, 4):
        yield f"last {' '.join(padded[-size:])}"
    classes = [_word_class(word) for word in padded]
    for size in (2, 3, 4):
        yield f"classes {' '.join(classes[-size:])}"
    last = words[-1] if words else ""
    yield from (f"suffix {last[-size:]}" for size in _SUFFIX_CHARS)
    yield from (f"last {last} {kind}" for kind in asked)
    yield f"first {' '.join(words[:2])} length {length}"
    yield from (f"says {word}" for word in words[-12:])
    digits = sum(_digits(word) for word in words)
    letters = sum(len(word) == 1 and word.isalpha() for word in words)
    if digits:
        digit_step = _step(digits, _DIGIT_STEPS)
        yield from (f"digits {digit_step} {kind} {classes[-1]}" for kind in asked)
        yield f"digits {digit_step} {classes[-1]}"
    if letters > 1:
        yield from (f"letters {_step(letters, _LETTER_STEPS)} {kind}" for kind in asked)
    if "mail" in asked or "@" in words or "at" in words:
        domain = words[-3:]
        has_domain = ("dot" in domain or "com" in words) and ("at" in words or "@" in words or "com" in words)
        yield f"mail {'whole' if has_domain and last not in ('dot', 'at') else 'part'}"


def _asked(question: str) -> list[str]:
    words = _words(question)
    if not words:
        return ["first"]
    is_question = "?" in words[-_QUESTION_MARK_WITHIN:]
    ending = " ".join(words[-20:])
    kinds = [name for name, pattern in _PATTERNS.items() if is_question and pattern.search(ending)]
    opening = [f"how {word}" for word in words[-_QUESTION_WORDS - 1 :][:2]]
    return ["asked" if is_question else "told", *kinds, *opening]


_PATTERNS = {name: re.compile(pattern) for name, pattern in _DICTATED.items()}


def _word_class(word: str) -> str:
    if word == "^":
        return word
    if _digits(word):
        return "<digit>"
    if len(word) == 1 and word.isalpha() and word not in "aioyeé":
        return "<letter>"
    return word if len(word) <= 4 else "<word>"


def _digits(word: str) -> int:
    return sum(map(str.isdigit, word)) if any(map(str.isdigit, word)) else int(word in _DIGIT_WORDS)


def _step(value: int, steps: tuple[int, ...]) -> int:
    return sum(value >= step for step in steps)


def _words(text: str) -> list[str]:
    return _WORD.findall(text[-_MAX_CHARS:].lower().replace("’", "'"))
