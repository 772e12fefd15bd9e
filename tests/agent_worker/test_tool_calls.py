"""Tool calls that broke off, or that cannot be read: the model is told, and the caller gets an answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from livekit.agents import AgentSession, function_tool, llm

from agent_worker.preresponse.tool_calls import BROKEN_ARGUMENTS, with_checked_arguments, with_readable_arguments
from agent_worker.testing import ScriptedLLM, conversation
from tests.agent_worker.museum import museum_agent

BROKEN = ('{"day": "mon', '{"day": "monday"', '{"day": ', '[{"day": "monday"}', "monday", '{"day": "a}')
WHOLE = ("", "{}", '{"day": "monday"}', '{"day": "monday",}', "{'day': 'monday'}", "null", '"{\\"day\\": 1}"')


def call(arguments: str, name: str = "hours") -> llm.FunctionToolCall:
    return llm.FunctionToolCall(name=name, arguments=arguments, call_id="1")


@pytest.mark.parametrize("arguments", BROKEN)
def test_arguments_that_broke_off_are_replaced_by_what_was_wrong(arguments: str) -> None:
    assert json.loads(with_checked_arguments(call(arguments)).arguments) == BROKEN_ARGUMENTS


@pytest.mark.parametrize("arguments", WHOLE)
def test_arguments_that_livekit_can_read_or_repair_stay(arguments: str) -> None:
    assert with_checked_arguments(call(arguments)).arguments == arguments


async def reply_to(arguments: str, days: list[str]) -> tuple[AgentSession[Any], ScriptedLLM]:
    @function_tool
    async def hours(day: str = "today") -> str:
        """Return the opening hours."""
        days.append(day)
        return "nine to five"

    main = ScriptedLLM("It opens at nine.", tool_call=call(arguments))
    async with conversation(museum_agent(tools=[hours]), llm=main) as running:
        await running.say("What time does the museum open?")
        return running.session, main


@pytest.mark.parametrize("arguments", BROKEN[:4])
async def test_model_is_told_that_its_arguments_broke_off_and_answers(arguments: str) -> None:
    days: list[str] = []
    session, main = await reply_to(arguments, days)
    assert days == []
    [output] = [item for item in session.history.items if item.type == "function_call_output"]
    assert output.is_error
    assert BROKEN_ARGUMENTS in output.output
    assert len(main.requests) == 2
    sent = [item.arguments for item in main.requests[1].items if item.type == "function_call"]
    assert sent == ["{}"]
    last = session.history.items[-1]
    assert isinstance(last, llm.ChatMessage)
    assert last.text_content == "It opens at nine."


@pytest.mark.parametrize("arguments", ['{"day": "monday"}', "{'day': 'monday'}"])
async def test_tool_runs_with_arguments_that_can_be_read(arguments: str) -> None:
    days: list[str] = []
    await reply_to(arguments, days)
    assert days == ["monday"]


def test_request_holds_only_arguments_that_servers_accept() -> None:
    request = llm.ChatContext.empty()
    for arguments in (*BROKEN, '{"day": 1}', json.dumps(BROKEN_ARGUMENTS)):
        request.items.append(llm.FunctionCall(call_id="1", name="hours", arguments=arguments))
    sent = [item.arguments for item in with_readable_arguments(request).items if item.type == "function_call"]
    assert sent == ["{}"] * len(BROKEN) + ['{"day": 1}', "{}"]
    assert request.items[0].arguments == BROKEN[0]  # type: ignore[union-attr]
