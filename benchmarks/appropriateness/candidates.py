"""What would each strategy say in a turn? As the engine decides it, without sound and clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from agent_worker import guard
from agent_worker.phrases import PhraseBook
from agent_worker.utterance import Kind, classify
from benchmarks.appropriateness.turns import Turn

#: Asks a fast model: the caller's words to its first sentence.
Ask = Callable[[str], str]


@dataclass(frozen=True)
class Candidate:
    """What a strategy says.

    Attributes:
        kind: The kind of the turn as classified.
        texts: What may be heard: the model's sentence, or every phrase that could have been picked; empty for silence.
        source: ``phrase``, ``llm`` or ``silence``.
        refused: Why the model's sentence was not spoken: a guard's reason, ``late`` or ``no_answer``.
    """

    kind: Kind
    texts: tuple[str, ...]
    source: str
    refused: str | None = None


def phrase(turn: Turn) -> Candidate:
    """Strategy ``phrase``."""
    kind = classify(turn.caller, turn.language, turn.agent).kind
    texts = _phrases(turn.language, kind)
    return Candidate(kind, texts, "phrase" if texts else "silence")


def llm(turn: Turn, ask: Ask, budget: float | None = None) -> Candidate:
    """Strategy ``llm``, and with a ``budget`` in seconds ``hybrid``."""
    instead = phrase(turn)
    if instead.source == "silence":
        return instead
    started = time.monotonic()
    sentence = ask(turn.caller)
    if budget is not None and time.monotonic() - started > budget:
        return Candidate(instead.kind, instead.texts, "phrase", "late")
    reason = _problem(sentence, turn, instead.kind)
    if reason:
        return Candidate(instead.kind, instead.texts, "phrase", reason)
    return Candidate(instead.kind, (sentence,), "llm")


def _problem(sentence: str, turn: Turn, kind: Kind) -> str | None:
    if not sentence:
        return "no_answer"
    reason = guard.problem_with(sentence, said=turn.caller, language=turn.language, recent=(), kind=kind)
    return reason.value if reason else None


@cache
def _phrases(language: str, kind: Kind) -> tuple[str, ...]:
    return PhraseBook.load(language).of(kind)
