"""The configuration of a simulated server, replaced while it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest_asyncio

from model_server.simulation import SimulationConfig, simulated_backends
from tests.model_server.servers import Address, server_inside

BOOK: Any = {"type": "function", "function": {"name": "book", "parameters": {"type": "object"}}}


@pytest_asyncio.fixture
async def address() -> AsyncIterator[Address]:
    async with server_inside(simulated_backends(SimulationConfig())) as address:
        yield address


async def configure(address: Address, config: dict[str, Any]) -> tuple[int, str]:
    async with aiohttp.ClientSession() as http, http.put(f"{address.url}/simulated/config", json=config) as response:
        return response.status, await response.text()


async def test_config_is_replaced_while_the_server_runs(address: Address) -> None:
    assert (await configure(address, {"llm": {"*": {"replies": ["At nine."]}}}))[0] == 204
    completion = await address.openai().chat.completions.create(
        model="any", messages=[{"role": "user", "content": "?"}]
    )
    assert completion.choices[0].message.content == "At nine."


async def test_wrong_config_is_refused_with_its_fault(address: Address) -> None:
    status, text = await configure(address, {"stt": {"*": {"utterances": [{"seconds": 0}]}}})
    assert status == 400
    assert "stt.*.utterances.0.seconds" in text


async def test_streamed_reply_calls_a_tool(address: Address) -> None:
    await configure(address, {"llm": {"*": {"calls_tool": True}}})
    stream = await address.openai().chat.completions.create(
        model="any", messages=[{"role": "user", "content": "Book."}], tools=[BOOK], stream=True
    )
    choices = [chunk.choices[0] async for chunk in stream if chunk.choices]
    (called,) = [call for choice in choices for call in choice.delta.tool_calls or []]
    assert called.function is not None
    assert (called.function.name, called.function.arguments) == ("book", "{}")
    assert choices[-1].finish_reason == "tool_calls"


async def test_model_answers_once_a_tool_has_returned_whatever_was_said_meanwhile(address: Address) -> None:
    await configure(address, {"llm": {"*": {"calls_tool": True, "replies": ["It is booked."]}}})
    function: Any = {"name": "book", "arguments": "{}"}
    called: list[Any] = [
        {"role": "user", "content": "Book."},
        {"role": "assistant", "tool_calls": [{"id": "1", "type": "function", "function": function}]},
        {"role": "tool", "tool_call_id": "1", "content": "booked"},
        {"role": "assistant", "content": "Let me check."},
    ]

    async def reply(messages: list[Any]) -> tuple[str, int]:
        stream = await address.openai().chat.completions.create(
            model="any", messages=messages, tools=[BOOK], stream=True
        )
        deltas = [chunk.choices[0].delta async for chunk in stream if chunk.choices]
        return "".join(delta.content or "" for delta in deltas), sum(len(delta.tool_calls or []) for delta in deltas)

    assert await reply(called) == ("It is booked.", 0)
    assert await reply([*called, {"role": "user", "content": "Another one."}]) == ("", 1)
