"""Check whether a sentence of a fast model may be spoken before the answer is known.

Each part of the sentence has to begin with words that acknowledge ("Let me think", "Thanks for", "I'm sorry"). So an
answer is rejected without a list of answers. A rejected good sentence costs little: a phrase is spoken instead.
The words are in ``data/guard``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher
from enum import Enum
from re import Pattern

from agent_worker.text.intent import Intent
from agent_worker.text.intent_classifier import classify
from agent_worker.text.move import Move
from agent_worker.text.word_classes import word_classes


class Reason(str, Enum):
    """Why a sentence must not be spoken."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    CHARACTERS = "characters"  #: markup, symbols, another script
    LANGUAGE = "language"  #: in another language
    NUMBER = "number"
    QUESTION = "question"
    PROMISE = "promise"
    LEAK = "leak"  #: mentions its instructions or itself
    ANSWER = "answer"  #: states a fact or answers
    TONE = "tone"  #: cheer, false comfort or an apology in the wrong place
    MOVE = "move"  #: does something else than what was wanted
    REPEATS_CALLER = "repeats_caller"
    REPEATED = "repeated"  #: was spoken a moment ago

    __str__ = str.__str__


MAX_WORDS = 12
_MAX_CHARS = 120  # there is no limit to the length of a word
#: Similarity (``SequenceMatcher.ratio``) from which a sentence counts as repeated.
_REPEATED_RATIO = 0.9
#: So many of the caller's words in a row, and this share of the sentence, count as repeating the caller.
_MIN_ECHO_WORDS = 3
_ECHO_SHARE = 0.75
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
    move: Move | None = None,
) -> Reason | None:
    """Return why ``text`` must not be spoken as a pre-response, or ``None``.

    Args:
        text: The sentence.
        said: The caller's words; their subjects may be mentioned.
        language: Language tag of the call. Without rules for it only the checks for all languages apply.
        recent: The pre-responses of the last turns.
        move: What the sentence is to do, if that is known: anything else is refused.
    """
    classes = word_classes("guard", language)
    if reason := _problem_in_any_language(text, recent, latin=bool(classes)):
        return reason
    if not classes:
        return None
    words, caller_words = _words(text), _words(said)
    plain = " ".join(words)
    for reason in (Reason.NUMBER, Reason.PROMISE, Reason.LEAK):
        if classes[reason.value].search(plain):
            return reason
    if _has_wrong_tone(plain, move, classes):
        return Reason.TONE
    echo = SequenceMatcher(None, words, caller_words, autojunk=False).find_longest_match().size
    if _MIN_ECHO_WORDS <= echo >= _ECHO_SHARE * len(words):
        return Reason.REPEATS_CALLER
    if not _acknowledges(text, move, classes):
        return _problem_of_other_sentence(text, move, language)
    if any(name not in caller_words for name in _names(text, classes)):
        return Reason.ANSWER
    return None if move is None or _makes(move, text, classes) else Reason.MOVE


def _problem_in_any_language(text: str, recent: Sequence[str], *, latin: bool) -> Reason | None:
    if len(text) > _MAX_CHARS:
        return Reason.TOO_LONG
    words = _words(text)
    if not any(map(str.isalpha, text)):
        return Reason.EMPTY
    if len(words) > MAX_WORDS:
        return Reason.TOO_LONG
    if any(map(str.isdigit, text)):
        return Reason.NUMBER
    if "?" in text or "¿" in text:
        return Reason.QUESTION
    if not all(_is_pronounceable(character, latin=latin) for character in _APOSTROPHES.sub("'", text)):
        return Reason.CHARACTERS
    plain = " ".join(words)
    if any(SequenceMatcher(None, plain, " ".join(_words(other))).ratio() > _REPEATED_RATIO for other in recent):
        return Reason.REPEATED
    return None


def _has_wrong_tone(plain: str, move: Move | None, classes: dict[str, Pattern[str]]) -> bool:
    """Whether the sentence is cheerful, comforting, sorry or cold in the wrong place."""
    wrong = ["comfort"]
    if move in (Move.SYMPATHY, Move.LISTEN):
        wrong.append("cheer")
    if move not in (Move.SYMPATHY, None):
        wrong.append("sympathy")
    is_cold = move is Move.SYMPATHY and not classes["sympathy"].search(plain)
    return is_cold or any(classes[name].search(plain) for name in wrong)


def _makes(move: Move, text: str, classes: dict[str, Pattern[str]]) -> bool:
    """Whether a sentence that acknowledges makes this move and no other."""
    plain = " ".join(_words(text))
    if move is Move.LOOK_UP:
        return any(classes[name].search(plain) for name in ("look_up", "moment"))
    if move is Move.MOMENT:
        return bool(classes["moment"].search(plain))
    if move is Move.GREETING:
        return bool(classes["greets"].search(plain))
    if move in (Move.CONSENT, Move.WELCOME):
        return _is_whole(_parts(text), move, classes)
    if move is Move.SYMPATHY:
        return True  # by the tone
    return not any(classes[name].search(plain) for name in ("look_up", "moment", "greets"))


def _problem_of_other_sentence(text: str, move: Move | None, language: str) -> Reason:
    """Return what a sentence is that does not acknowledge."""
    others = (word_classes("guard", other) for other in _LANGUAGES if not language.lower().startswith(other))
    if any(_acknowledges(text, move, other) for other in others):
        return Reason.LANGUAGE
    return Reason.QUESTION if classify(text, language).intent is Intent.QUESTION else Reason.ANSWER


def _words(text: str) -> list[str]:
    return re.findall(r"\w+(?:'\w+)*", _APOSTROPHES.sub("'", unicodedata.normalize("NFC", text)).lower())


def _is_pronounceable(character: str, latin: bool) -> bool:
    category = unicodedata.category(character)[0]
    if category == "L":
        return not latin or unicodedata.name(character, "").startswith("LATIN")
    return category in "MPZ" and character not in _MARKUP


def _parts(text: str) -> list[str]:
    return list(filter(None, (" ".join(_words(part)) for part in _PARTS.split(text))))


def _is_whole(parts: list[str], move: Move | None, classes: dict[str, Pattern[str]]) -> bool:
    """Whether the sentence is nothing but thanks returned, or but consent: elsewhere these words would answer."""
    if move is Move.WELCOME:
        return classes["welcome"].fullmatch(" ".join(parts)) is not None
    return move is Move.CONSENT and all(classes["consent"].fullmatch(part) for part in parts)


def _acknowledges(text: str, move: Move | None, classes: dict[str, Pattern[str]]) -> bool:
    """Whether every part of the sentence begins like an acknowledgement and none continues with a claim."""
    parts = _parts(text)
    if _is_whole(parts, move, classes):
        return True
    for number, part in enumerate(parts):
        while not (opening := classes["opens"].match(part) or classes["sympathy"].match(part)):
            if not part or (number > 0 and classes["subordinate"].match(part)):
                break
            if not (bare := classes["bare"].match(part)):
                return False
            part = part[bare.end() :].strip()
        # Words after "if" or "how" are no claim: "Let me see if the museum is open."
        if opening and classes["claim"].search(re.split(classes["subordinate"], part[opening.end() :])[0]):
            return False
    return True


def _names(text: str, classes: dict[str, Pattern[str]]) -> list[str]:
    """Return the words that look like names: a name that the caller did not say may be the answer."""
    capitals = re.findall(r"(?<=\w )[A-ZÀ-Þ]\w+", text)
    return [word.lower() for word in capitals if not classes["capital"].fullmatch(word)]
