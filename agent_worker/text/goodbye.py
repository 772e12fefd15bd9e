"""Tell whether the caller, or the agent, takes leave."""

from __future__ import annotations

import re

from agent_worker.text.asked import Asked, situation
from agent_worker.text.intent import Intent
from agent_worker.text.intent_classifier import classify
from agent_worker.text.plain_words import plain_words
from agent_worker.text.word_classes import word_classes

#: Of a long text only the end counts.
_MAX_CHARS = 300
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+")
#: A longer sentence only mentions the words: "please take care of the fee before Friday, or else …".
_MAX_FAREWELL_WORDS = 14
#: Turns after which a farewell still holds.
_COURTESIES = frozenset({Intent.BACKCHANNEL, Intent.NOISE, Intent.THANKS, Intent.GREETING})


def caller_takes_leave(text: str, agent_text: str | None, language: str) -> bool:
    """Whether the caller says goodbye, or has no further wish: "no, that's all". Never raises.

    Args:
        text: The caller's turn.
        agent_text: What the agent said before it.
        language: Language tag. In a language without word classes nothing is recognised.
    """
    classes = word_classes("intents", language)
    if not classes or "?" in text:
        return False
    seen = classify(text, language, agent_text)
    if Intent.GOODBYE in (seen.intent, seen.by_rules):
        return True
    now = situation(text, agent_text, language)
    words = plain_words(text[-_MAX_CHARS:])
    ends = any(found.end() == len(words) for found in classes["farewell"].finditer(words))
    return now.is_closing or (ends and now.asked is Asked.NOTHING)


def is_courtesy(text: str, agent_text: str | None, language: str) -> bool:
    """Whether the caller's turn adds nothing to a farewell: "thanks", "okay"."""
    return classify(text, language, agent_text).intent in _COURTESIES


def agent_takes_leave(text: str, language: str) -> bool:
    """Whether the agent's words end with a farewell and ask nothing."""
    classes = word_classes("moves", language)
    sentences = _SENTENCE_END.split(text[-_MAX_CHARS:].strip())[-2:]
    if not classes or asks_more(text):
        return False
    plain = [plain_words(sentence) for sentence in sentences]
    return any(len(words.split()) <= _MAX_FAREWELL_WORDS and classes["agent_farewell"].search(words) for words in plain)


def asks_more(text: str) -> bool:
    """Whether the agent's last sentence is a question: the call goes on."""
    return text.rstrip(" \"'”»)").endswith("?")
