"""The real models behind the protocols."""

from __future__ import annotations

import asyncio
import base64
import json
import time

import aiohttp
import jiwer
import openai
import pytest
from livekit import rtc
from livekit.agents import stt
from livekit.plugins import deepgram

from model_server import weights
from model_server.backends import TTS_SAMPLE_RATE, SpeechRequest
from model_server.tts import KokoroTTS
from tests.model_server import sounds
from tests.model_server.servers import Address
from tests.model_server.test_deepgram import finals, messages, receive_until, send_audio, send_message, transcript

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.real_models]

SENTENCE = "The quick brown fox jumps over the lazy dog, and then it runs into the forest."
SHORT_SENTENCES = (
    "Could you tell me what time the shop closes?",
    "I need to change my appointment to another day.",
    "Is there a pharmacy open near the station?",
    "Thank you, that was very helpful.",
)
QUESTION = [{"role": "user", "content": "Tell me about the sea in two sentences."}]


def word_error_rate(transcript: str, said: str = SENTENCE) -> float:
    plain = jiwer.Compose(
        [jiwer.ToLowerCase(), jiwer.RemovePunctuation(), jiwer.Strip(), jiwer.ReduceToListOfListOfWords()]
    )
    return jiwer.wer(said, transcript, reference_transform=plain, hypothesis_transform=plain)


async def synthesise(address: Address, text: str, format: str = "pcm") -> bytes:
    answer = await address.openai().audio.speech.create(
        model="tts-1", voice="alloy", input=text, response_format=format
    )
    return answer.content


async def transcribe(address: Address, audio: bytes, format: str = "wav") -> str:
    answer = await address.openai().audio.transcriptions.create(model="whisper-1", file=(f"a.{format}", audio))
    return answer.text


@pytest.mark.parametrize("format", ["wav", "mp3"])
async def test_synthesised_speech_is_transcribed(real: Address, format: str) -> None:
    audio = await synthesise(real, SENTENCE, format)
    assert word_error_rate(await transcribe(real, audio, format)) < 0.2


async def test_short_sentences_are_transcribed(real: Address) -> None:
    transcripts = [await transcribe(real, await synthesise(real, sentence, "wav")) for sentence in SHORT_SENTENCES]
    assert word_error_rate(" ".join(transcripts), " ".join(SHORT_SENTENCES)) < 0.1


async def test_kokoro_is_transcribed(real: Address) -> None:
    tts, started = KokoroTTS(*weights.kokoro()), time.monotonic()
    pcm = b"".join([chunk async for chunk in tts.stream(SpeechRequest("", SHORT_SENTENCES[0], "alloy"))])
    if time.monotonic() - started > len(pcm) / 48_000:
        pytest.skip("Kokoro is slower than real time on this machine")
    transcript = await transcribe(real, sounds.wav(pcm, TTS_SAMPLE_RATE))
    assert word_error_rate(transcript, SHORT_SENTENCES[0]) < 0.2


async def test_silence_is_transcribed_as_nothing(real: Address) -> None:
    file = ("a.wav", sounds.wav(sounds.silence(5.0)))
    assert (await real.openai().audio.transcriptions.create(model="whisper-1", file=file)).text == ""


