"""Recognise a sentence whose rest must still come: "I'd like to order", "so that"."""

from __future__ import annotations

import re

from agent_worker.text.plain_words import without_punctuation
from agent_worker.text.word_classes import word_classes

_FOLDER = "pauses"
#: Only the end of a long turn is looked at.
_MAX_CHARS = 200
_SENTENCE_END = re.compile(r"[.!?…]+(?:\s+|$)")


def is_open(text: str, language: str) -> bool:
    """Whether the last sentence is only a beginning. Never raises, whatever the text.

    A full stop means little: recognisers put one at each pause. A question mark closes a question that could be one.

    Args:
        text: What the caller has said in this turn.
        language: Language tag. In a language without word classes nothing is open.
    """
    classes = word_classes(_FOLDER, language)
    marked = re.sub("[’‘`´]", "'", text[-_MAX_CHARS:].strip().lower())
    sentences = [words for part in _SENTENCE_END.split(marked) if (words := without_punctuation(part))]
    if not classes or not sentences:
        return False
    sentence = _without_lead(sentences[-1], language)
    if marked.endswith(("...", "…", ",", "-", "–", "—")) and not marked.endswith("?"):
        return True
    if _is_all(sentence, "open_question", language):
        return True
    if marked.endswith(("?", "!")):
        return False
    if _is_all(sentence, "open_sentence", language) or _is_wish(sentence, language):
        return True
    if _ends(sentence, "open_end", language):
        return True
    asks = word_classes("intents", language)["asks"].match(sentence)
    return asks is None and _ends(sentence, "open_end_unless_asking", language)


def _without_lead(sentence: str, language: str) -> str:
    """Return the sentence without the words that only lead to it: "hello, yes, so …"."""
    lead = word_classes("intents", language)["lead"]
    while (found := lead.match(sentence)) and found.end() < len(sentence):
        sentence = sentence[found.end() :].strip()
    return sentence


def _is_all(sentence: str, name: str, language: str) -> bool:
    return word_classes(_FOLDER, language)[name].fullmatch(sentence) is not None


def _is_wish(sentence: str, language: str) -> bool:
    """Whether the sentence is a wish that does not say what for: "can I", "I want to book"."""
    classes = word_classes(_FOLDER, language)
    if not (wish := classes["wish"].match(sentence)):
        return False
    rest = sentence[wish.end() :].strip()
    return not rest or classes["object_verb"].fullmatch(rest) is not None


def _ends(sentence: str, name: str, language: str) -> bool:
    return re.search(f"{word_classes(_FOLDER, language)[name].pattern}$", sentence) is not None
