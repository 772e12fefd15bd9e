"""Who answers: the main model, or the fast model if the main one says no word that a caller could hear."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from livekit.agents import APIConnectionError, ModelSettings, llm

from agent_worker.core.progress import REASONING_CHARS_KEY, TOOL_CALL_KEY
from agent_worker.preresponse.agent import PreResponseAgent
from agent_worker.preresponse.first_word import Candidate, FirstWord, ReasoningHabits, Wordless, text_of
from agent_worker.telemetry.metrics import REPLACED_REASONS
from agent_worker.telemetry.unreported_usage import UnreportedUsage
from agent_worker.testing import ScriptedLLM, run_turn
from agent_worker.text.messages import apology
from tests.agent_worker.museum import PHRASE, museum_agent

QUESTION = "What time does the museum open?"
FAST = "We open at nine, I think."
THINKING = llm.ChoiceDelta(role="assistant", extra={REASONING_CHARS_KEY: 20})
WRITES_TOOL_CALL = llm.ChoiceDelta(role="assistant", extra={TOOL_CALL_KEY: True})
LIMIT_S = 4.0


class Clock:
    """A clock that a scripted model sets."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def as_chunk(piece: str | llm.ChoiceDelta) -> llm.ChatChunk:
    delta = llm.ChoiceDelta(role="assistant", content=piece) if isinstance(piece, str) else piece
    return llm.ChatChunk(id="1", delta=delta)


async def answer(
    *script: tuple[float, Any], silence_s: float = 1.5 * LIMIT_S, fast: tuple[str, ...] | None = (FAST,), **options: Any
) -> str:
    """Return the answer to a main model that sends each piece of the script at its time, in seconds."""
    clock = Clock()

    async def main() -> AsyncIterator[Any]:
        for at_s, piece in script:
            clock.now_s = at_s
            await asyncio.sleep(0)
            if isinstance(piece, Exception):
                raise piece
            yield as_chunk(piece)

    async def other() -> AsyncIterator[Any]:
        for piece in fast or ():
            yield as_chunk(piece)

    candidates = [Candidate("main", main, silence_s=silence_s, thinking_s=LIMIT_S)]
    if fast is not None:
        candidates.append(Candidate("fast", other, silence_s=2.0, thinking_s=2.0))
    request = llm.ChatContext.empty()
    return "".join([text_of(c) async for c in FirstWord(candidates, request, clock=clock, **options).chunks()])


REASONING = {
    "in a field": [(0.5 * number, THINKING) for number in range(1, 13)],
    "in tags": [(0.1, "<think>"), *((0.5 * number, "The user asks. ") for number in range(1, 13))],
    "with a closing tag only": [(0.5 * number, "Okay, the user asks. ") for number in range(1, 13)],
    "as empty lines": [(0.5 * number, "\n") for number in range(1, 13)],
}


@pytest.mark.parametrize("kind", REASONING)
async def test_model_that_is_at_work_for_too_long_is_replaced(kind: str) -> None:
    assert await answer(*REASONING[kind], (6.1, "</think>It opens at nine.")) == FAST


@pytest.mark.parametrize("kind", REASONING)
async def test_model_that_thinks_in_time_answers(kind: str) -> None:
    assert (await answer(*REASONING[kind][:5], (3.0, "</think>It opens at nine."))).strip() == "It opens at nine."


async def test_slow_answer_is_not_replaced_once_it_has_begun() -> None:
    assert await answer((3.9, "It opens "), (60.0, "at nine.")) == "It opens at nine."


async def test_model_that_writes_a_long_tool_call_is_waited_for_while_it_continues() -> None:
    call = llm.FunctionToolCall(name="hours", arguments="{}", call_id="1")
    pieces = [(2.0 * number, WRITES_TOOL_CALL) for number in range(1, 6)]
    assert await answer(*pieces, (11.0, llm.ChoiceDelta(role="assistant", tool_calls=[call]))) == ""


async def test_model_that_stops_in_the_middle_of_a_tool_call_is_replaced() -> None:
    main = ScriptedLLM(WRITES_TOOL_CALL, asyncio.Event())
    agent = museum_agent(fast_llm=ScriptedLLM(FAST), answer_timeout=0.2, fallback_timeout=60.0)
    assert (await run_turn(agent, QUESTION, llm=main)).answer == FAST


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [""],
        ["<think>The user asks about ", "the museum. They"],  # cut off by max_tokens
        ["🙂"],
        ["---\n"],
        ["\u200b", "\u200b\u200b"],
        ["*", "*"],
        ["*a long ", "sigh*"],
        ["(pauses)", ' <break time="1s"/>'],
        ["```python\n", "print(1)\n", "```\n"],
        ["!"],
    ],
)
async def test_answer_that_leaves_nothing_to_speak_is_replaced(pieces: list[str]) -> None:
    assert await answer(*((0.1, piece) for piece in pieces)) == FAST
    assert await answer(*((0.1, piece) for piece in pieces), fast=None) == ""


@pytest.mark.parametrize(
    "written",
    [
        '```json\n{"answer": "It opens at nine."}\n```',
        '```\n{"response": "It opens at nine.", "confidence": 0.9}\n```',
        '{"message": "It opens at nine."}',
    ],
)
async def test_answer_in_json_is_not_replaced(written: str) -> None:
    assert await answer(*((0.1, piece) for piece in written)) == written
    assert await answer((0.1, '```json\n{"day": "monday"}\n```')) == FAST


async def test_what_came_before_the_first_word_belongs_to_the_answer() -> None:
    assert await answer((0.1, "¿"), (0.2, "A las nueve?")) == "¿A las nueve?"


async def test_endless_signs_are_no_answer() -> None:
    assert await answer(*((0.1, "- " * 1_000) for _ in range(100))) == FAST


