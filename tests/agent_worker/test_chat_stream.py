"""Streams of services with OpenAI's API that differ from it, through livekit's plugin."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from livekit.agents import function_tool, llm
from livekit.plugins import openai
from openai._models import construct_type
from openai.types.chat import ChatCompletionChunk

from agent_worker.core.progress import REASONING_CHARS_KEY, TOOL_CALL_KEY
from agent_worker.providers.chat_stream import with_repaired_streams
from agent_worker.testing import run_turn
from tests.agent_worker.museum import museum_agent

HOURS, PRICE = ('{"day": "monday"}', '{"age": 7}')


class Stream:
    """A stream of the client that sends the given chunks."""

    def __init__(self, *chunks: dict[str, Any]) -> None:
        self._chunks = chunks

    async def __aenter__(self) -> Stream:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def __aiter__(self) -> AsyncIterator[ChatCompletionChunk]:
        for chunk in self._chunks:
            yield construct_type(type_=ChatCompletionChunk, value=chunk)  # as the client does: without validation


def chunk(finish: str | None = None, usage: dict[str, Any] | None = None, **delta: Any) -> dict[str, Any]:
    choices = [{"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": finish}]
    common = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return {**common, "choices": [] if usage else choices, "usage": usage}


def call(index: int, name: str | None = None, arguments: str = "", call_id: str | None = None) -> dict[str, Any]:
    return {"index": index, "id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def model_with(*replies: list[dict[str, Any]]) -> openai.LLM:
    """Return a model of livekit's plugin whose service sends these replies."""
    model = openai.LLM(model="m", api_key="x", base_url="http://127.0.0.1:9/v1")
    waiting = iter(replies)

    async def create(**_: Any) -> Stream:
        return Stream(*next(waiting))

    model._client.chat.completions.create = create  # type: ignore[method-assign, assignment]
    return with_repaired_streams(model)


async def received(*replies: list[dict[str, Any]]) -> list[list[llm.ChatChunk]]:
    """Return what livekit-agents receives of each of the replies of one model."""
    model = model_with(*replies)
    chunks = []
    for _ in replies:
        async with model.chat(chat_ctx=llm.ChatContext.empty()) as stream:
            chunks.append([chunk async for chunk in stream])
    await model.aclose()
    return chunks


def calls_in(chunks: list[llm.ChatChunk]) -> list[tuple[str, str]]:
    return [(call.name, call.arguments) for chunk in chunks if chunk.delta for call in chunk.delta.tool_calls]


def text_in(chunks: list[llm.ChatChunk]) -> str:
    return "".join((chunk.delta.content if chunk.delta else None) or "" for chunk in chunks)


def reasoning_chars_in(chunks: list[llm.ChatChunk]) -> int:
    deltas = [chunk.delta for chunk in chunks if chunk.delta]
    return sum((delta.extra or {}).get(REASONING_CHARS_KEY, 0) for delta in deltas)


BOTH = [("hours", HOURS), ("price", PRICE)]

PARALLEL = {
    "Ollama, one piece": [
        chunk(tool_calls=[call(0, "hours", HOURS, "a"), call(0, "price", PRICE, "b")]),
        chunk(finish="tool_calls"),
    ],
    "Ollama, two pieces": [
        chunk(tool_calls=[call(0, "hours", HOURS, "a")]),
        chunk(tool_calls=[call(0, "price", PRICE, "b")]),
        chunk(finish="tool_calls"),
    ],
    "OpenAI": [
        chunk(tool_calls=[call(0, "hours", "", "a")]),
        chunk(tool_calls=[call(0, arguments=HOURS[:5])]),
        chunk(tool_calls=[call(0, arguments=HOURS[5:])]),
        chunk(tool_calls=[call(1, "price", "", "b")]),
        chunk(tool_calls=[call(1, arguments=PRICE)]),
        chunk(finish="tool_calls"),
    ],
    "pieces in turns": [
        chunk(tool_calls=[call(0, "hours", HOURS[:5], "a"), call(1, "price", PRICE[:3], "b")]),
        chunk(tool_calls=[call(0, arguments=HOURS[5:]), call(1, arguments=PRICE[3:])]),
        chunk(finish="tool_calls"),
    ],
    "without ids": [
        chunk(tool_calls=[call(0, "hours", HOURS)]),
        chunk(tool_calls=[call(0, "price", PRICE)]),
        chunk(finish="stop"),
    ],
    "id and name in every piece": [
        chunk(tool_calls=[call(0, "hours", HOURS[:5], "a")]),
        chunk(tool_calls=[call(0, "hours", HOURS[5:], "a")]),
        chunk(tool_calls=[call(1, "price", PRICE, "b")]),
        chunk(finish="tool_calls"),
    ],
    "without finish_reason": [
        chunk(tool_calls=[call(0, "hours", HOURS, "a"), call(1, "price", PRICE, "b")]),
    ],
    "cut off by max_tokens": [
        chunk(tool_calls=[call(0, "hours", HOURS, "a")]),
        chunk(tool_calls=[call(1, "price", PRICE, "b")]),
        chunk(finish="length"),
    ],
}


