"""Ask the engine what it would say in the turns of one call."""

from __future__ import annotations

import random
import re
import time
from typing import Any

from agent_worker.preresponse.decision import PreresponseDecider
from agent_worker.preresponse.phrases import PhraseBook
from agent_worker.preresponse.strategies import PhraseStrategy
from agent_worker.telemetry.trace import TurnTrace
from agent_worker.text.move import Move

_PUNCTUATION = re.compile(r"[^\w' ]+")


class Call:
    """One call of the engine with strategy ``phrase``.

    Args:
        answer_after_s: When the engine expects the answer, in each turn.
        seed: For the choice among phrases.

    Attributes:
        durations_ms: How long one core worked on each decision.
    """

    def __init__(self, answer_after_s: float, seed: int = 0) -> None:
        self._decider = PreresponseDecider("en", quick_answer_s=0.0)
        self._strategy = PhraseStrategy(PhraseBook.load("en", rng=random.Random(seed)))
        self._answer_after_s = answer_after_s
        self.durations_ms: list[float] = []

    async def say(self, caller: str, agent: str) -> str | None:
        """Return what is said before the answer to ``caller``; the call goes on from there."""
        started = time.thread_time()
        attempt: Any = self._decider.begin(self._strategy, caller, agent or None, TurnTrace("phrase"))
        found = await attempt.select(self._answer_after_s) if attempt else None
        self.durations_ms.append((time.thread_time() - started) * 1000)
        if attempt:
            self._decider.note(found.move if found else Move.NOTHING)
        if found:
            self._decider.recent.append(found.text)
        return found.text if found else None


def bare(text: str) -> str:
    """Return a text as a recogniser writes it: in lower case, without punctuation."""
    return " ".join(_PUNCTUATION.sub(" ", text.lower().replace("’", "'")).split())