async def test_model_that_fails_before_its_first_word_is_replaced() -> None:
    assert await answer((0.1, THINKING), (0.2, RuntimeError("down"))) == FAST


@pytest.mark.parametrize("error", [RuntimeError("down"), TimeoutError(), asyncio.TimeoutError()])
async def test_model_that_fails_later_is_not_replaced(error: Exception) -> None:
    with pytest.raises(type(error)):
        await answer((0.1, "It opens "), (0.2, error))


async def test_failure_of_every_model_is_reported() -> None:
    with pytest.raises(APIConnectionError):
        await answer((0.1, RuntimeError("down")), fast=None)


async def test_tool_call_that_is_not_allowed_is_no_answer() -> None:
    calls = llm.ChoiceDelta(
        role="assistant", tool_calls=[llm.FunctionToolCall(name="hours", arguments="{}", call_id="1")]
    )
    assert await answer((0.1, calls), tools_allowed=False) == FAST


async def test_habit_of_a_model_is_remembered_for_the_call() -> None:
    habits = ReasoningHabits()
    await answer((0.1, "Museums are mostly open at nine. Or so. "), (0.2, "</think>"), (0.3, "Nine."), habits=habits)
    said = await answer(
        (0.1, "This one is open at ten, is it? It is. "), (0.2, "</think>"), (0.3, "Ten."), habits=habits
    )
    assert said == "Ten."


async def test_reasoning_of_a_replaced_model_is_billed() -> None:
    used: list[UnreportedUsage] = []
    await answer(*REASONING["in a field"], report_usage=used.append)
    assert [request.role for request in used] == ["main"]
    assert used[0].completion_chars >= 20 * 8


async def test_main_model_that_thinks_for_long_is_followed_by_the_fast_model_and_no_apology() -> None:
    thinks_for_ever = ScriptedLLM(*[THINKING] * 12, asyncio.Event(), "It opens at nine.")
    agent = museum_agent(fast_llm=ScriptedLLM(FAST), thinking_timeout=0.2, answer_timeout=60.0)
    turn = await run_turn(agent, QUESTION, llm=thinks_for_ever)
    assert (turn.preresponse, turn.answer) == (PHRASE, FAST)
    assert thinks_for_ever.cancelled == 1


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [(["🙂"], "empty"), ([RuntimeError("down")], "failed"), ([THINKING, asyncio.Event()], "thinking")],
)
async def test_answer_of_another_model_is_told_with_the_reason(pieces: list[Any], reason: str) -> None:
    agent, reasons = museum_agent(fast_llm=ScriptedLLM(FAST), thinking_timeout=0.2, answer_timeout=60.0), list[str]()
    agent.events.on("answer_replaced", reasons.append)
    await run_turn(agent, QUESTION, llm=ScriptedLLM(*pieces))
    assert reasons == [reason]


def test_every_reason_is_a_label_of_the_metric() -> None:
    assert set(REPLACED_REASONS) == {reason.value for reason in Wordless}


async def test_main_model_may_be_waited_for() -> None:
    done = asyncio.Event()
    main = ScriptedLLM(*[THINKING] * 12, done, "It opens at nine.")
    agent = museum_agent(fast_llm=ScriptedLLM(FAST), thinking_timeout=60.0, answer_timeout=0.2)
    asyncio.get_running_loop().call_later(0.5, done.set)
    assert (await run_turn(agent, QUESTION, llm=main)).answer == "It opens at nine."


@pytest.mark.parametrize("pieces", [["<think>The user asks"], [], ["🎉"], ["\u200b"], ["---"], ["*sighs*"]])
async def test_fast_model_is_asked_in_a_call_when_nothing_can_be_spoken(pieces: list[str]) -> None:
    agent = museum_agent(fast_llm=ScriptedLLM(FAST))
    turn = await run_turn(agent, QUESTION, llm=llm.FallbackAdapter([ScriptedLLM(*pieces), ScriptedLLM("unused")]))
    assert turn.answer == FAST


@pytest.mark.parametrize("pieces", [["<think>The user asks"], [], ["🎉"], ["---"]])
async def test_apology_is_spoken_when_neither_model_says_a_word(pieces: list[str]) -> None:
    agent = museum_agent(fast_llm=ScriptedLLM(*pieces))
    assert (await run_turn(agent, QUESTION, llm=ScriptedLLM(*pieces))).answer == apology("en")


@pytest.mark.parametrize(
    "pieces",
    [
        ["Okay, the user asks about the museum.", "</think>", "It opens at nine."],
        ["<think>", "The user asks.", "</th", "ink>", "It opens at nine."],
        ["[THINK]The user asks.[/THINK]", "It opens at nine."],
    ],
)
async def test_reasoning_is_not_spoken(pieces: list[str]) -> None:
    assert (await run_turn(museum_agent(), QUESTION, llm=ScriptedLLM(*pieces))).answer == "It opens at nine."


async def test_fallback_model_gets_the_conversation_and_the_tools() -> None:
    fast = ScriptedLLM(FAST)
    agent = museum_agent(fallback_llm=fast)
    await run_turn(agent, QUESTION, llm=ScriptedLLM("🙂"))
    [request] = fast.requests
    assert [item.role for item in request.items if item.type == "message"] == ["system", "user"]


def test_failed_and_silent_models_of_an_adapter_are_not_asked_again() -> None:
    agent = PreResponseAgent(instructions="", fast_llm=ScriptedLLM(), llm=llm.FallbackAdapter([ScriptedLLM()]))
    [main, _] = agent._models.ask(llm.ChatContext.empty(), [], ModelSettings(), "en")._candidates
    assert main.replaced_if == {Wordless.THINKING, Wordless.EMPTY}
