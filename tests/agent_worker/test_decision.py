"""Whether, when and which pre-response: the decision without a session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from agent_worker.preresponse.answer import Answer
from agent_worker.preresponse.decision import PreresponseDecider, first_done
from agent_worker.preresponse.phrases import PhraseBook
from agent_worker.preresponse.strategies import Attempt, CallerTurn, PhraseStrategy, Preresponse
from agent_worker.telemetry.trace import TurnTrace
from agent_worker.text.intent import Intent
from agent_worker.text.move import Move
from tests.waiting import settle

PHRASES = PhraseStrategy(PhraseBook("en", {Move.LOOK_UP: ["Let me see."], Move.SYMPATHY: ["I'm sorry."]}))


class FixedAttempt:
    """Selects ``result`` when ``gate`` is open; an exception is raised."""

    predicted_text: str | None = None

    def __init__(self, result: Preresponse | Exception | None, gate: asyncio.Event | None = None) -> None:
        self.result = result
        self.gate = gate
        self.etas: list[float | None] = []

    async def select(self, answer_eta: float | None) -> Preresponse | None:
        self.etas.append(answer_eta)
        if self.gate:
            await self.gate.wait()
        if isinstance(self.result, Exception):
            raise self.result
        return self.result

    async def aclose(self) -> None:
        pass


def answer_of(*pieces: str, gate: asyncio.Event | None = None, trace: TurnTrace | None = None) -> Answer:
    async def chunks() -> AsyncIterator[Any]:
        if gate:
            await gate.wait()
        for piece in pieces:
            yield piece

    return Answer(chunks(), trace or TurnTrace())


async def decided(attempt: Attempt, answer: Answer, *, ended: asyncio.Event, trace: TurnTrace) -> Preresponse | None:
    async def turn_end() -> None:
        await ended.wait()

    return await PreresponseDecider("en", 0.0).decide(attempt, answer, turn_end(), trace)


def is_set() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


LOOK = Preresponse("Let me look.", "phrase")


@pytest.mark.parametrize(
    ("text", "outcome", "intent"),
    [("When do you open?", "undecided", "question"), ("Goodbye!", "silent_kind", "goodbye")],
)
def test_search_begins_unless_silence_is_due(text: str, outcome: str, intent: str) -> None:
    trace = TurnTrace("phrase")
    attempt = PreresponseDecider("en", 0.0).begin(PHRASES, text, None, trace)
    assert (trace.outcome, trace.intent) == (outcome, intent)
    assert (attempt is not None) is (outcome == "undecided")


def test_without_a_strategy_nothing_is_classified() -> None:
    trace = TurnTrace()
    assert PreresponseDecider("en", 0.0).begin(None, "When?", None, trace) is None
    assert (trace.outcome, trace.intent) == ("off", None)


def test_strategy_is_given_the_turn_and_the_last_preresponses() -> None:
    turns: list[CallerTurn] = []

    class Recording:
        name = "recording"

        def begin(self, turn: CallerTurn) -> Attempt:
            turns.append(turn)
            return FixedAttempt(None)

    decider = PreresponseDecider("en-GB", 0.0)
    decider.recent.append("One moment.")
    decider.begin(Recording(), "When do you open?", None, TurnTrace())
    assert (turns[0].text, turns[0].intent, turns[0].language) == ("When do you open?", Intent.QUESTION, "en-GB")
    assert turns[0].recent == ("One moment.",)


def test_moves_are_those_of_the_language_that_the_call_has_now() -> None:
    decider, trace = PreresponseDecider("multi", 0.0), TurnTrace()
    decider.language = "de"
    assert decider.begin(PHRASES, "nein danke", "Noch etwas?", trace) is None
    assert trace.outcome == "nothing_to_say"  # without German words, a word might acknowledge it


async def test_nothing_is_decided_before_the_turn_has_ended() -> None:
    ended, trace = asyncio.Event(), TurnTrace()
    attempt = FixedAttempt(LOOK)
    answer = answer_of("Nine.", gate=asyncio.Event())
    deciding = asyncio.create_task(decided(attempt, answer, ended=ended, trace=trace))
    await settle()
    assert not attempt.etas
    ended.set()
    assert await deciding == LOOK
    assert trace.outcome == "spoken"
    answer.task.cancel()


async def test_answer_that_is_there_first_needs_no_preresponse() -> None:
    trace = TurnTrace()
    answer = answer_of("It opens at nine. ", "Every day.")
    await answer.speakable
    assert await decided(FixedAttempt(LOOK), answer, ended=is_set(), trace=trace) is None
    assert trace.outcome == "answer_first"


async def test_answer_that_arrives_during_the_selection_wins() -> None:
    gate, trace = asyncio.Event(), TurnTrace()
    answer = answer_of("Nine.", gate=gate)
    deciding = asyncio.create_task(
        decided(FixedAttempt(LOOK, gate=asyncio.Event()), answer, ended=is_set(), trace=trace)
    )
    gate.set()
    assert await deciding is None
    assert trace.outcome == "answer_first"


@pytest.mark.parametrize(
    ("result", "outcome"), [(None, "nothing_to_say"), (RuntimeError("a bug"), "failed"), (LOOK, "spoken")]
)
async def test_outcome_says_what_became_of_the_selection(result: Any, outcome: str) -> None:
    trace = TurnTrace()
    answer = answer_of("Nine.", gate=asyncio.Event())
    preresponse = await decided(FixedAttempt(result), answer, ended=is_set(), trace=trace)
    assert preresponse == (LOOK if outcome == "spoken" else None)
    assert trace.outcome == outcome
    answer.task.cancel()


async def test_strategy_gets_the_expected_time_of_the_answer() -> None:
    now = 100.0
    decider = PreresponseDecider("en", 0.0, clock=lambda: now)
    decider.latency.observe(TurnTrace(main_request=0.0, main_first_token=2.0, main_first_audio=2.5))
    trace = TurnTrace()
    answer = answer_of("Nine.", gate=asyncio.Event(), trace=trace)
    trace.main_request = 99.0
    attempt = FixedAttempt(LOOK)

    async def ended() -> None:
        pass

    await decider.decide(attempt, answer, ended(), trace)
    assert attempt.etas == [pytest.approx(1.5)]
    answer.task.cancel()


async def test_first_done_prefers_the_order_given() -> None:
    loop = asyncio.get_running_loop()
    first, second = loop.create_future(), loop.create_future()
    second.set_result(None)
    assert await first_done(first, second) is second
    first.set_result(None)
    assert await first_done(first, second) is first
    assert await first_done(loop.create_future(), timeout=0) is None
