"""May this sentence of a fast model be spoken before the answer is known? If not: why?

Each part of the sentence has to begin with words that acknowledge ("Let me think", "Thanks for", "I'm sorry"), so that
an answer is refused without anybody having foreseen it. A good sentence that is refused costs little: a phrase is said.
The words are in ``data/guard``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher
from enum import Enum
from re import Pattern

from agent_worker.text.intent import Intent, classify, word_classes


class Reason(str, Enum):
    """Why a sentence must not be spoken."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    CHARACTERS = "characters"  #: markup, symbols, another script
    LANGUAGE = "language"  #: in another language
    NUMBER = "number"
    QUESTION = "question"
    PROMISE = "promise"
    LEAK = "leak"  #: speaks of its instructions or of itself
    ANSWER = "answer"  #: claims something, or answers
    TONE = "tone"  #: cheer, false comfort or an apology in the wrong place
    REPEATS_CALLER = "repeats_caller"
    REPEATED = "repeated"  #: was said a moment ago

    __str__ = str.__str__


MAX_WORDS = 12
_MAX_CHARACTERS = 120  # a word can be as long as whoever writes it likes
_LANGUAGES = ("en", "es", "de", "fr", "pt")
_MARKUP = frozenset("*_#{}[]\\@&/%§")
_APOSTROPHES = re.compile("[’‘`´]")
_PARTS = re.compile(r"[.,;:!¡…–—]+|\s-\s|\b(?=(?:but|aber|pero|mais|mas)\b)")


def problem_with(
    text: str,
    *,
    said: str,
    language: str,
    recent: Sequence[str],
    intent: Intent | None = None,
    alternatives: Sequence[Intent] = (),
) -> Reason | None:
    """Why ``text`` must not be spoken as a pre-response, or ``None`` when it can be.

    Args:
        text: The sentence.
        said: What the caller said; their topics may be mentioned.
        language: The language of the call. Without rules for it only what holds for every language is checked.
        recent: The pre-responses spoken lately.
        intent: What the caller's utterance is, if known: it decides whether an apology or cheer has its place.
        alternatives: What it may be instead: where a problem is only possible, an apology may be said and need not be.
    """
    if len(text) > _MAX_CHARACTERS:
        return Reason.TOO_LONG
    words, theirs, classes = _words(text), _words(said), word_classes("guard", language)
    plain = " ".join(words)
    if not any(map(str.isalpha, text)):
        return Reason.EMPTY
    if len(words) > MAX_WORDS:
        return Reason.TOO_LONG
    if any(map(str.isdigit, text)):
        return Reason.NUMBER
    if "?" in text or "¿" in text:
        return Reason.QUESTION
    if not all(_can_be_read(character, latin=bool(classes)) for character in _APOSTROPHES.sub("'", text)):
        return Reason.CHARACTERS
    if any(SequenceMatcher(None, plain, " ".join(_words(other))).ratio() > 0.9 for other in recent):
        return Reason.REPEATED
    if not classes:
        return None
    for reason in (Reason.NUMBER, Reason.PROMISE, Reason.LEAK):
        if classes[reason.value].search(plain):
            return reason
    possible = (intent, *alternatives)
    unhappy, may_be_sad = Intent.PROBLEM in possible, intent is None or Intent.PROBLEM in possible
    wrong_tone = ["comfort"] + ["cheer"] * unhappy + ["sympathy"] * (not may_be_sad)
    cold = possible == (Intent.PROBLEM,) and not classes["sympathy"].search(plain)
    if cold or any(classes[name].search(plain) for name in wrong_tone):
        return Reason.TONE
    echo = SequenceMatcher(None, words, theirs, autojunk=False).find_longest_match().size
    if 3 <= echo >= 0.75 * len(words):
        return Reason.REPEATS_CALLER
    if _acknowledges(text, intent, classes):
        return Reason.ANSWER if any(name not in theirs for name in _names(text, classes)) else None
    others = (word_classes("guard", other) for other in _LANGUAGES if not language.lower().startswith(other))
    if any(_acknowledges(text, intent, other) for other in others):
        return Reason.LANGUAGE
    return Reason.QUESTION if classify(text, language).intent is Intent.QUESTION else Reason.ANSWER


def _words(text: str) -> list[str]:
    return re.findall(r"\w+(?:'\w+)*", _APOSTROPHES.sub("'", unicodedata.normalize("NFC", text)).lower())


def _can_be_read(character: str, latin: bool) -> bool:
    category = unicodedata.category(character)[0]
    if category == "L":
        return not latin or unicodedata.name(character, "").startswith("LATIN")
    return category in "MPZ" and character not in _MARKUP


def _acknowledges(text: str, intent: Intent | None, classes: dict[str, Pattern[str]]) -> bool:
    """Whether every part of the sentence begins as an acknowledgement does, and none goes on to claim something."""
    parts = list(filter(None, (" ".join(_words(part)) for part in _PARTS.split(text))))
    if intent is Intent.THANKS and classes["welcome"].fullmatch(" ".join(parts)):
        return True
    for number, part in enumerate(parts):
        while not (opening := classes["opens"].match(part) or classes["sympathy"].match(part)):
            if not part or (number > 0 and classes["subordinate"].match(part)):
                break
            if not (bare := classes["bare"].match(part)):
                return False
            part = part[bare.end() :].strip()
        # What follows "if" or "how" is no claim: "Let me see if the museum is open."
        if opening and classes["claim"].search(re.split(classes["subordinate"], part[opening.end() :])[0]):
            return False
    return True


def _names(text: str, classes: dict[str, Pattern[str]]) -> list[str]:
    """What is written like a name: unless the caller said it, it may be the answer."""
    capitals = re.findall(r"(?<=\w )[A-ZÀ-Þ]\w+", text)
    return [word.lower() for word in capitals if not classes["capital"].fullmatch(word)]
