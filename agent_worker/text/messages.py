"""The fixed sentences of the agent, translated: one YAML file a language in ``text/data/messages``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources

import yaml  # type: ignore[import-untyped]

from agent_worker.text.language import base_language

_FALLBACK_LANGUAGE = "en"


def apology(language: str) -> str:
    """Return the sentence that is spoken when a provider fails: in ``language``, else in English."""
    return _sentence("apology", language)


def farewell(language: str) -> str:
    """Return the sentence that ends a call which has reached its time limit: in ``language``, else in English."""
    return _sentence("farewell", language)


def backchannel(language: str) -> str:
    """Return the sound of a listener, "mm-hm": in ``language``, else in English."""
    return _sentence("backchannel", language)


@cache
def preambles(language: str) -> frozenset[str]:
    """Return the empty openings of answers ("sure", "great question"), lower case; none for an unknown language."""
    listed = _messages(base_language(language)).get("preambles", "")
    return frozenset(filter(None, listed.split(", ")))


def _sentence(name: str, language: str) -> str:
    return (_messages(base_language(language)) or _messages(_FALLBACK_LANGUAGE))[name]


@cache
def _messages(language: str) -> Mapping[str, str]:
    file = resources.files("agent_worker.text") / "data" / "messages" / f"{language}.yaml"
    if not language.isalpha() or not file.is_file():
        return {}
    found: Mapping[str, str] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return found
