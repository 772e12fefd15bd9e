"""Checks of what the agent would say in a turn, and totals over many turns."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from re import Pattern

from agent_worker.preresponse.phrases import PhraseBook
from agent_worker.preresponse.policy import MovePolicy
from agent_worker.text.intent import Intent
from agent_worker.text.intent_classifier import classify
from agent_worker.text.move import Move
from benchmarks.appropriateness.turns import Turn
from benchmarks.harness.stats import wilson_interval

_PROBLEM = "problem"
_LOOK_UPS = (Move.LOOK_UP, Move.MOMENT)
#: The moves that fit a label.
_MOVES: dict[str, tuple[Move, ...]] = {
    "question": _LOOK_UPS,
    "request": (*_LOOK_UPS, Move.CONSENT),
    "unclear": _LOOK_UPS,
    _PROBLEM: (Move.SYMPATHY,),
    "story": (Move.LISTEN,),
    "correction": (Move.WORD, Move.LISTEN),
    "yes_no": (Move.WORD, Move.LISTEN),
    "thanks": (Move.WELCOME,),
    "greeting": (Move.GREETING,),
}
#: Independent of the guard, which must not check itself.
_SYMPATHY = re.compile(
    r"\b(sorry|awful|terrible|frustrating|hard for you|siento|lamento|leid|bedaure|désolée?|navrée?|sinto)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Reply:
    """What the agent says before its answer.

    Attributes:
        intent: The turn's intent as classified.
        texts: Every phrase that may be picked; empty for silence.
    """

    intent: Intent
    texts: tuple[str, ...]

    @property
    def shows_sympathy(self) -> bool:
        """Whether every phrase does."""
        return all(bool(_SYMPATHY.search(text)) for text in self.texts)


def reply(turn: Turn) -> Reply:
    """Return what strategy ``phrase`` says in a turn."""
    classified = classify(turn.caller, turn.language, turn.agent)
    plan = MovePolicy(turn.language).plan(turn.caller, turn.agent, classified)
    return Reply(classified.intent, _phrases(turn.language, plan.moves(None)[0], plan.is_certain))


@cache
def _phrases(language: str, move: Move, is_certain: bool = True) -> tuple[str, ...]:
    return PhraseBook.load(language).of(move, is_certain=is_certain)


@dataclass(frozen=True)
class Verdict:
    """A turn and what is right or wrong about its reply.

    Attributes:
        turn: The turn with its labels.
        reply: What is said.
        decision_right: Whether it is right to speak, or to be silent.
        fits: Whether the intent is a label; None unless something is said and should be.
        words_fit: Whether the words fit a label, whatever the intent is; None as for ``fits``.
        forbidden: Whether a phrase must not be said; None if nothing is said.
    """

    turn: Turn
    reply: Reply
    decision_right: bool
    fits: bool | None
    words_fit: bool | None
    forbidden: bool | None

    @property
    def right(self) -> bool:
        """Whether nothing is wrong."""
        return self.decision_right and self.fits is not False and not self.forbidden


def check(turn: Turn, said: Reply, general: Sequence[Pattern[str]]) -> Verdict:
    """Compare a reply with the labels of its turn; ``general`` are patterns that no reply may match."""
    speaks = bool(said.texts)
    both = speaks and turn.speak
    fitting = {text for kind in turn.kinds for move in _MOVES[kind] for text in _phrases(turn.language, move)}
    patterns = (*turn.forbidden, *general)
    return Verdict(
        turn,
        said,
        decision_right=speaks == turn.speak,
        fits=said.intent.value in turn.kinds if both else None,
        words_fit=fitting.issuperset(said.texts) if both else None,
        forbidden=any(pattern.search(text) for pattern in patterns for text in said.texts) if speaks else None,
    )


@dataclass(frozen=True)
class Share:
    """A number of turns out of a total."""

    count: int
    of: int

    @property
    def interval(self) -> tuple[float, float]:
        """The share's 95 % confidence interval (Wilson)."""
        return wilson_interval(self.count, self.of)

    def __str__(self) -> str:
        """Return share, counts and interval."""
        if not self.of:
            return "-"
        low, high = self.interval
        return f"{self.count / self.of:.1%} ({self.count}/{self.of}; {low:.1%} to {high:.1%})"

    def as_dict(self) -> dict[str, float]:
        """Return counts and interval."""
        low, high = self.interval
        return {"count": self.count, "of": self.of, "low": low, "high": high}


@dataclass(frozen=True)
class Score:
    """Totals over turns.

    Attributes:
        decision: Turns in which it was right to speak or to be silent.
        kind: Of the turns in which something was said and should be: the intent is a label.
        words: Of the same: every phrase that may be picked is in the list of a label.
        forbidden: Of the turns in which something was said: it must not be said.
        right: Turns in which nothing is wrong.
        spoke_wrongly: Of the turns that should have been silent.
        silent_wrongly: Of the turns in which something should have been said.
        feeling_missed: Of the turns where only ``problem`` fits and something was said: without sympathy.
        sorry_wrongly: Of the turns where ``problem`` does not fit and something was said: with sympathy.
    """

    decision: Share
    kind: Share
    words: Share
    forbidden: Share
    right: Share
    spoke_wrongly: Share
    silent_wrongly: Share
    feeling_missed: Share
    sorry_wrongly: Share


def score(verdicts: Sequence[Verdict]) -> Score:
    """Return the totals."""

    def share(values: Iterable[bool | None]) -> Share:
        known = [value for value in values if value is not None]
        return Share(sum(known), len(known))

    spoken = [verdict for verdict in verdicts if verdict.reply.texts]
    return Score(
        decision=share(verdict.decision_right for verdict in verdicts),
        kind=share(verdict.fits for verdict in verdicts),
        words=share(verdict.words_fit for verdict in verdicts),
        forbidden=share(verdict.forbidden for verdict in verdicts),
        right=share(verdict.right for verdict in verdicts),
        spoke_wrongly=share(bool(verdict.reply.texts) for verdict in verdicts if not verdict.turn.speak),
        silent_wrongly=share(not verdict.reply.texts for verdict in verdicts if verdict.turn.speak),
        feeling_missed=share(not v.reply.shows_sympathy for v in spoken if v.turn.kinds == (_PROBLEM,)),
        sorry_wrongly=share(v.reply.shows_sympathy for v in spoken if v.turn.speak and _PROBLEM not in v.turn.kinds),
    )


def groups_of(verdicts: Iterable[Verdict], key: Callable[[Turn], str]) -> dict[str, list[Verdict]]:
    """Return the verdicts of each group, the largest group first."""
    groups: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault(key(verdict.turn), []).append(verdict)
    return dict(sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])))


def confusion(verdicts: Iterable[Verdict]) -> Counter[tuple[str, str]]:
    """Return how often a best label was classified as an intent; all silent intents are one."""
    return Counter(
        (
            verdict.turn.kinds[0] if verdict.turn.speak else "silence",
            "silence" if verdict.reply.intent.suppresses_preresponse else verdict.reply.intent.value,
        )
        for verdict in verdicts
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the value below which a share of sorted values lies."""
    return ordered[min(math.floor(len(ordered) * share), len(ordered) - 1)]
