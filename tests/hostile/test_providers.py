"""Malformed replies of providers, through the real plugins and over real sockets: the call goes on."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from livekit.agents import AgentSession, UserInputTranscribedEvent, llm
from livekit.plugins import deepgram, openai

from agent_worker.audio.phrase_cache import PhraseAudio
from agent_worker.audio.tts_stream import max_audio_s
from agent_worker.preresponse.agent import PreResponseAgent
from agent_worker.providers.chat_stream import with_repaired_streams
from agent_worker.testing import ScriptedLLM, SilentMicrophone
from agent_worker.text.messages import apology
from agent_worker.text.sanitize import MAX_ANSWER_CHARS, MAX_TRANSCRIPT_CHARS
from tests.hostile.servers import Reply, completion, delta, event, http_server, websocket_server

QUESTION = "What time does the museum open?"
MEGABYTE = 1_000_000


class Endless:
    """A reply that repeats a chunk without end, from the start for each request."""

    def __init__(self, chunk: bytes) -> None:
        self._chunk = chunk

    def __iter__(self) -> Iterator[bytes]:
        return itertools.repeat(self._chunk)


LLM_REPLIES: dict[str, Reply] = {
    "nothing": b"",
    "only the end": event(b"[DONE]"),
    "invalid UTF-8": event(b'{"choices": [{"delta": {"content": "\xff\xfe\xc3"}}]}'),
    "no JSON": event(b"{{{"),
    "a web page": b"<html><body>Welcome!</body></html>",
    "null": event(None),
    "a number": event(7),
    "choices null": event({"id": "1", "choices": None}),
    "choices of text": event({"id": "1", "choices": ["x"]}),
    "delta null": event({"id": "1", "choices": [{"index": 0, "delta": None}]}),
    "content null": delta(None) + event(b"[DONE]"),
    "content a number": delta(7) + event(b"[DONE]"),
    "content a list": delta(["x"]) + event(b"[DONE]"),
    "half a character": delta("It opens \ud83d") + delta("\ude00 at nine.") + event(b"[DONE]"),
    "nothing but spaces": delta(" \n ") + event(b"[DONE]"),
    "error in the stream": event({"error": {"message": None, "code": None}}),
    "a tool without a name": event(
        {"id": "1", "choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"name": None}}]}}]}
    ),
    "one line of 10 MB": delta("x" * 10 * MEGABYTE) + event(b"[DONE]"),
    "huge tokens": [delta("x" * 5_000)] * 20,
    "words without end": Endless(delta("and so on ")),
    "a line without end": Endless(b"x" * 1_000),
    "comments without end": Endless(b": keep-alive\n\n"),
}


async def reply_with(main: llm.LLM[Any]) -> str:
    """Run a turn with a main model, and return the agent's reply."""
    fast = ScriptedLLM("We open at nine.")
    agent = PreResponseAgent(instructions="You help.", strategy="phrase", answer_timeout=1.5)
    both = llm.FallbackAdapter([main, fast], attempt_timeout=0.7)
    async with AgentSession[Any](llm=both, vad=None, turn_handling={"turn_detection": None}) as session:
        await session.start(agent)
        await session.run(user_input=QUESTION)
        reply = session.history.items[-1]
        assert isinstance(reply, llm.ChatMessage)
        assert reply.role == "assistant"
        json.dumps(session.history.to_dict(), ensure_ascii=False).encode()
    return reply.text_content or ""


@pytest.mark.parametrize("repaired", [False, True])
@pytest.mark.parametrize("reply", LLM_REPLIES)
async def test_malformed_reply_of_the_main_model_is_replaced(reply: str, repaired: bool) -> None:
    async with http_server(LLM_REPLIES[reply]) as url:
        model = openai.LLM(model="m", api_key="x", base_url=url, max_retries=0)
        said = await reply_with(with_repaired_streams(model) if repaired else model)
    phrase, answer = said[:60], said[-60:]
    assert said.strip()
    assert len(said) <= MAX_ANSWER_CHARS + 200
    if reply not in (
        "half a character",
        "one line of 10 MB",
        "huge tokens",
        "words without end",
        "content a number",
        "content a list",
    ):
        assert "at nine." in answer or apology("en") in said, (phrase, answer)


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {"prompt_tokens": None, "completion_tokens": None, "total_tokens": None},
        {"prompt_tokens": -5, "completion_tokens": -5, "total_tokens": -10},
        {"prompt_tokens": 1e300, "completion_tokens": 1, "total_tokens": 1e300},
        {"prompt_tokens": "many", "completion_tokens": [], "total_tokens": {}},
        {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13, "prompt_tokens_details": None},
    ],
)
async def test_malformed_usage_does_not_change_the_answer(usage: object) -> None:
    async with http_server(completion("It opens at nine.", usage)) as url:
        model = openai.LLM(model="m", api_key="x", base_url=url, max_retries=0)
        said = await reply_with(with_repaired_streams(model))
    assert "at nine." in said


