from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest
from livekit.agents import Agent, AgentSession, APIStatusError, FlushSentinel, ModelSettings, function_tool, llm

from agent_worker.preresponse.agent import ANSWER_NOTE, PreResponseAgent
from agent_worker.preresponse.answer import Answer
from agent_worker.preresponse.phrases import PhraseBook
from agent_worker.preresponse.strategies import Attempt, CallerTurn, Preresponse
from agent_worker.telemetry.trace import PRERESPONSE_EXTRA_KEY, TurnTrace
from agent_worker.testing import ScriptedLLM, run_turn
from agent_worker.text.messages import apology
from agent_worker.text.move import SPOKEN_MOVES, Move
from agent_worker.turn_taking.floor import Floor
from tests.waiting import settle, until

QUESTION = "What time does the museum open?"


class OneSentence:
    """A strategy whose pre-response is there when the test says so."""

    name = "test"

    def __init__(self, text: str | None = "Let me look.", gate: asyncio.Event | None = None) -> None:
        self.predicted_text = text
        self.gate = gate
        self.turns: list[CallerTurn] = []
        self.closed = 0

    def begin(self, turn: CallerTurn) -> Attempt:
        self.turns.append(turn)
        return self

    async def select(self, answer_eta: float | None) -> Preresponse | None:
        if self.gate:
            await self.gate.wait()
        return Preresponse(self.predicted_text, "phrase") if self.predicted_text else None

    async def aclose(self) -> None:
        self.closed += 1


@asynccontextmanager
async def running(agent: Agent, main: llm.LLM[Any]) -> AsyncIterator[AgentSession[Any]]:
    async with AgentSession[Any](llm=main, vad=None, turn_handling={"turn_detection": None}) as session:
        await session.start(agent)
        yield session


def agent_with(strategy: Any, **options: Any) -> PreResponseAgent:
    return PreResponseAgent(instructions="You help.", strategy=strategy, **options)


def answer_after_decision(agent: PreResponseAgent) -> asyncio.Event:
    """Return a gate for the main model that opens when the engine has decided about the pre-response."""
    gate = asyncio.Event()
    agent.events.once("preresponse_decided", lambda _: gate.set())
    return gate


async def reply_to(
    agent: PreResponseAgent, main: ScriptedLLM, text: str = QUESTION, *, hold_answer: bool = True
) -> llm.ChatMessage:
    """Return the agent's message in the history after the caller said ``text``."""
    turn = await run_turn(agent, text, llm=main, hold_answer=hold_answer)
    return turn.messages[-1]


async def yielded(agent: PreResponseAgent, chat_ctx: llm.ChatContext) -> list[Any]:
    spoken: list[Any] = []
    async for chunk in agent.llm_node(chat_ctx, [], ModelSettings()):
        if isinstance(chunk, FlushSentinel):
            spoken.append(FlushSentinel)
        elif isinstance(chunk, llm.ChatChunk) and chunk.delta and chunk.delta.content:
            spoken.append(chunk.delta.content)
        elif isinstance(chunk, str):
            spoken.append(chunk)
    return spoken


async def test_preresponse_is_a_segment_of_its_own_before_the_answer() -> None:
    agent = agent_with(OneSentence())
    main = ScriptedLLM("It opens ", "at nine.", gate=answer_after_decision(agent))
    async with running(agent, main):
        chat_ctx = agent.chat_ctx.copy()
        await agent.update_chat_ctx(chat_ctx)
        chat_ctx.add_message(role="user", content=QUESTION)
        await agent.update_chat_ctx(chat_ctx)
        assert await yielded(agent, chat_ctx) == ["Let me look. ", FlushSentinel, "It opens ", "at nine."]


async def test_history_holds_one_message_with_preresponse_and_answer() -> None:
    reply = await reply_to(agent_with(OneSentence()), ScriptedLLM("It opens at nine."))
    assert reply.text_content == "Let me look. It opens at nine."
    assert reply.extra[PRERESPONSE_EXTRA_KEY] == "Let me look."


async def test_nothing_is_spoken_before_the_end_of_the_turn() -> None:
    main = ScriptedLLM("Nine.", gate=asyncio.Event())
    agent, strategy = agent_with(OneSentence()), OneSentence()
    agent.strategy = strategy
    async with running(agent, main):
        guess = agent.chat_ctx.copy()
        guess.add_message(role="user", content=QUESTION)  # a transcript that is not part of the conversation yet
        attempt = asyncio.create_task(yielded(agent, guess))
        await main.asked.wait()
        await settle()
        assert not attempt.done()
        attempt.cancel()
        await asyncio.gather(attempt, return_exceptions=True)
        assert main.cancelled == 1
        assert strategy.closed == 1
        assert strategy.turns[0].recent == ()


