"""The OpenAI protocol, used by OpenAI's own client and LiveKit's plugins."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator
from dataclasses import replace

import aiohttp
import openai
import pytest
from livekit import rtc
from livekit.agents import llm
from livekit.plugins import groq
from livekit.plugins import openai as livekit_openai

from model_server.backends import ChatChunk, ChatRequest, SpeechRequest
from model_server.simulation import SimulationConfig, simulated_backends
from tests.model_server import sounds
from tests.model_server.conftest import KEY
from tests.model_server.servers import Address, server_inside

HELLO = [{"role": "user", "content": "hello to you"}]
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}


async def post(address: Address, path: str, **kwargs: object) -> tuple[int, dict[str, object]]:
    async with aiohttp.ClientSession() as session, session.post(address.v1 + path, **kwargs) as response:
        return response.status, json.loads(await response.read())


async def test_health_and_models_report_the_simulation(simulated: Address) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{simulated.url}/health") as response:
        health = await response.json()
    assert (health["status"], health["mode"]) == ("ok", "simulated")
    names = [model.id async for model in await simulated.openai().models.list()]
    assert names == ["simulated-cycling"] == health["models"]


async def test_chat_answers_without_streaming(simulated: Address) -> None:
    answer = await simulated.openai().chat.completions.create(model="small", messages=HELLO, tools=[TOOL])
    assert answer.model == "simulated-small"
    assert answer.choices[0].message.content == "one two three"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (3, 3, 6)


async def test_chat_streams_token_by_token_and_ends_with_usage(simulated: Address) -> None:
    stream = await simulated.openai().chat.completions.create(
        model="small", messages=HELLO, stream=True, stream_options={"include_usage": True}, max_completion_tokens=2
    )
    chunks = [chunk async for chunk in stream]
    texts = [c.choices[0].delta.content for c in chunks if c.choices and c.choices[0].delta.content]
    assert texts == ["one", " two"]
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "length"
    assert [c.usage.completion_tokens for c in chunks if c.usage] == [2]
    assert not chunks[-1].choices


async def test_replies_are_cycled(simulated: Address) -> None:
    client = simulated.openai()
    answers = [await client.chat.completions.create(model="cycling", messages=HELLO) for _ in range(3)]
    assert [a.choices[0].message.content for a in answers] == ["first", "second", "first"]


async def test_livekit_groq_plugin_gets_text_and_usage(simulated: Address) -> None:
    context = llm.ChatContext.empty()
    context.add_message(role="system", content="Be short.")
    context.add_message(role="user", content="Hello")
    async with groq.LLM(model="large", api_key="any", base_url=simulated.v1).chat(chat_ctx=context) as stream:
        chunks = [chunk async for chunk in stream]
    assert "".join(chunk.delta.content or "" for chunk in chunks if chunk.delta) == "one two three"
    assert [chunk.usage.completion_tokens for chunk in chunks if chunk.usage] == [3]


async def test_unknown_model_is_not_found(simulated: Address) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        await simulated.openai().chat.completions.create(model="gpt-9", messages=HELLO)
    assert caught.value.code == "model_not_found"


@pytest.mark.parametrize("key", ["wrong", "a-key-and-more"])
async def test_wrong_key_is_refused(locked: Address, key: str) -> None:
    with pytest.raises(openai.AuthenticationError) as caught:
        await locked.openai(key).models.list()
    assert caught.value.code == "invalid_api_key"


async def test_right_key_is_let_in(locked: Address) -> None:
    assert (await locked.openai(KEY).chat.completions.create(model="x", messages=HELLO)).model == "simulated-x"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/chat/completions", b"{"),
        ("/chat/completions", b"[]"),
        ("/chat/completions", b'{"model": "small"}'),
        ("/chat/completions", b'{"model": "small", "messages": []}'),
        ("/chat/completions", b'{"model": "small", "messages": "hello"}'),
        ("/chat/completions", b'{"model": "small", "messages": [{"role": "king", "content": "hello"}]}'),
        ("/chat/completions", b'{"model": "small", "messages": [{"role": "user", "content": "x"}], "max_tokens": 0}'),
        ("/chat/completions", b'\xff\xfe{"model": "small"}'),
        ("/audio/speech", b'{"model": "tts-1", "voice": "ash", "input": " "}'),
        ("/audio/speech", b'{"model": "tts-1", "voice": "ash", "input": "x", "response_format": "midi"}'),
        ("/audio/speech", b'{"model": "tts-1", "voice": "ash", "input": "' + b"x" * 4097 + b'"}'),
        ("/audio/transcriptions", b"not a form"),
    ],
)
async def test_bad_request_gets_an_openai_error(simulated: Address, path: str, body: bytes) -> None:
    status, answer = await post(simulated, path, data=body)
    assert status == 400
    assert answer["error"]["type"] == "invalid_request_error"


async def test_huge_request_is_refused(simulated: Address) -> None:
    status, answer = await post(simulated, "/chat/completions", data=b" " * (26 * 1024 * 1024))
    assert status == 413
    assert answer["error"]["type"] == "invalid_request_error"


async def test_wrong_path_or_method_gets_an_openai_error(simulated: Address) -> None:
    assert (await post(simulated, "/nothing"))[0] == 404
    status, answer = await post(simulated, "/models")
    assert (status, answer["error"]["type"]) == (405, "invalid_request_error")


async def test_transcription_formats(simulated: Address) -> None:
    create, file = simulated.openai().audio.transcriptions.create, ("a.wav", sounds.wav(sounds.tone(2.0)))
    assert (await create(model="whisper-1", file=file)).text in ("Hello there.", "How are you today?")
    assert (await create(model="whisper-1", file=file, response_format="text")).strip()
    verbose = await create(model="whisper-1", file=file, response_format="verbose_json")
    assert (verbose.duration, verbose.language) == (pytest.approx(2.0), "english")
    assert " ".join(word.word for word in verbose.words) == verbose.text
    assert (verbose.segments[0].no_speech_prob, verbose.segments[0].avg_logprob) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("format", "beginning"), [("srt", "1\n00:00:00,000 --> "), ("vtt", "WEBVTT\n\n00:00:00.000 --> ")]
)
async def test_transcription_as_subtitles(simulated: Address, format: str, beginning: str) -> None:
    create, file = simulated.openai().audio.transcriptions.create, ("a.wav", sounds.wav(sounds.tone(2.0)))
    subtitles = await create(model="whisper-1", file=file, response_format=format)
    assert subtitles.startswith(beginning)
    with pytest.raises(openai.BadRequestError, match="Use 'json' or 'text' instead") as caught:
        await create(model="gpt-4o-mini-transcribe", file=file, response_format=format)
    assert (caught.value.param, caught.value.code) == ("response_format", "unsupported_value")


async def test_transcription_is_streamed_on_request_but_not_by_whisper_1(simulated: Address) -> None:
    create, file = simulated.openai().audio.transcriptions.create, ("a.wav", sounds.wav(sounds.tone(2.0)))
    events = [event async for event in await create(model="gpt-4o-mini-transcribe", file=file, stream=True)]
    *deltas, done = events
    assert done.type == "transcript.text.done"
    assert done.text in ("Hello there.", "How are you today?")
    assert "".join(delta.delta for delta in deltas) == done.text
    assert done.usage is not None
    assert done.usage.output_tokens == len(deltas) > 1
    form = aiohttp.FormData({"model": "whisper-1", "stream": "true"})
    form.add_field("file", file[1], filename="a.wav")
    status, answer = await post(simulated, "/audio/transcriptions", data=form)
    assert (status, answer["usage"]["type"]) == (200, "duration")


@pytest.mark.parametrize(
    ("language", "code"),
    [("de", "unsupported_language"), ("fil", "unsupported_language"), ("en-GB", "invalid_language_format")],
)
async def test_transcription_in_another_language_is_refused(language: str, code: str) -> None:
    config = SimulationConfig.model_validate({"stt": {"*": {"languages": ["en"]}}})
    async with server_inside(simulated_backends(config)) as address:
        create, file = address.openai().audio.transcriptions.create, ("a.wav", sounds.wav(sounds.tone(1.0)))
        assert (await create(model="whisper-1", file=file, language="en")).text
        with pytest.raises(openai.BadRequestError) as caught:
            await create(model="whisper-1", file=file, language=language)
    assert (caught.value.param, caught.value.code) == ("language", code)


@pytest.mark.parametrize("model", ["gpt-4o-mini-transcribe", "whisper-1"])
async def test_livekit_stt_plugin(simulated: Address, model: str) -> None:
    stt = livekit_openai.STT(model=model, base_url=simulated.v1, api_key="any", use_realtime=False)
    event = await stt.recognize(rtc.AudioFrame(sounds.tone(1.0), 16_000, 1, 16_000))
    assert event.alternatives[0].text


async def test_data_without_audio_is_refused(simulated: Address) -> None:
    with pytest.raises(openai.BadRequestError, match="could not be decoded"):
        await simulated.openai().audio.transcriptions.create(model="whisper-1", file=("a.wav", b"not audio at all"))


@pytest.mark.parametrize("format", ["wav", "mp3", "opus", "aac", "flac"])
async def test_every_speech_format_can_be_decoded(simulated: Address, format: str) -> None:
    answer = await simulated.openai().audio.speech.create(
        model="tts-1", voice="ash", input="x" * 20, response_format=format
    )
    assert sounds.seconds(answer.content) == pytest.approx(2.0, abs=0.2)


async def test_speech_is_16_bit_pcm_at_24_khz(simulated: Address) -> None:
    answer = await simulated.openai().audio.speech.create(
        model="tts-1", voice="ash", input="x" * 20, response_format="pcm", speed=2.0
    )
    assert answer.response.headers["content-type"] == "audio/pcm"
    assert len(answer.content) == 24_000 * 2


async def test_speech_is_sent_as_events_on_request(simulated: Address) -> None:
    body = {"model": "tts-1", "voice": "ash", "input": "x y", "response_format": "pcm", "stream_format": "sse"}
    async with aiohttp.ClientSession() as session, session.post(f"{simulated.v1}/audio/speech", json=body) as response:
        assert response.content_type == "text/event-stream"
        lines = (await response.text()).splitlines()
    events = [json.loads(line.removeprefix("data: ")) for line in lines if line]
    assert [event["type"] for event in events] == ["speech.audio.delta"] * (len(events) - 1) + ["speech.audio.done"]
    assert sum(len(base64.b64decode(event["audio"])) for event in events[:-1]) == int(0.3 * 24_000) * 2
    assert events[-1]["usage"]["input_tokens"] == 2


@pytest.mark.parametrize("model", ["tts-1", "gpt-4o-mini-tts"])
@pytest.mark.parametrize("format", ["mp3", "pcm"])
async def test_livekit_tts_plugin(simulated: Address, model: str, format: str) -> None:
    tts = livekit_openai.TTS(model=model, base_url=simulated.v1, api_key="any", response_format=format)
    async with tts.synthesize("x" * 20) as stream:
        played = sum([event.frame.duration async for event in stream])
    assert played == pytest.approx(2.0, abs=0.2)


class Endless:
    """An LLM and a TTS that end only when they are closed; events tell when they start and end."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.closed = asyncio.Event()
        self.names = simulated_backends(SimulationConfig()).llm.names

    async def stream(self, request: ChatRequest | SpeechRequest) -> AsyncGenerator[ChatChunk | bytes, None]:
        self.started.set()
        try:
            while True:
                yield ChatChunk("more ") if isinstance(request, ChatRequest) else b"\0\0" * 2400
                await asyncio.sleep(0.01)
        finally:
            self.closed.set()


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/chat/completions", {"messages": HELLO, "stream": True}),
        ("/chat/completions", {"messages": HELLO, "stream": False}),
        ("/audio/speech", {"input": "x", "voice": "ash", "response_format": "mp3"}),
        ("/audio/speech", {"input": "x", "voice": "ash", "response_format": "pcm", "stream_format": "sse"}),
    ],
)
async def test_model_stops_when_the_client_disconnects(path: str, more: dict[str, object]) -> None:
    endless = Endless()
    backends = replace(simulated_backends(SimulationConfig()), llm=endless, tts=endless)
    async with server_inside(backends) as address, aiohttp.ClientSession() as session:
        asking = asyncio.create_task(session.post(address.v1 + path, json={"model": "any", **more}))
        if more.get("stream") is False:
            await endless.started.wait()
            asking.cancel()
        else:
            response = await asking
            await response.content.readany()
            response.close()
        await endless.closed.wait()
