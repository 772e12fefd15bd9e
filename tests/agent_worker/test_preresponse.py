from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from livekit.agents import Agent, AgentSession, FlushSentinel, ModelSettings, function_tool, llm

from agent_worker.preresponse import ANSWER_NOTE, EXTRA_KEY, PreResponseAgent, first_sentence
from tests.scripted_llm import ScriptedLLM


@asynccontextmanager
async def running(agent: Agent, main: ScriptedLLM) -> AsyncIterator[AgentSession[Any]]:
    async with AgentSession[Any](llm=main, vad=None, turn_handling={"turn_detection": None}) as session:
        await session.start(agent)
        yield session


async def say(agent: PreResponseAgent, main: ScriptedLLM, text: str) -> list[Any]:
    """What the agent's llm_node yields to a caller's words: text, and FlushSentinel between segments."""
    async with running(agent, main):
        chat_ctx = llm.ChatContext.empty()
        chat_ctx.add_message(role="user", content=text)
        spoken: list[Any] = []
        async for chunk in agent.llm_node(chat_ctx, [], ModelSettings()):
            if isinstance(chunk, FlushSentinel):
                spoken.append(FlushSentinel)
            elif isinstance(chunk, llm.ChatChunk) and chunk.delta and chunk.delta.content:
                spoken.append(chunk.delta.content)
        return spoken


async def open_after_preresponse(fast: ScriptedLLM, gate: asyncio.Event) -> None:
    """Let the main model go on once the fast one, which was asked, has had its turns of the event loop."""
    await fast.asked.wait()
    for _ in range(50):
        await asyncio.sleep(0)
    gate.set()


def agent_with(fast: ScriptedLLM | None, **options: Any) -> PreResponseAgent:
    return PreResponseAgent(instructions="You help.", fast_llm=fast, **options)


async def test_preresponse_comes_first_as_a_segment_of_its_own_then_the_answer() -> None:
    gate = asyncio.Event()
    main = ScriptedLLM("It opens ", "at nine.", gate=gate)
    fast = ScriptedLLM("Let me ", "look. ", "It opens at ten.")
    agent = agent_with(fast)
    opener = asyncio.create_task(open_after_preresponse(fast, gate))
    assert await say(agent, main, "When does it open?") == ["Let me look. ", FlushSentinel, "It opens ", "at nine."]
    await opener


async def test_main_model_is_asked_before_the_fast_one_has_said_anything() -> None:
    gate = asyncio.Event()
    fast, main = ScriptedLLM("One moment.", gate=gate), ScriptedLLM("Nine", gate=gate)
    task = asyncio.create_task(say(agent_with(fast), main, "When?"))
    await asyncio.gather(fast.asked.wait(), main.asked.wait())
    gate.set()
    await task


def test_main_model_is_told_of_the_acknowledgement_only_if_there_is_a_fast_model() -> None:
    assert ANSWER_NOTE in str(agent_with(ScriptedLLM("One moment.")).instructions)
    assert agent_with(None).instructions == "You help."


@pytest.mark.parametrize("reply", [[RuntimeError("down")], [""], ["..."], ["word " * 40]])
async def test_turn_goes_on_without_a_preresponse_when_the_fast_model_gives_nothing_usable(reply: list[Any]) -> None:
    assert await say(agent_with(ScriptedLLM(*reply)), ScriptedLLM("Nine."), "When?") == ["Nine."]


async def test_slow_fast_model_does_not_hold_up_an_answer_that_is_there() -> None:
    never = asyncio.Event()
    fast = ScriptedLLM("One moment.", gate=never)
    assert await say(agent_with(fast), ScriptedLLM("Nine."), "When?") == ["Nine."]
    assert fast.cancelled == 1


async def test_no_fast_model_means_a_plain_agent() -> None:
    assert await say(agent_with(None), ScriptedLLM("Nine."), "When?") == ["Nine."]


async def test_failure_of_the_main_model_reaches_the_session() -> None:
    with pytest.raises(Exception, match="main is down"):
        await say(agent_with(ScriptedLLM("One moment.")), ScriptedLLM(RuntimeError("main is down")), "When?")


async def test_interruption_cancels_both_models() -> None:
    never = asyncio.Event()
    fast, main = ScriptedLLM("One moment.", gate=never), ScriptedLLM("Nine.", gate=never)
    task = asyncio.create_task(say(agent_with(fast), main, "When?"))
    await asyncio.gather(fast.asked.wait(), main.asked.wait())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (fast.cancelled, main.cancelled) == (1, 1)


async def test_history_holds_one_message_with_preresponse_and_answer() -> None:
    gate = asyncio.Event()
    fast, main = ScriptedLLM("Let me look."), ScriptedLLM("It opens at nine.", gate=gate)
    agent = agent_with(fast)
    async with running(agent, main) as session:
        run = session.run(user_input="When does it open?")
        await open_after_preresponse(fast, gate)
        await run
        reply = session.history.items[-1]
    assert isinstance(reply, llm.ChatMessage)
    assert reply.text_content == "Let me look. It opens at nine."
    assert reply.extra[EXTRA_KEY] == "Let me look."


async def test_reply_after_a_tool_call_has_no_second_preresponse() -> None:
    @function_tool
    async def opening_time() -> str:
        """When it opens."""
        return "nine"

    call = llm.FunctionToolCall(name="opening_time", arguments="{}", call_id="1")
    fast, main = ScriptedLLM("Let me look."), ScriptedLLM("It opens at nine.", tool_call=call)
    async with running(agent_with(fast, tools=[opening_time]), main) as session:
        await session.run(user_input="When does it open?")
    assert len(main.requests) == 2
    assert len(fast.requests) == 1


@pytest.mark.parametrize(
    ("text", "complete", "expected"),
    [
        ("Let me see", False, None),
        ("Let me see", True, "Let me see."),
        ("Let me see. Then", False, "Let me see."),
        ('"Let me see."', True, "Let me see."),
        ("Of course, 3.5 it is", False, None),
        ("Sure,", True, "Sure."),
        ("  \n", True, ""),
        ("?!", True, ""),
        ("word " * 15 + ".", True, ""),
    ],
)
def test_first_sentence(text: str, complete: bool, expected: str | None) -> None:
    assert first_sentence(text, complete=complete) == expected


async def test_fast_reply_is_not_cut_inside_a_number_that_comes_in_pieces() -> None:
    gate = asyncio.Event()
    fast, main = ScriptedLLM("About 3", ".", "5 litres.", " Then more."), ScriptedLLM("Yes.", gate=gate)
    agent = agent_with(fast)
    opener = asyncio.create_task(open_after_preresponse(fast, gate))
    assert (await say(agent, main, "How much?"))[0] == "About 3.5 litres. "
    await opener


async def test_tool_call_is_not_held_up_and_the_preresponse_still_comes() -> None:
    gate = asyncio.Event()
    called = asyncio.Event()

    @function_tool
    async def opening_time() -> str:
        """When it opens."""
        called.set()
        gate.set()  # the fast model speaks only once the tool runs
        return "nine"

    call = llm.FunctionToolCall(name="opening_time", arguments="{}", call_id="1")
    fast = ScriptedLLM("Let me look.", gate=gate)
    main = ScriptedLLM("It opens at nine.", tool_call=call)
    async with running(agent_with(fast, tools=[opening_time]), main) as session:
        await session.run(user_input="When does it open?")
        replies = [item.text_content for item in session.history.items if item.type == "message"]
    assert called.is_set()
    assert replies[1:] == ["Let me look. ", "It opens at nine."]
