"""The fixed sentences of the agent, translated: one YAML file a language in ``text/data/messages``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import yaml  # type: ignore[import-untyped]

from agent_worker.text.language import base_language
from agent_worker.text.move import Move


def apology(language: str) -> str:
    """Return the sentence that is spoken when a provider fails; empty in a language without texts."""
    return _sentence("apology", language)


def farewell(language: str) -> str:
    """Return the sentence that ends a call which has reached its time limit; empty in a language without texts."""
    return _sentence("farewell", language)


def backchannel(language: str) -> str:
    """Return the sound of a listener, "mm-hm"; empty in a language without texts."""
    return _sentence("backchannel", language)


def tool_timeout(language: str) -> str:
    """Return the sentence that is spoken when a tool is given up; empty in a language without texts."""
    return _sentence("tool_timeout", language)


def cut_off(language: str) -> tuple[str, str]:
    """Return what an agent says that takes over a call, and what it says before the caller's last words."""
    return _sentence("cut_off", language), _sentence("cut_off_reminder", language)


def waiting(language: str) -> tuple[str, str]:
    """Return what a caller hears who waits for an agent, and the goodbye if none comes; empty without texts."""
    return _sentence("waiting", language), _sentence("waiting_farewell", language)


def silence_questions(language: str) -> tuple[str, ...]:
    """Return what a silent caller is asked, in this order; empty in a language without texts."""
    return tuple(filter(None, (_sentence(name, language) for name in ("still_there", "still_there_again"))))


def silence_farewell(language: str) -> str:
    """Return the sentence that ends the call of a silent caller; empty in a language without texts."""
    return _sentence("silence_farewell", language)


def recording_notice(language: str) -> str:
    """Return the sentence that tells callers that they are recorded; empty in a language without texts."""
    return _sentence("recording_notice", language)


def transfer(language: str) -> str:
    """Return what a caller hears who is put through to a person; empty in a language without texts."""
    return _sentence("transfer", language)


def transfer_failed(language: str) -> str:
    """Return what a caller hears whom nobody took; empty in a language without texts."""
    return _sentence("transfer_failed", language)


@cache
def preambles(language: str, move: Move | None = None) -> frozenset[str]:
    """Return the openings of answers that do the same as a move, lower case; none for an unknown language.

    Args:
        language: Language tag.
        move: The move; ``None``: those of every move but a greeting.
    """
    listed = _messages(base_language(language)).get("preambles") or {}
    wanted = [name for name in listed if (name != Move.GREETING if move is None else name == move.group)]
    return frozenset(opening for name in wanted for opening in listed[name].split(", "))


def look_up_beginnings(language: str) -> tuple[str, ...]:
    """Return words with which a sentence about a look-up begins: "let me check"."""
    listed: str = _messages(base_language(language)).get("look_up_beginnings", "")
    return tuple(filter(None, listed.split(", ")))


def polite_words(language: str) -> tuple[str, ...]:
    """Return words that may follow an opening: "please"."""
    listed: str = _messages(base_language(language)).get("polite", "")
    return tuple(filter(None, listed.split(", ")))


def _sentence(name: str, language: str) -> str:
    sentence: str = _messages(base_language(language)).get(name, "")
    return sentence


@cache
def _messages(language: str) -> Mapping[str, Any]:
    file = resources.files("agent_worker.text") / "data" / "messages" / f"{language}.yaml"
    if not language.isalpha() or not file.is_file():
        return {}
    found: Mapping[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return found
