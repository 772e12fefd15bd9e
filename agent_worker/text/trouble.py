"""Tell whether the caller reports trouble or only uses its words: "Die Hard", "it's not broken", "the emergency exit".

The word classes are in ``data/moves``; those of trouble itself are in ``data/intents``.
"""

from __future__ import annotations

import re

from agent_worker.text.intent_rules import shorten
from agent_worker.text.plain_words import without_punctuation
from agent_worker.text.word_classes import word_classes

_FOLDER = "moves"
_TROUBLE = ("grave", "anger", "trouble")


def reports_trouble(text: str, agent_text: str | None, language: str, *, asks: bool = False) -> bool:
    """Return whether a word of trouble is said of somebody or something, and not denied. Never raises.

    A bare noun phrase is none ("broken wings", "a frozen pizza"), unless the agent has asked for the reason. Nor is a
    feeling that gives the reason for a request: "the kids are scared of the dark, can we have a night light".

    Args:
        text: The transcript, punctuated or not.
        agent_text: What the agent said last.
        language: Language tag. In a language without word classes nothing is reported.
        asks: Whether the caller asks for something in the same turn.
    """
    words, agents = without_punctuation(shorten(text).lower()), without_punctuation(shorten(agent_text or "").lower())
    classes, intents = word_classes(_FOLDER, language), word_classes("intents", language)
    if not classes or not intents or classes["cheerful"].search(words) or classes["title"].search(words):
        return False
    if not (classes["subject"].search(words) or _asks_for_reason(agents, language)):
        return False
    meant = intents["harmless"].sub(" ", words)
    denied = re.compile(rf"{classes['negation'].pattern}( \w+)?$")
    found = (match for name in _TROUBLE for match in intents[name].finditer(meant))
    said = (match[0] for match in found if not denied.search(meant[: match.start()].rstrip()))
    return any(not (asks and classes["mild"].fullmatch(word)) for word in said)


def _asks_for_reason(agents: str, language: str) -> bool:
    classes = (
        word_classes(_FOLDER, language)["agent_asks_reason"],
        word_classes("intents", language)["agent_asks_trouble"],
    )
    return any(each.search(agents) for each in classes)
