"""Log lines of livekit-agents and its plugins, emitted by themselves: none may quote the caller or the agent."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from livekit import rtc
from livekit.agents import Agent, AgentSession, APIConnectOptions, APIError, APIStatusError, llm, stt, tts
from livekit.agents.voice.agent_session import SessionConnectOptions
from livekit.plugins import deepgram
from livekit.rtc._proto import room_pb2 as proto_room

from agent_worker.core.log_protection import protect_log_of_calls
from agent_worker.testing import SAMPLE_RATE_HZ, ManualAudioOutput, ScriptedLLM, ScriptedTTS
from tests.hostile.servers import websocket_server

SECRET = "my card number is 1234"
RETRY_ONCE = APIConnectOptions(max_retry=1, retry_interval=0.0)
NO_RETRY = APIConnectOptions(max_retry=0)
SILENCE = rtc.AudioFrame(bytes(640), SAMPLE_RATE_HZ, 1, 320)


def quoting_error() -> APIStatusError:
    return APIStatusError(SECRET, status_code=429, body={"error": SECRET}, retryable=True)


def chat_ctx() -> llm.ChatContext:
    return llm.ChatContext.empty()


async def llm_retries() -> None:
    async with ScriptedLLM(quoting_error()).chat(chat_ctx=chat_ctx(), conn_options=RETRY_ONCE) as stream:
        async for _ in stream:
            pass


async def fall_back_from(first: ScriptedLLM) -> None:
    async with llm.FallbackAdapter([first, ScriptedLLM("Yes.")]).chat(chat_ctx=chat_ctx()) as stream:
        async for _ in stream:
            pass


async def llm_fails_over() -> None:
    await fall_back_from(ScriptedLLM(quoting_error()))


async def llm_has_a_bug() -> None:
    await fall_back_from(ScriptedLLM(ValueError(SECRET)))


async def llm_fails_in_the_middle() -> None:
    await fall_back_from(ScriptedLLM(SECRET, APIError("broken")))


class FailingSTT(stt.STT[Any]):
    def __init__(self) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=False, interim_results=False))

    async def _recognize_impl(self, *_: Any, **__: Any) -> stt.SpeechEvent:
        raise quoting_error()


async def stt_retries() -> None:
    await FailingSTT().recognize(SILENCE, conn_options=RETRY_ONCE)


class NoAudioTTS(ScriptedTTS):
    """Ends without a frame, whatever the text."""

    def synthesize(self, text: str, *, conn_options: APIConnectOptions = NO_RETRY) -> tts.ChunkedStream:
        return _NoAudio(tts=self, input_text=text, conn_options=NO_RETRY)


class _NoAudio(tts.ChunkedStream):
    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        output_emitter.initialize(request_id="1", sample_rate=SAMPLE_RATE_HZ, num_channels=1, mime_type="audio/pcm")


async def session_closes_for_a_voice_without_audio() -> None:
    limits = SessionConnectOptions(tts_conn_options=NO_RETRY, max_unrecoverable_errors=0)
    closed = asyncio.Event()
    async with AgentSession[Any](
        tts=NoAudioTTS(), vad=None, conn_options=limits, turn_handling={"turn_detection": None}
    ) as session:
        session.output.audio = ManualAudioOutput()
        session.once("close", lambda _: closed.set())
        await session.start(Agent(instructions=""))
        session.say(SECRET)
        await closed.wait()


async def deepgram_sends_an_unknown_message() -> None:
    unknown = f'{{"type": "Unknown", "transcript": "{SECRET}"}}'
    final = '{"type": "Results", "is_final": true, "speech_final": true, "metadata": {"request_id": "1"}, "channel": '
    final += '{"alternatives": [{"transcript": "yes", "confidence": 1, "words": []}]}}'
    async with websocket_server(unknown, final) as url, aiohttp.ClientSession() as http:
        recogniser = deepgram.STT(model="nova-3", api_key="x", base_url=url, http_session=http)
        async with recogniser.stream() as stream:
            for _ in range(10):
                stream.push_frame(SILENCE)
            async for event in stream:
                if event.type is stt.SpeechEventType.FINAL_TRANSCRIPT:
                    return


SCENARIOS: dict[Callable[[], Awaitable[None]], str] = {
    llm_retries: "failed to generate LLM completion: … status_code=429 retrying in",
    llm_fails_over: "failed, switching to next LLM: APIStatusError",
    llm_has_a_bug: "unexpected error, switching to next LLM",
    llm_fails_in_the_middle: "failed after sending chunk",
    stt_retries: "failed to recognize speech: … status_code=429 retrying in",
    session_closes_for_a_voice_without_audio: "AgentSession is closing due to unrecoverable error: …",
    deepgram_sends_an_unknown_message: "received unexpected message from deepgram",
}


def everything_logged(caplog: pytest.LogCaptureFixture) -> str:
    return caplog.text + "".join(repr(vars(record)) for record in caplog.records)


async def run(scenario: Callable[[], Awaitable[None]]) -> None:
    with contextlib.suppress(APIError):
        await scenario()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
async def test_line_that_quotes_the_caller_or_agent_is_logged_without_the_quotation(
    scenario: Callable[[], Awaitable[None]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "livekit")
    await run(scenario)
    assert SECRET in everything_logged(caplog), (
        "livekit-agents no longer quotes anything here: look for its new log line, and remove the field or the pattern "
        "from agent_worker/core/compat/livekit.py if there is none"
    )
    caplog.clear()
    protect_log_of_calls()
    await run(scenario)
    assert SECRET not in everything_logged(caplog), "adapt the patterns in agent_worker/core/compat/livekit.py"
    assert SCENARIOS[scenario] in caplog.text


async def test_traceback_is_logged_with_the_type_of_the_error_only(caplog: pytest.LogCaptureFixture) -> None:
    protect_log_of_calls()
    await llm_has_a_bug()
    assert "in _run" in caplog.text
    assert "Exception: ValueError\n" in caplog.text


async def test_error_that_nobody_awaits_is_logged_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    protect_log_of_calls()

    async def fail() -> None:
        raise quoting_error()

    loop = asyncio.get_running_loop()
    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    error = task.exception()
    loop.call_exception_handler({"message": "Task exception was never retrieved", "exception": error, "task": task})
    assert SECRET not in everything_logged(caplog)
    assert "Task exception was never retrieved" in caplog.text
    assert "Exception: APIStatusError" in caplog.text


def test_event_of_the_room_whose_handler_failed_is_logged_without_its_content(
    caplog: pytest.LogCaptureFixture,
) -> None:
    protect_log_of_calls()
    event = proto_room.RoomEvent(chat_message=proto_room.ChatMessageReceived(participant_identity=SECRET))
    logging.error("error running user callback for %s: %s", "chat_message", event)
    assert SECRET not in everything_logged(caplog)
    assert "error running user callback for chat_message: RoomEvent" in caplog.text


@pytest.mark.parametrize("kind", ["text", "byte"])
def test_stream_on_an_unknown_topic_writes_no_line(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    assert f"ignoring {kind} stream with topic" in inspect.getsource(rtc.Room), (
        "livekit logs a stream without a handler in other words: adapt _LINE_FOR_EACH_STREAM in "
        "agent_worker/core/compat/livekit.py"
    )
    caplog.set_level(logging.INFO)
    logging.info(f"ignoring {kind} stream with topic '%s', no callback attached", "a")
    assert len(caplog.records) == 1
    protect_log_of_calls()
    logging.info(f"ignoring {kind} stream with topic '%s', no callback attached", "a")
    assert len(caplog.records) == 1
