"""A tool call that a model writes as text runs if it parses and is allowed; otherwise the fast model is asked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from livekit.agents import AgentSession, function_tool, llm

from agent_worker.testing import ScriptedLLM
from tests.agent_worker.museum import museum_agent

FAST = "We open at nine, I think."
ARGUMENTS = '{"day": "monday"}'


class ToolModel(ScriptedLLM):
    """Writes a tool call as text in the first pass, and answers with the tool's result in the second."""

    def chat(self, *, chat_ctx: llm.ChatContext, **options: Any) -> llm.LLMStream:
        outputs = [item.output for item in chat_ctx.items if item.type == "function_call_output"]
        if outputs:
            self.pieces = (f"It opens at {outputs[-1]}.",)
        return super().chat(chat_ctx=chat_ctx, **options)


async def turn(*pieces: str) -> tuple[list[str], str, ScriptedLLM]:
    """Run a turn with a tool. Returns the days that the tool was asked for, the agent's words, and the fast model."""
    days: list[str] = []

    @function_tool
    async def opening_time(day: str) -> str:
        """When the museum opens.

        Args:
            day: The day.
        """
        days.append(day)
        return "nine"

    fast = ScriptedLLM(FAST)
    agent = museum_agent(strategy="off", fast_llm=fast, tools=[opening_time])
    async with AgentSession[Any](llm=ToolModel(*pieces), vad=None) as session:
        await session.start(agent)
        await session.run(user_input="When does it open on Monday?")
        messages = [item for item in session.history.items if isinstance(item, llm.ChatMessage)]
        said = " ".join(message.text_content or "" for message in messages if message.role == "assistant")
        json.dumps(session.history.to_dict())
    return days, " ".join(said.split()), fast


@pytest.mark.parametrize(
    "pieces",
    [
        ("<func", "tion=opening_time>", ARGUMENTS, "</function>"),
        ("<|python_tag|>", 'opening_time.call(day="monday")'),
        ("<|channel|>commentary to=functions.opening_time <|constrain|>json<|message|>", ARGUMENTS, "<|call|>"),
        ("<think>Hm, the user asks.</think>", "<function=opening_time>", ARGUMENTS, "</function>"),
        ("<|python_tag|>", '{"name": "opening_time", ', f'"parameters": {ARGUMENTS}}}'),
        ('<tool_call>{"name": "opening_time", "arguments": ', ARGUMENTS, "}</tool_call>"),
        ('```json\n{"name": "opening_time", "arguments": ', ARGUMENTS, "}\n```"),
        ('opening_time(day="mon', 'day")'),
        ("comment", "ary to=functions.opening_time json", ARGUMENTS),
        ("assistantcommentary to=functions.", f"opening_timejson{ARGUMENTS}"),
        ("to=functions.opening_time ", ARGUMENTS),
    ],
)
async def test_tool_call_as_text_runs_and_nothing_of_it_is_said(pieces: tuple[str, ...]) -> None:
    days, said, fast = await turn(*pieces)
    assert days == ["monday"]
    assert said == "It opens at nine."
    assert not fast.requests


async def test_words_before_a_tool_call_as_text_are_said() -> None:
    days, said, _ = await turn("Let me look.\n", f"<function=opening_time>{ARGUMENTS}</function>")
    assert days == ["monday"]
    assert said == "Let me look. It opens at nine."


@pytest.mark.parametrize(
    "pieces",
    [
        ("<function=delete_everything>", ARGUMENTS, "</function>"),
        ("<function=opening_time>", '{"day": ', "</function>"),
        ('<tool_call>{"name": "opening_time", "arg',),
        ('{"name": "delete_everything", "arguments": {}}',),
        ("*sighs* ", "(pauses)"),
        ("```\nprint(1)\n```",),
    ],
)
async def test_fast_model_answers_in_place_of_a_call_that_cannot_run_and_of_what_cannot_be_spoken(
    pieces: tuple[str, ...],
) -> None:
    days, said, fast = await turn(*pieces)
    assert not days
    assert said == FAST
    assert len(fast.requests) == 1


@pytest.mark.parametrize(
    "call",
    [
        "<function=delete_everything>{}</function>",
        ' {"name": "opening_time", "argu',
        "\nopening_time(monday)",
    ],
)
async def test_fast_model_continues_after_words_in_front_of_a_call_that_cannot_run(call: str) -> None:
    days, said, _ = await turn("Let me look.", call)
    assert not days
    assert said == f"Let me look. {FAST}"


@pytest.mark.parametrize(
    "pieces",
    [
        (f"<function=opening_time>{ARGUMENTS}</function>", f"\n<function=opening_time>{ARGUMENTS}</function>"),
        ('opening_time(day="monday")\n', 'opening_time(day="monday")'),
        (f"<function=opening_time>{ARGUMENTS}</function>", '\nopening_time(day="monday")'),
    ],
)
async def test_call_that_a_model_repeats_runs_once(pieces: tuple[str, ...]) -> None:
    days, said, _ = await turn(*pieces)
    assert days == ["monday"]
    assert said == "It opens at nine."