TTS_REPLIES: dict[str, Reply] = {
    "nothing": b"",
    "one byte": b"\x01",
    "an odd number of bytes": b"\x01\x02\x03" * 30_001,
    "a web page": b"<html><body>Welcome!</body></html>" * 100,
    "JSON": b'{"error": null}' * 1000,
    "full scale": b"\xff\x7f\x00\x80" * 24_000,
    "10 MB": b"\x10\x20" * 5 * MEGABYTE,
    "no end": Endless(b"\x10\x20" * 48_000),
    "silence without end": Endless(bytes(96_000)),
}


@pytest.mark.parametrize("reply", TTS_REPLIES)
async def test_malformed_reply_of_the_tts_gives_bounded_audio_or_none(reply: str, tmp_path: Path) -> None:
    text = "Let me see."
    async with http_server(TTS_REPLIES[reply], "audio/pcm") as url:
        voice = openai.TTS(model="m", voice="v", api_key="x", base_url=url, response_format="pcm")
        made = PhraseAudio(tmp_path, "v")
        failed = await made.make([text], voice)
        await voice.aclose()
    assert bool(failed) is not bool(made.frames(text))
    assert (made.duration(text) or 0) <= max_audio_s(len(text)) + 1


FINAL = {
    "type": "Results",
    "is_final": True,
    "speech_final": True,
    "channel": {"alternatives": [{"transcript": "are you there", "confidence": 0.9, "words": []}]},
    "metadata": {"request_id": "1"},
}


def results(alternative: object, **more: object) -> str:
    return json.dumps({**FINAL, "channel": {"alternatives": [alternative]}, **more})


STT_MESSAGES: dict[str, str | bytes] = {
    "no JSON": "{{{",
    "null": "null",
    "a list": "[]",
    "a number": "7",
    "no type": "{}",
    "type null": '{"type": null}',
    "results without a channel": '{"type": "Results"}',
    "channel null": json.dumps({**FINAL, "channel": None}),
    "no alternatives": json.dumps({**FINAL, "channel": {"alternatives": []}}),
    "transcript null": results({"transcript": None, "confidence": None, "words": None}),
    "words null": results({"transcript": "hello", "confidence": 0.9, "words": [None]}),
    "half a character": '{"type": "Results", "is_final": true, "channel": {"alternatives": [{"transcript": '
    '"\\ud83d hello", "confidence": 1, "words": []}]}, "metadata": {"request_id": "1"}}',
    "1 MB of words": results({"transcript": "and so on " * 100_000, "confidence": 0.9, "words": []}),
    "10 MB": results({"transcript": "x" * 10 * MEGABYTE, "confidence": 0.9, "words": []}),
    "invalid UTF-8": b"\xff\xfe\xfd",
}


@pytest.mark.parametrize("message", STT_MESSAGES)
async def test_agent_hears_the_caller_after_a_malformed_message_of_the_stt(message: str) -> None:
    transcripts: asyncio.Queue[str] = asyncio.Queue()
    async with websocket_server(STT_MESSAGES[message], json.dumps(FINAL)) as url, aiohttp.ClientSession() as http:
        recognizer = deepgram.STT(model="nova-3", api_key="x", base_url=url, http_session=http)
        agent = PreResponseAgent(instructions="You help.", strategy="off")
        model = ScriptedLLM("Yes.")
        handling: Any = {"turn_detection": "stt", "preemptive_generation": {"enabled": False}}
        async with AgentSession[Any](stt=recognizer, llm=model, vad=None, turn_handling=handling) as session:
            session.input.audio = SilentMicrophone()

            @session.on("user_input_transcribed")
            def _on_transcript(event: UserInputTranscribedEvent) -> None:
                transcripts.put_nowait(event.transcript)

            await session.start(agent)
            transcript = ""
            while transcript != "are you there":
                transcript = await transcripts.get()
                transcript.encode()
                assert len(transcript) <= MAX_TRANSCRIPT_CHARS
