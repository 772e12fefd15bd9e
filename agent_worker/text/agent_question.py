"""Tell whether, and what, the agent's last words asked."""

from __future__ import annotations

import re

from agent_worker.text.word_classes import word_classes

#: Of a long text only the end is looked at: that is what the caller answers.
_MAX_CHARS = 300
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+")
_PUNCTUATION = re.compile(r"[^\w' ]+")


def asks(agent_text: str | None, language: str) -> bool:
    """Whether the agent's last words ask for something."""
    return bool(question(agent_text, language))


def question(agent_text: str | None, language: str) -> str:
    """Return the sentences with which the agent asked, in lower case; empty if the last two asked nothing.

    Args:
        agent_text: What the agent said last, perhaps interrupted.
        language: Language tag. "Please spell it" is recognised in the languages that have word classes.
    """
    imperatives = [word_classes(folder, language).get("agent_asks") for folder in ("intents", "pauses")]
    asked = []
    for sentence in _SENTENCE_END.split((agent_text or "")[-_MAX_CHARS:].lower().strip())[-2:]:
        words = " ".join(_PUNCTUATION.sub(" ", sentence).split())
        if "?" in sentence or any(imperative and imperative.match(words) for imperative in imperatives):
            asked.append(words)
    return ". ".join(asked)
