"""Tell what of a transcript are words, and what recognisers write for noise, breath and silence."""

from __future__ import annotations

import re
from enum import Enum
from functools import cache
from importlib import resources
from re import Pattern

from agent_worker.text.word_classes import word_classes

#: A longer text is nobody's invention, and matching stays bounded.
_MAX_CHARS = 200
#: Full-width brackets, as in Japanese and Chinese, and the usual ones.
_BRACKETS = str.maketrans("\uff08\uff09\u3010\u3011\u3014\u3015", "()[][]")
_NOTES = "♩♪♫♬🎵🎶🎼"
_ANNOTATION = re.compile(
    "|".join(
        (
            # "[BLANK_AUDIO]", "(coughs)", "*music*", "<noise>"; digits in brackets are a phone number.
            r"\[[^\[\]\d]{0,60}\]|\([^()\d]{0,60}\)|\*[^*\d]{0,60}\*|<[^<>\d]{0,60}>",
            # "[MUSIC 0:12]": nobody says letters in square brackets.
            r"\[(?=[^\[\]]*[^\W\d_])[^\[\]]{0,60}\]",
            # Cut off, or not transcribed to its end yet: "[upbeat mus", "playing]".
            r"[\[(][^\[\]()\d]{0,60}$|^[^\[\]\d]{0,60}\]",
            # "♪ la la ♪", and a song that goes on: "♪ hello from the other side".
            rf"[{_NOTES}]+[^{_NOTES}]{{0,300}}(?:[{_NOTES}]+|$)|[{_NOTES}]",
        )
    )
)
#: "mm-hm", "uh-huh": sounds that are words.
_AGREEMENT = re.compile(r"\b(m+ ?h+u?m+h*|[ua]+[hm]+ h+[ua]+h*)\b")
_PUNCTUATION = re.compile(r"[^\w']+|(?<!\w)'|'(?!\w)|_")
_FOLDER = "sounds"


class Invention(Enum):
    """How well a text is known as something that recognisers invent."""

    KNOWN = "known"  #: hardly anybody says it to an agent
    POSSIBLE = "possible"  #: callers say it, too


def without_annotations(text: str) -> str:
    """Return a transcript without what describes sounds, such as "[BLANK_AUDIO]" or "(coughs)"."""
    return " ".join(_ANNOTATION.sub(" ", text.translate(_BRACKETS)).split())


def has_words(text: str, language: str) -> bool:
    """Whether a transcript holds more than hesitation, laughter, breath and punctuation.

    "Hm?" asks for something, and counts as words.

    Args:
        text: The transcript, without annotations.
        language: Language tag.
    """
    normalised = _normalised(text)
    if not normalised:
        return False
    if "?" in text or _AGREEMENT.search(normalised):
        return True
    return bool(_without(normalised, word_classes(_FOLDER, language).get("sound")))


def invention(text: str, language: str) -> Invention | None:
    """Return whether the whole text is something that recognisers invent; ``None`` if it is not known as such.

    Args:
        text: The transcript, without annotations.
        language: Language tag. Known inventions are recognised in all languages: a recogniser may err in the language.
    """
    normalised = _normalised(text)
    if not normalised or len(normalised) > _MAX_CHARS:
        return None
    if any(not _without(normalised, pattern) for pattern in _known_inventions()):
        return Invention.KNOWN
    classes = word_classes(_FOLDER, language)
    left = _without(_without(normalised, classes.get("invented")), classes.get("perhaps_invented"))
    return None if left else Invention.POSSIBLE


@cache
def _known_inventions() -> tuple[Pattern[str], ...]:
    files = (resources.files("agent_worker.text") / "data" / _FOLDER).iterdir()
    return tuple(word_classes(_FOLDER, file.name.removesuffix(".yaml"))["invented"] for file in files)


def _normalised(text: str) -> str:
    marked = re.sub("[’‘`´]", "'", text[: _MAX_CHARS + 1].lower())
    return " ".join(_PUNCTUATION.sub(" ", marked).split())


def _without(text: str, pattern: Pattern[str] | None) -> str:
    return " ".join(pattern.sub(" ", text).split()) if pattern else text