@pytest.mark.parametrize("service", PARALLEL)
async def test_parallel_tool_calls_are_received_whole(service: str) -> None:
    [chunks] = await received(PARALLEL[service])
    assert calls_in(chunks) == BOTH
    ids = [call.call_id for chunk in chunks if chunk.delta for call in chunk.delta.tool_calls]
    assert all(ids)
    assert len(set(ids)) == 2


@pytest.mark.parametrize("service", PARALLEL)
async def test_parallel_tools_both_run_in_a_call(service: str) -> None:
    ran: list[tuple[str, object]] = []

    @function_tool
    async def hours(day: str) -> str:
        """Return the opening hours."""
        ran.append(("hours", day))
        return "nine to five"

    @function_tool
    async def price(age: int) -> str:
        """Return the price of a ticket."""
        ran.append(("price", age))
        return "free"

    model = model_with(PARALLEL[service], [chunk(content="From nine, and it is free."), chunk(finish="stop")])
    turn = await run_turn(museum_agent(tools=[hours, price]), "When on Monday, and how much?", llm=model)
    assert sorted(ran) == [("hours", "monday"), ("price", 7)]
    assert turn.answer == "From nine, and it is free."
    await model.aclose()


async def test_same_tool_called_twice_without_ids_is_two_calls() -> None:
    pieces = [chunk(tool_calls=[call(0, "hours", HOURS)]), chunk(tool_calls=[call(0, "hours", '{"day": "friday"}')])]
    [chunks] = await received([*pieces, chunk(finish="stop")])
    assert calls_in(chunks) == [("hours", HOURS), ("hours", '{"day": "friday"}')]


@pytest.mark.parametrize("finish", ["length", "content_filter", None])
async def test_tool_call_that_broke_off_is_received_as_far_as_it_came(finish: str | None) -> None:
    [chunks] = await received([chunk(tool_calls=[call(0, "hours", '{"day": "mon', "a")]), chunk(finish=finish)])
    assert calls_in(chunks) == [("hours", '{"day": "mon')]


async def test_model_that_writes_a_tool_call_shows_that_it_is_at_work() -> None:
    [chunks] = await received([chunk(tool_calls=[call(0, "hours", HOURS[:5], "a")]), chunk(finish="tool_calls")])
    assert chunks[0].delta is not None
    assert (chunks[0].delta.extra or {})[TOOL_CALL_KEY]
    assert not chunks[0].has_response()


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content", "thinking"])
async def test_reasoning_in_a_field_is_told_and_not_quoted(name: str) -> None:
    [chunks] = await received([chunk(**{name: "The user asks."}), chunk(content="Nine."), chunk(finish="stop")])
    assert text_in(chunks) == "Nine."
    assert reasoning_chars_in(chunks) == len("The user asks.")
    assert "asks" not in repr(chunks)


@pytest.mark.parametrize("tags", [("<think>", "</think>"), ("[THINK]", "[/THINK]"), ("", "</think>")])
async def test_reasoning_in_tags_is_told_and_not_quoted(tags: tuple[str, str]) -> None:
    pieces = [tags[0], "The user asks.", tags[1], "It opens ", "at nine."]
    [chunks] = await received([*(chunk(content=piece) for piece in pieces), chunk(finish="stop")])
    assert text_in(chunks) == "It opens at nine."
    assert reasoning_chars_in(chunks) == len("The user asks.")


async def test_content_in_parts_is_read_as_text() -> None:
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": "Nine."}]
    [chunks] = await received([chunk(content=parts), chunk(finish="stop")])
    assert text_in(chunks) == "Nine."
    assert reasoning_chars_in(chunks) > 0


async def test_model_that_only_closes_its_reasoning_is_known_in_its_next_reply() -> None:
    first = [chunk(content=piece) for piece in ("Museums, mostly at nine, I think it is. Yes. ", "</think>", "Nine.")]
    second = [chunk(content=piece) for piece in ("Mostly at ten, and this one is so. ", "</think>", "Ten.")]
    _, chunks = await received([*first, chunk(finish="stop")], [*second, chunk(finish="stop")])
    assert text_in(chunks) == "Ten."


async def test_reasoning_without_an_end_leaves_no_text() -> None:
    [chunks] = await received([chunk(content="<think>The user"), chunk(content=" asks"), chunk(finish="length")])
    assert text_in(chunks) == ""
    assert reasoning_chars_in(chunks) == len("The user asks")


@pytest.mark.parametrize(
    ("details", "expected"),
    [(None, 30), ({"reasoning_tokens": 12}, 12), ({"reasoning_tokens": 0}, 30)],
)
async def test_usage_tells_how_much_of_it_was_reasoning(details: dict[str, int] | None, expected: int) -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 40, "total_tokens": 45, "completion_tokens_details": details}
    [chunks] = await received(
        [chunk(reasoning="x" * 75), chunk(content="y" * 25), chunk(finish="stop"), chunk(usage=usage)]
    )
    [told] = [chunk.usage for chunk in chunks if chunk.usage]
    assert told.reasoning_tokens == expected
    assert told.completion_tokens == 40


async def test_usage_without_reasoning_stays_as_it_is() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 40, "total_tokens": 45}
    [chunks] = await received([chunk(content="Nine."), chunk(finish="stop"), chunk(usage=usage)])
    [told] = [chunk.usage for chunk in chunks if chunk.usage]
    assert told.reasoning_tokens == 0
