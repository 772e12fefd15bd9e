"""What would each strategy say in a turn? As the engine decides it, without sound and clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from agent_worker.preresponse.phrases import PhraseBook
from agent_worker.text import guard
from agent_worker.text.intent import Intent
from agent_worker.text.intent_classifier import classify
from benchmarks.appropriateness.turns import Turn

#: Asks a fast model: the caller's words to its first sentence.
Ask = Callable[[str], str]


@dataclass(frozen=True)
class Candidate:
    """What a strategy says.

    Attributes:
        intent: The intent of the turn as classified.
        texts: What may be heard: the model's sentence, or every phrase that could have been picked; empty for silence.
        source: ``phrase``, ``llm`` or ``silence``.
        refused: Why the model's sentence was not spoken: a guard's reason, ``late`` or ``no_answer``.
        alternatives: What else the turn may be, as classified.
    """

    intent: Intent
    texts: tuple[str, ...]
    source: str
    refused: str | None = None
    alternatives: tuple[Intent, ...] = ()


def phrase(turn: Turn) -> Candidate:
    """Strategy ``phrase``."""
    said = classify(turn.caller, turn.language, turn.agent)
    texts = phrases(turn.language, said.intent, said.alternatives)
    return Candidate(said.intent, texts, "phrase" if texts else "silence", alternatives=said.alternatives)


def llm(turn: Turn, ask: Ask, budget: float | None = None) -> Candidate:
    """Strategy ``llm``, and with a ``budget`` in seconds ``hybrid``."""
    instead = phrase(turn)
    if instead.source == "silence":
        return instead
    started = time.monotonic()
    sentence = ask(turn.caller)
    if budget is not None and time.monotonic() - started > budget:
        return replace(instead, refused="late")
    reason = _problem(sentence, turn, instead)
    if reason:
        return replace(instead, refused=reason)
    return Candidate(instead.intent, (sentence,), "llm")


def _problem(sentence: str, turn: Turn, judged: Candidate) -> str | None:
    if not sentence:
        return "no_answer"
    reason = guard.problem_with(
        sentence,
        said=turn.caller,
        language=turn.language,
        recent=(),
        intent=judged.intent,
        alternatives=judged.alternatives,
    )
    return reason.value if reason else None


@cache
def phrases(language: str, intent: Intent, alternatives: tuple[Intent, ...] = ()) -> tuple[str, ...]:
    """Every phrase that could be picked."""
    return PhraseBook.load(language).of(intent, alternatives)
