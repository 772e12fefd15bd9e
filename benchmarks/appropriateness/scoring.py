"""Was it right to speak, did it fit, and was nothing said that must not be said?"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from re import Pattern

from agent_worker.text.intent import Intent
from benchmarks.appropriateness.candidates import Candidate, phrases
from benchmarks.appropriateness.turns import Turn

_FEELING = "problem"
#: Judged apart from the guard, which would otherwise be its own judge.
_SYMPATHY = re.compile(
    r"\b(sorry|awful|terrible|frustrating|hard for you|siento|lamento|leid|bedaure|désolée?|navrée?|sinto)\b",
    re.IGNORECASE,
)
_APOLOGY_MAY_FIT = {"problem", "unclear", "correction"}


@dataclass(frozen=True)
class Verdict:
    """One turn, judged.

    Attributes:
        fits: Whether the kind is one of the turn's; ``None`` unless something was said that should be.
        words_fit: Whether the words fit, whatever the kind was judged to be; ``None`` as for ``fits``.
        forbidden: Whether it said what must not be said; ``None`` if nothing was said.
    """

    turn: Turn
    candidate: Candidate
    decision_right: bool
    fits: bool | None
    words_fit: bool | None
    forbidden: bool | None

    @property
    def right(self) -> bool:
        """Whether nothing at all is wrong."""
        return self.decision_right and self.fits is not False and not self.forbidden


def judge(turn: Turn, candidate: Candidate, general: Sequence[Pattern[str]]) -> Verdict:
    """Judge what a strategy says in a turn.

    A phrase's kind fits if it is one of the turn's. Its words fit if every phrase that could have been picked is in the
    list of one of the turn's kinds. A model's sentence has passed the guard; both fit if it says sorry where only that
    fits (``problem`` alone or first), and does not where it never does.
    """
    speaks = bool(candidate.texts)
    both = speaks and turn.speak
    fits = _fits(turn, candidate) if both else None
    words_fit = _words_fit(turn, candidate) if both else None
    patterns = (*turn.forbidden, *general)
    forbidden = any(pattern.search(text) for pattern in patterns for text in candidate.texts) if speaks else None
    return Verdict(turn, candidate, speaks == turn.speak, fits, words_fit, forbidden)


def _fits(turn: Turn, candidate: Candidate) -> bool:
    if candidate.source == "phrase":
        return candidate.intent.value in turn.kinds
    sorry = all(bool(_SYMPATHY.search(text)) for text in candidate.texts)
    if turn.kinds[0] == _FEELING:
        return sorry
    return not sorry or bool(_APOLOGY_MAY_FIT & set(turn.kinds))


def _words_fit(turn: Turn, candidate: Candidate) -> bool:
    if candidate.source != "phrase":
        return _fits(turn, candidate)
    fitting = {text for kind in turn.kinds for text in phrases(turn.language, Intent(kind))}
    return fitting.issuperset(candidate.texts)


@dataclass(frozen=True)
class Share:
    """So many of so many, with the 95 % interval after Wilson."""

    count: int
    of: int
    low: float = field(init=False)
    high: float = field(init=False)

    def __post_init__(self) -> None:
        low, high = wilson(self.count, self.of)
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)

    @property
    def share(self) -> float:
        return self.count / self.of if self.of else math.nan

    def __str__(self) -> str:
        if not self.of:
            return "-"
        return f"{self.share:.1%} ({self.count}/{self.of}; {self.low:.1%} to {self.high:.1%})"


def wilson(count: int, of: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % interval of a share."""
    if not of:
        return 0.0, 1.0
    share, spread = count / of, z * z / of
    middle = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / of + spread / (4 * of)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True)
class Score:
    """Totals over turns.

    Attributes:
        decision: Turns in which it was right to speak or to be silent.
        kind: Of the turns in which something was said and should be: the kind is one of the labels.
        words: Of the same: every phrase that could have been picked is in the list of a kind that is a label.
        forbidden: Of the turns in which something was said: it must not be said.
        right: Turns in which nothing at all is wrong.
        spoke_wrongly: Of the turns that should have been silent.
        silent_wrongly: Of the turns in which something should have been said.
        feeling_missed: Of the turns where only ``problem`` fits and something was said: nobody said sorry.
        sorry_wrongly: Of the turns where ``problem`` does not fit and something was said: somebody said sorry.
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
    """Count."""

    def share(these: Iterable[Verdict], those: Callable[[Verdict], bool]) -> Share:
        chosen = list(these)
        return Share(sum(map(those, chosen)), len(chosen))

    spoken = [verdict for verdict in verdicts if verdict.candidate.texts]
    to_speak = [verdict for verdict in verdicts if verdict.turn.speak]
    return Score(
        decision=share(verdicts, lambda verdict: verdict.decision_right),
        kind=share((v for v in verdicts if v.fits is not None), lambda verdict: bool(verdict.fits)),
        words=share((v for v in verdicts if v.words_fit is not None), lambda verdict: bool(verdict.words_fit)),
        forbidden=share(spoken, lambda verdict: bool(verdict.forbidden)),
        right=share(verdicts, lambda verdict: verdict.right),
        spoke_wrongly=share((v for v in verdicts if not v.turn.speak), lambda verdict: bool(verdict.candidate.texts)),
        silent_wrongly=share(to_speak, lambda verdict: not verdict.candidate.texts),
        feeling_missed=share((v for v in spoken if v.turn.kinds == (_FEELING,)), lambda verdict: not _sorry(verdict)),
        sorry_wrongly=share((v for v in spoken if v.turn.speak and _FEELING not in v.turn.kinds), _sorry),
    )


def _sorry(verdict: Verdict) -> bool:
    return all(bool(_SYMPATHY.search(text)) for text in verdict.candidate.texts)


def by(verdicts: Iterable[Verdict], group: Callable[[Turn], str]) -> dict[str, list[Verdict]]:
    """The verdicts of each group, the largest group first."""
    groups: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault(group(verdict.turn), []).append(verdict)
    return dict(sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])))


def confusion(verdicts: Iterable[Verdict]) -> Counter[tuple[str, str]]:
    """How often a best label was judged to be a kind. Silent kinds are one."""
    return Counter(
        (
            verdict.turn.kinds[0] if verdict.turn.speak else "silence",
            "silence" if verdict.candidate.intent.suppresses_preresponse else verdict.candidate.intent.value,
        )
        for verdict in verdicts
    )


def refusals(verdicts: Iterable[Verdict]) -> Counter[str]:
    """Where the sentences came from, or why the model's was not spoken."""
    return Counter(verdict.candidate.refused or verdict.candidate.source for verdict in verdicts)