async def test_answer_that_is_ready_before_the_end_of_the_turn_is_not_delayed() -> None:
    agent, main = agent_with(OneSentence()), ScriptedLLM("It opens at nine. ", "Every day.")
    async with running(agent, main):
        guess = agent.chat_ctx.copy()
        guess.add_message(role="user", content=QUESTION)
        assert await yielded(agent, guess) == ["It opens at nine. ", "Every day."]


async def test_slow_preresponse_does_not_delay_a_ready_answer() -> None:
    strategy = OneSentence(gate=asyncio.Event())
    reply = await reply_to(agent_with(strategy), ScriptedLLM("Nine."), hold_answer=False)
    assert reply.text_content == "Nine."
    assert strategy.closed == 1


async def test_strategy_that_selects_nothing_leaves_a_plain_answer() -> None:
    assert (await reply_to(agent_with(OneSentence(None)), ScriptedLLM("Nine."))).text_content == "Nine."


@pytest.mark.parametrize("method", ["begin", "select"])
async def test_strategy_that_fails_does_not_cost_the_caller_the_answer(method: str) -> None:
    error = RuntimeError("a bug in a strategy")
    mock = Mock if method == "begin" else AsyncMock
    strategy = OneSentence()
    setattr(strategy, method, mock(side_effect=error))
    assert (await reply_to(agent_with(strategy), ScriptedLLM("Nine."))).text_content == "Nine."


async def test_strategy_off_leaves_a_plain_agent() -> None:
    agent = agent_with("off")
    assert (await reply_to(agent, ScriptedLLM("Nine."))).text_content == "Nine."
    assert agent.instructions == "You help."


@pytest.mark.parametrize("words", ["Goodbye, have a nice day!", "Mm-hmm.", "Hold on a second, please."])
async def test_no_preresponse_after_goodbye_backchannel_or_hold(words: str) -> None:
    strategy = OneSentence()
    assert (await reply_to(agent_with(strategy), ScriptedLLM("Bye."), words)).text_content == "Bye."
    assert not strategy.turns


async def test_answer_expected_soon_gets_no_preresponse() -> None:
    main = ScriptedLLM("It opens at nine. ", "Every day.")
    agent = agent_with(OneSentence(), quick_answer=60.0)
    async with running(agent, main) as session:
        await session.run(user_input=QUESTION)  # from this turn the agent knows that the main model is fast
        main.gate = gate = asyncio.Event()
        closing = session.run(user_input="When does it close?")
        await until(lambda: len(main.requests) == 2)
        await settle()  # the answer is expected soon, so nothing is said meanwhile
        gate.set()
        await closing
        reply = session.history.items[-1]
    assert isinstance(reply, llm.ChatMessage)
    assert PRERESPONSE_EXTRA_KEY not in reply.extra


async def test_request_ends_with_the_words_of_the_caller_and_the_note_is_in_the_instructions() -> None:
    main = ScriptedLLM("Nine.")
    await reply_to(agent_with(OneSentence()), main)
    instructions, *_, caller = [item for item in main.requests[0].items if item.type == "message"]
    assert ANSWER_NOTE in (instructions.text_content or "")
    assert (caller.role, caller.text_content) == ("user", QUESTION)


async def test_main_model_is_not_told_what_is_spoken_before_its_answer() -> None:
    main = ScriptedLLM("Nine.")
    await reply_to(agent_with(OneSentence()), main)
    request = " ".join(item.text_content or "" for item in main.requests[0].items if item.type == "message")
    assert "acknowledge" not in request
    assert "Let me look." not in request


async def test_answer_that_begins_with_the_preresponse_says_it_once() -> None:
    reply = await reply_to(agent_with(OneSentence()), ScriptedLLM("Let me ", "look. ", "It opens at nine."))
    assert reply.text_content == "Let me look. It opens at nine."


async def test_preamble_of_the_answer_is_removed_after_a_preresponse() -> None:
    reply = await reply_to(
        agent_with(OneSentence()), ScriptedLLM("Sure", "! ", "Great question. ", "It opens at nine.")
    )
    assert reply.text_content == "Let me look. It opens at nine."


async def test_preamble_of_the_answer_stays_without_a_preresponse() -> None:
    reply = await reply_to(agent_with("off"), ScriptedLLM("Sure! ", "It opens at nine."))
    assert reply.text_content == "Sure! It opens at nine."


async def test_main_model_that_fails_is_followed_by_an_apology() -> None:
    reply = await reply_to(agent_with(OneSentence()), ScriptedLLM(RuntimeError("down")))
    assert reply.text_content == f"Let me look. {apology('en')}"


