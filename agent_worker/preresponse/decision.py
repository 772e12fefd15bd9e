"""Decide whether a pre-response is spoken in a turn, when, and which one."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from livekit.agents import utils

from agent_worker.core.log import logger
from agent_worker.preresponse.answer import Answer
from agent_worker.preresponse.latency import LatencyEstimator
from agent_worker.preresponse.phrases import MIN_PHRASES_BETWEEN_REPEATS
from agent_worker.preresponse.policy import MovePolicy, Plan
from agent_worker.preresponse.strategies import Attempt, CallerTurn, Preresponse, Strategy
from agent_worker.preresponse.turn_commit import TURN_END_TIMEOUT_S
from agent_worker.telemetry.trace import TurnTrace
from agent_worker.text.intent_classifier import classify
from agent_worker.text.move import Move

#: As long as a word takes: it would delay an answer that comes sooner.
DEFAULT_QUICK_ANSWER_S = 0.4
#: How long a tool call is held back for a pre-response.
_TOOL_CALL_DELAY_S = 0.3


class PreresponseDecider:
    """Decides for the turns of one call, and remembers what was spoken in the last ones.

    Args:
        language: Language tag of the call.
        quick_answer_s: An answer that is expected within this time needs no pre-response.
        clock: Monotonic time in seconds.
        silence_s: Returns the seconds since the caller's last sound; ``None`` if unknown.

    Attributes:
        latency: The estimate of when an answer will be heard.
        recent: The pre-responses of the last turns, the latest last.
    """

    def __init__(
        self,
        language: str,
        quick_answer_s: float,
        clock: Callable[[], float] = time.monotonic,
        silence_s: Callable[[], float | None] = lambda: None,
    ) -> None:
        self.quick_answer_s = quick_answer_s
        self.latency = LatencyEstimator()
        self.recent: deque[str] = deque(maxlen=MIN_PHRASES_BETWEEN_REPEATS)
        self._policy = MovePolicy(language)
        self._plan: Plan | None = None
        self._clock = clock
        self._silence_s = silence_s

    @property
    def language(self) -> str:
        """Language tag of the call, which may change during it."""
        return self._policy.language

    @language.setter
    def language(self, language: str) -> None:
        self._policy.language = language

    def begin(self, strategy: Strategy | None, text: str, agent_text: str | None, trace: TurnTrace) -> Attempt | None:
        """Plan the moves for the caller's words and start the strategy's search, unless silence is due.

        Args:
            strategy: The strategy in force; ``None`` if pre-responses are off.
            text: The transcript of the caller's turn.
            agent_text: What the agent said last.
            trace: Gets the intent and the outcome so far.
        """
        if strategy is None:
            return None
        classified = classify(text, self.language, agent_text)
        trace.intent = classified.intent.value
        trace.outcome = "silent_kind" if classified.suppresses_preresponse else "undecided"
        if classified.suppresses_preresponse:
            return None
        self._plan = plan = self._policy.plan(text, agent_text, classified)
        if set(plan.weights) == {Move.NOTHING}:
            trace.outcome = "nothing_to_say"
            return None
        turn = CallerTurn(
            text,
            classified.intent,
            self.language,
            tuple(self.recent),
            trace,
            classified.alternatives,
            plan,
            self.latency.usual(),
            self._silence_s,
        )
        try:
            return strategy.begin(turn)
        except Exception as error:  # a strategy that fails must not cost the caller the answer
            logger.error("strategy %s failed, no pre-response: %s", strategy.name, type(error).__name__)
            trace.outcome = "failed"
            return None

    async def decide(
        self, attempt: Attempt, answer: Answer, turn_end: Coroutine[Any, Any, None], trace: TurnTrace
    ) -> Preresponse | None:
        """Return what to say before the answer; decided when the turn has ended.

        Args:
            attempt: The strategy's search.
            answer: The answer on its way.
            turn_end: Returns when the turn has ended.
            trace: Gets the outcome.
        """
        ended = asyncio.create_task(turn_end, name="turn_end")
        try:
            first = await first_done(ended, answer.speakable, timeout=TURN_END_TIMEOUT_S)
        finally:
            await utils.aio.cancel_and_wait(ended)
        if first is answer.speakable or await self._is_answer_quick(answer, trace):
            trace.outcome = "answer_first"
            preresponse = None
        else:
            preresponse = await self._select(attempt, answer, trace)
        self.note(preresponse.move if preresponse else Move.NOTHING)
        return preresponse

    def note(self, move: Move | None) -> None:
        """Take the move that this turn's reply begins with; ``None`` if a strategy of your own does not name it."""
        if self._plan is not None and move is not None:
            self._policy.note(self._plan, move)

    async def _is_answer_quick(self, answer: Answer, trace: TurnTrace) -> bool:
        """Whether the answer is there, or arrives so soon that a pre-response would only delay it."""
        if answer.speakable.done():
            return True
        eta = self.latency.eta(trace, self._clock())
        if eta is None or eta > self.quick_answer_s:
            return False
        return await first_done(answer.speakable, answer.calls_tool, timeout=self.quick_answer_s) is not None

    async def _select(self, attempt: Attempt, answer: Answer, trace: TurnTrace) -> Preresponse | None:
        """Return what the strategy selects, unless the answer is there before it."""
        eta = self.latency.eta(trace, self._clock())
        selecting = asyncio.create_task(attempt.select(eta), name="preresponse_selection")
        try:
            await first_done(selecting, answer.speakable, answer.calls_tool)
            if answer.calls_tool.done() and not answer.speakable.done():
                await first_done(selecting, answer.speakable, timeout=_TOOL_CALL_DELAY_S)
            return self._result_of(selecting, trace)
        finally:
            await utils.aio.cancel_and_wait(selecting)

    def _result_of(self, selecting: asyncio.Task[Preresponse | None], trace: TurnTrace) -> Preresponse | None:
        if not selecting.done():
            trace.outcome = "answer_first"
            return None
        if error := selecting.exception():
            logger.error("the strategy failed, no pre-response: %s", type(error).__name__)
            trace.outcome = "failed"
            return None
        preresponse = selecting.result()
        trace.outcome = "spoken" if preresponse else "nothing_to_say"
        return preresponse


async def first_done(*futures: asyncio.Future[Any], timeout: float | None = None) -> asyncio.Future[Any] | None:
    """Return the first future that is done, in the order given if several are; ``None`` after ``timeout`` seconds."""
    await asyncio.wait(futures, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    return next((future for future in futures if future.done()), None)
