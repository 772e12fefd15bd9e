"""Requested failures, as the clients of the providers receive them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import openai
import pytest
import pytest_asyncio
from websockets.exceptions import ConnectionClosed, InvalidStatus

from model_server.simulation import SimulationConfig, simulated_backends
from tests.model_server import sounds
from tests.model_server.servers import Address, server_inside

CHAT = "/v1/chat/completions"
SPEECH = "/v1/audio/speech"
LISTEN = "/v1/listen"
CONFIG = {"llm": {"*": {"replies": ["one two three four five six"]}}, "tts": {"*": {"chars_per_second": 5}}}


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def now(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def address(clock: Clock) -> AsyncIterator[Address]:
    backends = simulated_backends(SimulationConfig.model_validate(CONFIG))
    async with server_inside(backends, now=clock.now) as address:
        yield address


async def set_faults(address: Address, *faults: dict[str, Any]) -> None:
    async with aiohttp.ClientSession() as http, http.put(f"{address.url}/simulated/faults", json=faults) as response:
        assert response.status == 200, await response.text()


async def counts_of(address: Address) -> dict[tuple[str, str], dict[str, Any]]:
    async with aiohttp.ClientSession() as http, http.get(f"{address.url}/simulated/seen") as response:
        return {(counts["path"], counts["model"]): counts for counts in await response.json()}


async def ask(address: Address, model: str = "any") -> str:
    stream = await address.openai().chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": "Count."}],
        stream=True,
        stream_options={"include_usage": True},
    )
    return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])


async def test_one_request_is_refused_and_the_next_is_answered(address: Address) -> None:
    await set_faults(address, {"path": CHAT, "kind": "status", "status": 429, "retry_after": 2, "requests": 1})
    with pytest.raises(openai.RateLimitError) as refused:
        await ask(address)
    assert refused.value.response.headers["retry-after"] == "2"
    assert await ask(address) == "one two three four five six"
    counts = (await counts_of(address))[CHAT, "any"]
    assert {name: counts[name] for name in ("requests", "faults", "refused", "ended", "completion_tokens")} == {
        "requests": 2,
        "faults": 1,
        "refused": 1,
        "ended": 2,
        "completion_tokens": 6,
    }


async def test_only_the_named_model_fails_until_the_faults_are_replaced(address: Address) -> None:
    await set_faults(address, {"path": CHAT, "model": "large", "kind": "status", "status": 401})
    for _ in range(2):
        with pytest.raises(openai.AuthenticationError):
            await ask(address, "large")
    assert await ask(address, "small")
    await set_faults(address)
    assert await ask(address, "large")


async def test_answer_breaks_off(address: Address) -> None:
    await set_faults(address, {"path": CHAT, "kind": "cut", "messages": 2})
    with pytest.raises(Exception, match=r"incomplete|peer closed|Connection"):
        await ask(address)


async def test_no_answer_arrives(address: Address) -> None:
    await set_faults(address, {"path": SPEECH, "kind": "silent"})
    with pytest.raises(openai.APITimeoutError):
        await (
            address.openai()
            .with_options(timeout=0.2)
            .audio.speech.create(model="any", voice="ash", input="Hello.", response_format="pcm")
        )
    assert "characters" not in (await counts_of(address))[SPEECH, "any"]


async def test_answer_cannot_be_parsed(address: Address) -> None:
    await set_faults(address, {"path": CHAT, "kind": "garbage"})
    with pytest.raises((ValueError, openai.APIError)):
        await ask(address)


async def test_live_transcription_has_every_fault(address: Address) -> None:
    await set_faults(address, {"path": LISTEN, "kind": "status", "status": 500})
    with pytest.raises(InvalidStatus, match="500"):
        async with address.listen():
            pass
    await set_faults(address, {"path": LISTEN, "kind": "silent"})
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(address.listen(), 0.2)
    await set_faults(address, {"path": LISTEN, "kind": "cut", "messages": 0})
    async with address.listen() as socket:
        await socket.send('{"type": "CloseStream"}')
        with pytest.raises(ConnectionClosed):
            await socket.recv()
    await set_faults(address, {"path": LISTEN, "kind": "garbage"})
    async with address.listen() as socket:
        assert "NaN" in str(await socket.recv())


@pytest.mark.parametrize(
    ("audio_s", "open_s", "billed_ms"),
    [pytest.param(60, 20, 60_000, id="its audio"), pytest.param(0, 90, 90_000, id="the time it was open, if longer")],
)
async def test_live_transcription_is_billed_for(
    address: Address, clock: Clock, audio_s: int, open_s: int, billed_ms: int
) -> None:
    async with address.listen() as socket:
        await socket.send(bytes(2 * 16_000 * audio_s))
        clock.seconds += open_s
        await socket.send('{"type": "CloseStream"}')
        async for _ in socket:  # until the server closes it
            pass
    (counts,) = (await counts_of(address)).values()
    assert counts["billed_milliseconds"] == billed_ms


@pytest.mark.parametrize(
    ("options", "bytes_per_sample", "billed_ms"),
    [
        ({"encoding": "mulaw", "sample_rate": "8000"}, 1, 60_000),
        ({"encoding": "linear32", "sample_rate": "8000"}, 4, 60_000),
        ({"encoding": "", "sample_rate": ""}, 2, 1_000),
    ],
    ids=["mulaw", "linear32", "a container: only the time it was open is known"],
)
async def test_audio_is_billed_by_its_encoding(
    address: Address, clock: Clock, options: dict[str, str], bytes_per_sample: int, billed_ms: int
) -> None:
    async with address.listen(**options) as socket:
        silence = bytes(bytes_per_sample * 8_000 * 60)
        await socket.send(silence if options["encoding"] else sounds.wav(silence, 8_000))
        clock.seconds += 1
        await socket.send('{"type": "CloseStream"}')
        async for _ in socket:  # until the server closes it
            pass
    (counts,) = (await counts_of(address)).values()
    assert counts["billed_milliseconds"] == billed_ms