async def test_main_model_that_fails_in_the_middle_is_followed_by_an_apology() -> None:
    reply = await reply_to(agent_with("off"), ScriptedLLM("It opens at ", RuntimeError("cut off")))
    assert (reply.text_content or "").startswith("It opens at ")
    assert (reply.text_content or "").endswith(apology("en"))


async def test_main_model_that_says_nothing_is_followed_by_an_apology() -> None:
    assert (await reply_to(agent_with("off"), ScriptedLLM(""))).text_content == apology("en")


async def test_main_model_that_does_not_start_is_followed_by_an_apology() -> None:
    agent, never = agent_with(OneSentence(), answer_timeout=1.0), asyncio.Event()
    async with running(agent, ScriptedLLM("Nine.", gate=never)) as session:
        await session.run(user_input=QUESTION)
        assert session.history.items[-1].text_content == f"Let me look. {apology('en')}"  # type: ignore[union-attr]


async def test_answer_that_stalls_counts_as_failed() -> None:
    async def stalled() -> AsyncIterator[str]:
        yield "It opens "
        yield "at "
        await asyncio.Event().wait()

    answer = Answer(stalled(), TurnTrace("off"), timeout_s=1.0)
    assert [chunk async for chunk in answer.chunks()] == ["It opens ", "at "]
    assert answer.failed


async def test_slow_main_model_does_not_time_out_while_it_continues() -> None:
    now = 0.0

    async def slow() -> AsyncIterator[str]:
        nonlocal now
        for _ in range(5):
            now += 0.9
            yield "on and "

    answer = Answer(slow(), TurnTrace(), timeout_s=1.0, clock=lambda: now)
    assert len([chunk async for chunk in answer.chunks()]) == 5
    assert not answer.failed


async def test_note_that_a_hook_adds_after_the_callers_message_keeps_the_engine_on() -> None:
    agent, main = agent_with(OneSentence()), ScriptedLLM("Nine.")
    async with running(agent, main):
        caller = llm.ChatMessage(role="user", content=[QUESTION])
        chat_ctx = agent.chat_ctx.copy()
        chat_ctx.items.append(caller)
        await agent.update_chat_ctx(chat_ctx)
        with_note = chat_ctx.copy()
        with_note.add_message(role="assistant", content="The museum opens at nine.")
        main.gate = answer_after_decision(agent)
        assert await yielded(agent, with_note) == ["Let me look. ", FlushSentinel, "Nine."]


async def test_fallback_model_answers_when_the_main_one_fails() -> None:
    both = llm.FallbackAdapter([ScriptedLLM(RuntimeError("down")), ScriptedLLM("Nine, I think.")])
    async with running(agent_with("off"), both) as session:
        await session.run(user_input=QUESTION)
        assert session.history.items[-1].text_content == "Nine, I think."  # type: ignore[union-attr]


async def test_reply_after_a_tool_call_has_no_second_preresponse() -> None:
    @function_tool
    async def opening_time() -> str:
        """When it opens."""
        return "nine"

    call = llm.FunctionToolCall(name="opening_time", arguments="{}", call_id="1")
    main, strategy = ScriptedLLM("It opens at nine.", tool_call=call), OneSentence()
    async with running(agent_with(strategy, tools=[opening_time]), main) as session:
        await session.run(user_input=QUESTION)
        said = [item.text_content for item in session.history.items if item.type == "message"]
    assert len(main.requests) == 2
    assert len(strategy.turns) == 1
    assert said == [QUESTION, "Let me look. ", "It opens at nine."]


async def test_silence_since_earlier_words_is_none_before_the_answer_to_a_typed_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Floor, "silence_s", property(lambda _: 60.0))
    silences: list[float | None] = []

    class Asking(OneSentence):
        async def select(self, answer_eta: float | None) -> Preresponse | None:
            silences.append(self.turns[-1].silence_s())
            return await super().select(answer_eta)

    agent, main = agent_with(Asking(), quick_answer=0.0), ScriptedLLM("Nine.")
    main.gate = answer_after_decision(agent)
    async with running(agent, main) as session:
        await session.run(user_input=QUESTION)
    assert silences == [None]


async def test_two_turns_in_quick_succession_leave_one_reply_to_the_second() -> None:
    gate = asyncio.Event()
    main, agent = ScriptedLLM("Nine.", gate=gate), agent_with(OneSentence())
    async with running(agent, main) as session:
        first = session.generate_reply(user_input=QUESTION)
        await main.asked.wait()
        await session.interrupt()
        await first
        agent.events.once("preresponse_decided", lambda _: gate.set())
        await session.run(user_input="What about the zoo?")
        said = [item.text_content for item in session.history.items if item.type == "message"]
    assert said[-2:] == ["What about the zoo?", "Let me look. Nine."]
    assert main.cancelled == 1


