"""Tell what the caller asks for, as far as the beginning of a reply depends on it: by words, without punctuation.

The word classes are in ``data/moves``, one file a language. In the languages without the class ``asks`` there, those of
the intents tell what is asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from agent_worker.text.agent_question import asks as agent_asks_by_marks
from agent_worker.text.dictation import without_code_words
from agent_worker.text.intent_rules import shorten
from agent_worker.text.plain_words import plain_words
from agent_worker.text.word_classes import word_classes

_FOLDER = "moves"
#: Of the agent's last words only the end counts.
_AGENT_CHARS = 120
#: From so many digits on, a number may be complete.
_WHOLE_NUMBER_DIGITS = 7
_MIN_DICTATED = 2


class Asked(str, Enum):
    """What the caller asks for."""

    NOTHING = "nothing"  #: a statement, an answer, thanks
    FACT = "fact"  #: to be told something that is at hand: "can I get the address"
    YES_NO = "yes_no"  #: "do they take cards": consent would answer it
    ACTION = "action"  #: to do or to look for something: "I'm looking for a hotel"
    AT_ONCE = "at_once"  #: needs no look-up: whether the agent is there, what it is, what it has just said
    OTHER = "other"  #: any other question

    __str__ = str.__str__


@dataclass(frozen=True)
class Situation:
    """A caller's turn and the agent's words before it.

    Attributes:
        asked: What the caller asks for.
        is_closing: The caller is done: "no, that's all".
        is_dictated: The turn is digits or letters and may go on.
        adds_to_thanks: Something follows the thanks: "thank you and on sunday".
        agent_asked: The agent's last words asked for something.
        agent_looks_up: The agent's last words promise an answer: it is still looking.
        is_first: The agent has not spoken yet.
    """

    asked: Asked
    is_closing: bool
    is_dictated: bool
    adds_to_thanks: bool
    agent_asked: bool
    agent_looks_up: bool
    is_first: bool


def situation(text: str, agent_text: str | None, language: str) -> Situation:
    """Return the situation of a caller's turn. Never raises, whatever the text.

    Args:
        text: The transcript, punctuated or not.
        agent_text: What the agent said last, perhaps interrupted.
        language: Language tag.
    """
    words, agents = plain_words(shorten(text)), plain_words((agent_text or "")[-_AGENT_CHARS:])
    classes = word_classes(_FOLDER, language)
    is_closing = classes["closes"].search(words) is not None if classes else False
    looks_up = _ends(agents, "agent_looks_up", language)
    agent_asked = not looks_up and (agent_asks_by_marks(agent_text, language) or _ends(agents, "agent_asks", language))
    return Situation(
        asked=Asked.NOTHING if is_closing else _asked(text, words, language, is_answer=agent_asked),
        is_closing=is_closing,
        is_dictated=_is_dictated(words, language),
        adds_to_thanks=bool(classes) and classes["adds"].search(words) is not None,
        agent_asked=agent_asked,
        agent_looks_up=looks_up,
        is_first=not agents,
    )


def _asked(text: str, words: str, language: str, *, is_answer: bool) -> Asked:
    classes = word_classes(_FOLDER, language)
    if classes and _is_answered_at_once(words, language):
        return Asked.AT_ONCE
    if "asks" not in classes:
        return _asked_by_intent_classes(text, words, language)
    gives, acts = classes["gives"].search(words), classes["acts"].search(words)
    wishes = classes["polite"].search(words) and (not is_answer or acts or classes["fact"].search(words))
    if not ("?" in text or classes["asks"].search(words) or gives or wishes):
        return Asked.NOTHING
    if gives and classes["fact"].search(words) and not acts:
        return Asked.FACT
    if classes["yes_no"].search(classes["open_question"].sub(" ", words)):
        return Asked.YES_NO
    if acts:
        return Asked.ACTION
    return Asked.FACT if gives or classes["fact"].search(words) else Asked.OTHER


def _is_answered_at_once(words: str, language: str) -> bool:
    """Whether nothing else is in the words, except those that only lead to it: "hello, can you hear me"."""
    rest = word_classes(_FOLDER, language)["at_once"].sub(" ", words)
    return rest != words and not word_classes("intents", language)["lead"].sub(" ", rest).split()


def _asked_by_intent_classes(text: str, words: str, language: str) -> Asked:
    classes = word_classes("intents", language)
    if not classes:
        return Asked.OTHER if "?" in text else Asked.NOTHING
    rest = words
    while (lead := classes["lead"].match(rest)) and lead.end() < len(rest):
        rest = rest[lead.end() :].strip()
    if classes["asks"].match(rest) or classes["asks_within"].search(words):
        return Asked.OTHER
    if classes["requests"].match(rest) or classes["requests_within"].search(words):
        return Asked.ACTION
    return Asked.OTHER if "?" in text else Asked.NOTHING


def _is_dictated(words: str, language: str) -> bool:
    """Whether the turn is nothing but digits or letters, too few for a whole number."""
    pauses = word_classes("pauses", language)
    if as_in := pauses.get("as_in"):
        words = re.sub(rf"{as_in.pattern} \w+", " ", without_code_words(words, pauses))
    classes, tokens = word_classes(_FOLDER, language), words.split()
    digit = classes.get("digit")
    if len(tokens) < _MIN_DICTATED:
        return False
    digits = sum(token.isdigit() for token in tokens)
    left = digit.sub(" ", words).split() if digit else [token for token in tokens if not token.isdigit()]
    count = max(len(tokens), sum(len(token) for token in tokens if token.isdigit())) if digits else len(tokens)
    return not left and count < _WHOLE_NUMBER_DIGITS


def _ends(agents: str, name: str, language: str) -> bool:
    """Whether the agent's last words are of a class: up to their end."""
    classes = word_classes(_FOLDER, language)
    return bool(classes and agents) and re.search(f"{classes[name].pattern}$", agents) is not None
