"""Whisper's own doubts reach the worker, and a service without them is used all the same."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from livekit import rtc
from livekit.agents import APIConnectOptions, APIStatusError

from agent_worker.providers.whisper_stt import WhisperSTT

AUDIO = rtc.AudioFrame(bytes(32_000), 16_000, 1, 16_000)
ONCE = APIConnectOptions(max_retry=0, timeout=10)


def segment(start: float, end: float, **probabilities: Any) -> dict[str, Any]:
    return {"id": 0, "seek": 0, "start": start, "end": end, "text": "", "tokens": [], "temperature": 0, **probabilities}


@asynccontextmanager
async def service(
    *, segments: Any = None, refuses: str = "", status: int = 400
) -> AsyncIterator[tuple[str, list[str]]]:
    """A transcription service, and the formats that were requested of it."""
    formats: list[str] = []

    async def transcribe(request: web.Request) -> web.Response:
        form = await request.post()
        formats.append(str(form["response_format"]))
        if formats[-1] == refuses or refuses == "all":
            return web.json_response({"error": {"message": "unsupported"}}, status=status)
        body = {"text": "Thank you.", "language": "english", "duration": 1.0}
        extra = {} if segments is None else {"segments": segments}
        return web.Response(text=json.dumps({**body, **extra}), content_type="application/json")

    app = web.Application()
    app.router.add_post("/v1/audio/transcriptions", transcribe)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1", formats
    finally:
        await runner.cleanup()


async def recognise(url: str, times: int = 1) -> Any:
    recogniser = WhisperSTT(model="whisper", language="en-US", api_key="any", base_url=url)
    for _ in range(times):
        event = await recogniser.recognize(AUDIO, conn_options=ONCE)
    return event.alternatives[0]


async def test_probabilities_are_the_means_over_the_segments() -> None:
    segments = [
        segment(0, 1, no_speech_prob=0.9, avg_logprob=-1.2),
        segment(1, 4, no_speech_prob=0.1, avg_logprob=-0.4),
    ]
    async with service(segments=segments) as (url, formats):
        data = await recognise(url)
    assert formats == ["verbose_json"]
    assert data.text == "Thank you."
    assert data.metadata == {"no_speech_prob": pytest.approx(0.3), "avg_logprob": pytest.approx(-0.6)}
    assert data.confidence == pytest.approx(math.exp(-0.6))


@pytest.mark.parametrize("segments", [None, [], [segment(0, 1)], [segment(0, 0, avg_logprob=None)]])
async def test_answer_without_probabilities_is_a_transcript_all_the_same(segments: Any) -> None:
    async with service(segments=segments) as (url, _):
        data = await recognise(url)
    assert (data.text, data.metadata, data.confidence) == ("Thank you.", None, 0.0)


@pytest.mark.parametrize("status", [400, 422])
async def test_service_that_refuses_the_format_is_asked_for_the_plain_one_from_then_on(status: int) -> None:
    async with service(refuses="verbose_json", status=status) as (url, formats):
        data = await recognise(url, times=3)
    assert data.text == "Thank you."
    assert formats == ["verbose_json", "json", "json", "json"]


async def test_refusal_for_another_reason_is_an_error() -> None:
    async with service(refuses="all") as (url, _):
        with pytest.raises(APIStatusError, match="unsupported"):
            await recognise(url)