async def test_strategy_can_be_changed_between_two_turns() -> None:
    agent, main = agent_with(OneSentence()), ScriptedLLM("Nine.")
    assert PRERESPONSE_EXTRA_KEY in (await reply_to(agent, main)).extra
    agent.strategy = "off"
    assert PRERESPONSE_EXTRA_KEY not in (await reply_to(agent, main)).extra


@pytest.mark.parametrize("asked", ["Is museum number {} open?", "do they have parking at number {}", "Book room {}."])
async def test_phrase_strategy_neither_repeats_its_words_nor_makes_one_move_three_times_running(asked: str) -> None:
    agent = agent_with("phrase", phrases=PhraseBook.load("en", rng=random.Random(1)), quick_answer=0.0)
    main = ScriptedLLM("Nine.")
    spoken: list[str | None] = []
    async with running(agent, main) as session:
        for number in range(12):
            main.gate = answer_after_decision(agent)
            await session.run(user_input=asked.format(number))
            spoken.append(session.history.items[-1].extra.get(PRERESPONSE_EXTRA_KEY))  # type: ignore[union-attr]
    said = [text for text in spoken if text]
    assert said
    assert all(first != second for first, second in itertools.pairwise(said))
    moves = [next((move for move in SPOKEN_MOVES if text in agent.phrases.of(move)), None) for text in spoken]
    groups = [move.group if move else None for move in moves]
    assert not any(len(set(three)) == 1 and three[0] for three in zip(groups, groups[1:], groups[2:], strict=False))


@pytest.mark.parametrize("reply", [[RuntimeError("rate limited")], [""], ["..."], ["It opens at nine o'clock."]])
async def test_unusable_reply_of_the_fast_model_is_replaced_by_a_phrase(reply: list[Any]) -> None:
    book = PhraseBook("en", {Move.LOOK_UP: ["Let me think."]})
    agent = agent_with("llm", fast_llm=ScriptedLLM(*reply), phrases=book)
    assert (await reply_to(agent, ScriptedLLM("Nine."))).extra[PRERESPONSE_EXTRA_KEY] == "Let me think."


async def test_failed_fast_model_is_not_asked_again() -> None:
    fast = ScriptedLLM(APIStatusError("rate limited", status_code=429, retryable=True))
    book = PhraseBook("en", {Move.LOOK_UP: ["Let me think."]})
    reply = await reply_to(agent_with("llm", fast_llm=fast, phrases=book), ScriptedLLM("Nine."))
    assert reply.extra[PRERESPONSE_EXTRA_KEY] == "Let me think."
    assert fast.attempts == 1


async def test_fast_model_speaks_in_its_own_words() -> None:
    fast = ScriptedLLM("Let me think about ", "the museum. ", "It opens at ten.")
    book = PhraseBook("en", {Move.LOOK_UP: ["Hm."]})
    reply = await reply_to(agent_with("llm", fast_llm=fast, phrases=book), ScriptedLLM("Nine."))
    assert reply.text_content == "Let me think about the museum. Nine."


@pytest.mark.parametrize(
    "thought", ["<think>The user asks. </think>", "[THINK]Hm. [/THINK]", "Okay, the user asks. </think>"]
)
async def test_reasoning_of_the_fast_model_is_no_preresponse(thought: str) -> None:
    fast = ScriptedLLM(*thought, "Let me think about ", "the museum.")
    reply = await reply_to(agent_with("llm", fast_llm=fast), ScriptedLLM("Nine."))
    assert reply.text_content == "Let me think about the museum. Nine."


async def test_hybrid_does_not_wait_for_a_slow_fast_model() -> None:
    fast = ScriptedLLM("Let me look.", gate=asyncio.Event())
    book = PhraseBook("en", {Move.LOOK_UP: ["Let me think."]})
    agent = agent_with("hybrid", fast_llm=fast, phrases=book)
    assert (await reply_to(agent, ScriptedLLM("Nine."))).extra[PRERESPONSE_EXTRA_KEY] == "Let me think."
    assert fast.cancelled == 1


@pytest.mark.parametrize("strategy", ["llm", "hybrid"])
def test_strategies_that_need_a_fast_model_say_so(strategy: str) -> None:
    with pytest.raises(ValueError, match="needs a fast_llm"):
        agent_with(strategy)


def test_unknown_strategy_is_refused() -> None:
    with pytest.raises(ValueError, match="use llm, phrase, hybrid or off"):
        agent_with("fast")
