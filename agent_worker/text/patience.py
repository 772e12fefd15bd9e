"""Tell when a silence of the caller is no absence: they fetch something, asked to wait, or dictate."""

from __future__ import annotations

import re

from agent_worker.text.dictation import FOLDER, Dictation, asked_value, dictation
from agent_worker.text.intent import Intent
from agent_worker.text.intent_classifier import classify
from agent_worker.text.plain_words import plain_words
from agent_worker.text.word_classes import word_classes

#: Of a long text only the end counts.
_MAX_CHARS = 300
_SENTENCE_END = re.compile(r"(?<=[.!?…,;])\s+")
#: Values that are on a card or a letter, which has to be found: nobody knows them by heart.
_LOOKED_UP_VALUES = frozenset({"card", "code", "number"})
#: Turns after which a caller who asked to wait is still away: they are not for the agent.
_ASIDE = frozenset({Intent.BACKCHANNEL, Intent.SIDE_TALK, Intent.NOISE})


def asks_for_time(text: str, agent_text: str | None, language: str) -> bool:
    """Whether the caller asks to wait, looks for something, or is in the middle of a value. Never raises.

    Args:
        text: The caller's turn.
        agent_text: What the agent said before it.
        language: Language tag. In a language without word classes nothing is recognised.
    """
    if not word_classes("intents", language):
        return False
    seen = classify(text, language, agent_text)
    return (
        Intent.HOLD in (seen.intent, seen.by_rules)
        or _says_to_wait(text, language)
        or bool(_search("fetching", text, language))
        or dictation(text, agent_text, language) is Dictation.INCOMPLETE
    )


def is_aside(text: str, agent_text: str | None, language: str) -> bool:
    """Whether the caller's turn is no word to the agent: a caller who asked to wait is not back."""
    return classify(text, language, agent_text).intent in _ASIDE


def gives_time(agent_text: str, language: str) -> bool:
    """Whether the agent's words leave the caller time, or ask for what has to be looked up: "your card number"."""
    return bool(_search("agent_waits", agent_text, language)) or asked_value(agent_text, language) in _LOOKED_UP_VALUES


def _says_to_wait(text: str, language: str) -> bool:
    """Whether a sentence begins or ends with words such as "hang on"."""
    wait = word_classes("intents", language)["wait"]
    sentences = [plain_words(part) for part in _SENTENCE_END.split(text[-_MAX_CHARS:]) if not part.endswith("?")]
    return any(
        wait.match(sentence) or any(found.end() == len(sentence) for found in wait.finditer(sentence))
        for sentence in sentences
    )


def _search(name: str, text: str, language: str) -> re.Match[str] | None:
    classes = word_classes(FOLDER, language)
    return classes[name].search(plain_words(text[-_MAX_CHARS:])) if classes else None