async def test_chat_streams_with_usage(real: Address) -> None:
    stream = await real.openai().chat.completions.create(
        model="llama-3.1-8b-instant",
        messages=QUESTION,
        max_tokens=20,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]
    assert {chunk.model for chunk in chunks} == {"SmolLM2-135M-Instruct"}
    texts = [chunk for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    usage = chunks[-1].usage
    assert usage is not None
    assert 0 < len(texts) <= usage.completion_tokens <= 20
    assert usage.prompt_tokens > 8


async def test_chat_applies_seed_and_stop(real: Address) -> None:
    async def ask(**options: object) -> str:
        answer = await real.openai().chat.completions.create(
            model="SmolLM2-135M-Instruct", messages=QUESTION, max_tokens=20, temperature=0, **options
        )
        return str(answer.choices[0].message.content)

    whole = await ask(seed=1)
    word = whole.split()[3]
    assert await ask(seed=1, stop=[word]) == whole.split(word)[0]


async def test_four_chats_run_at_the_same_time(real: Address) -> None:
    order: list[int] = []

    async def ask(number: int) -> None:
        stream = await real.openai().chat.completions.create(
            model="llama-3.3-70b-versatile", messages=QUESTION, max_tokens=40, stream=True, seed=number
        )
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                order.append(number)

    await asyncio.gather(*(ask(number) for number in range(4)))
    first_end = min(len(order) - 1 - order[::-1].index(number) for number in range(4))
    assert {0, 1, 2, 3} == set(order[:first_end])  # each began before any ended


async def test_prompt_that_does_not_fit_is_refused(real: Address) -> None:
    for stream in (False, True):
        with pytest.raises(openai.BadRequestError) as caught:
            await real.openai().chat.completions.create(
                model="llama3.1:8b", messages=[{"role": "user", "content": "word " * 6000}], stream=stream
            )
        assert caught.value.code == "context_length_exceeded"


async def test_each_sentence_is_sent_by_itself(real: Address) -> None:
    body = {"model": "gpt-4o-mini-tts", "voice": "ash", "response_format": "pcm", "stream_format": "sse"}
    text = "This is the first. And this is the second. Here is the third."
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{real.v1}/audio/speech", json={**body, "input": text}) as response,
    ):
        events = [json.loads(line[6:]) async for line in response.content if line.startswith(b"data: ")]
    sizes = [len(base64.b64decode(event["audio"])) for event in events if event["type"] == "speech.audio.delta"]
    assert len(sizes) == 3
    assert all(0.5 < size / 48_000 < 3 for size in sizes)


async def test_speech_starts_and_ends_without_padding(real: Address) -> None:
    pcm = await synthesise(real, "Sure, one moment.")
    whole = len(pcm) / 48_000
    assert 0.6 < whole < 1.6


@pytest.mark.parametrize(("field", "value", "status"), [("voice", "nobody", 400), ("model", "tts-9", 404)])
async def test_unknown_voice_and_model(real: Address, field: str, value: str, status: int) -> None:
    body = {"model": "tts-1", "voice": "ash", "input": "x", field: value}
    with pytest.raises(openai.APIStatusError) as caught:
        await real.openai().audio.speech.create(**body)
    assert caught.value.status_code == status


async def test_text_without_words_is_a_pause(real: Address) -> None:
    assert set(await synthesise(real, "-")) == {0}


async def test_livekit_deepgram_plugin_transcribes_a_voice(real: Address) -> None:
    pcm = sounds.resampled(await synthesise(real, SENTENCE), 24_000, 16_000) + sounds.silence(1.0)
    async with aiohttp.ClientSession() as session:
        plugin = deepgram.STT(base_url=f"{real.v1}/listen", api_key="any", http_session=session, endpointing_ms=500)
        async with plugin.stream() as stream:
            stream.push_frame(rtc.AudioFrame(pcm, 16_000, 1, len(pcm) // 2))
            stream.flush()
            events = await receive_until(stream, endings=1)
    kinds = [event.type for event in events]
    assert stt.SpeechEventType.INTERIM_TRANSCRIPT in kinds
    texts = [e.alternatives[0].text for e in events if e.type is stt.SpeechEventType.FINAL_TRANSCRIPT]
    assert word_error_rate(" ".join(texts)) < 0.25


async def test_finalize_with_a_voice(real: Address) -> None:
    pcm = sounds.resampled(await synthesise(real, SENTENCE), 24_000, 16_000)
    async with real.listen(endpointing="false", interim_results="") as socket:
        await send_audio(socket, pcm)
        await send_message(socket, "Finalize")
        received = messages(socket)
        assert (await anext(received))["type"] == "SpeechStarted"
        result = await anext(received)
        await send_message(socket, "CloseStream")
        assert finals([m async for m in received]) == []
    assert result["from_finalize"]
    assert result["metadata"]["model_info"]["name"] == "whisper-tiny.en"
    assert word_error_rate(transcript(result)) < 0.2
