"""What would each strategy say in a turn? As the engine decides it, without sound and clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
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
        also: What else the turn may be, as classified.
    """

    kind: Kind
    texts: tuple[str, ...]
    source: str
    refused: str | None = None
    also: tuple[Kind, ...] = ()


def phrase(turn: Turn) -> Candidate:
    """Strategy ``phrase``."""
    said = classify(turn.caller, turn.language, turn.agent)
    texts = phrases(turn.language, said.kind, said.also)
    return Candidate(said.kind, texts, "phrase" if texts else "silence", also=said.also)


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
    return Candidate(instead.kind, (sentence,), "llm")


def _problem(sentence: str, turn: Turn, judged: Candidate) -> str | None:
    if not sentence:
        return "no_answer"
    reason = guard.problem_with(
        sentence, said=turn.caller, language=turn.language, recent=(), kind=judged.kind, also=judged.also
    )
    return reason.value if reason else None


@cache
def phrases(language: str, kind: Kind, also: tuple[Kind, ...] = ()) -> tuple[str, ...]:
    """Every phrase that could be picked."""
    return PhraseBook.load(language).of(kind, also)
