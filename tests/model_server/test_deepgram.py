"""Deepgram's live protocol, used by LiveKit's plugin and directly."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import numpy as np
import pytest
from livekit import rtc
from livekit.agents import stt
from livekit.plugins import deepgram
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus

from model_server.simulation import SimulationConfig, simulated_backends
from tests.model_server import sounds
from tests.model_server.servers import Address, ClientConnection, server_inside

UTTERANCE = sounds.tone(1.5) + sounds.silence(0.5)


async def send_audio(socket: ClientConnection, pcm: bytes) -> None:
    for start in range(0, len(pcm), 1600):
        await socket.send(pcm[start : start + 1600])


async def send_message(socket: ClientConnection, kind: str) -> None:
    await socket.send(json.dumps({"type": kind}))


async def messages(socket: ClientConnection) -> AsyncIterator[dict[str, Any]]:
    async for message in socket:
        yield json.loads(message)


async def conversation(address: Address, pcm: bytes, **options: str) -> list[dict[str, Any]]:
    """Return every message of the server after this audio and a CloseStream."""
    async with address.listen(**options) as socket:
        await send_audio(socket, pcm)
        await send_message(socket, "CloseStream")
        return [message async for message in messages(socket)]


def transcript(message: dict[str, Any]) -> str:
    return str(message["channel"]["alternatives"][0]["transcript"])


def finals(received: list[dict[str, Any]]) -> list[str]:
    return [transcript(m) for m in received if m["type"] == "Results" and m["is_final"]]


async def receive_until(stream: stt.SpeechStream, endings: int) -> list[stt.SpeechEvent]:
    """Return the events until so many ends of speech; the plugin takes five seconds to notice the end of the stream."""
    events = []
    async for event in stream:
        events.append(event)
        endings -= event.type is stt.SpeechEventType.END_OF_SPEECH
        if not endings:
            break
    return events


async def test_livekit_plugin_receives_two_finals(simulated: Address) -> None:
    async with aiohttp.ClientSession() as session:
        plugin = deepgram.STT(base_url=f"{simulated.v1}/listen", api_key="any", http_session=session)
        async with plugin.stream() as stream:
            pcm = UTTERANCE + UTTERANCE
            stream.push_frame(rtc.AudioFrame(pcm, 16_000, 1, len(pcm) // 2))
            events = await receive_until(stream, endings=2)
    kinds = [event.type for event in events if event.type is not stt.SpeechEventType.RECOGNITION_USAGE]
    assert kinds[0] is stt.SpeechEventType.START_OF_SPEECH
    assert kinds.count(stt.SpeechEventType.FINAL_TRANSCRIPT) == 2
    assert stt.SpeechEventType.INTERIM_TRANSCRIPT in kinds
    assert kinds[-1] is stt.SpeechEventType.END_OF_SPEECH
    texts = [e.alternatives[0].text for e in events if e.type is stt.SpeechEventType.FINAL_TRANSCRIPT]
    assert texts == ["Hello there.", "How are you today?"]


async def test_results_have_the_shape_of_deepgram(simulated: Address) -> None:
    received = await conversation(simulated, sounds.silence(1.0) + UTTERANCE)
    assert [m["type"] for m in received] == ["SpeechStarted", "Results", "Results", "Metadata"]
    interim, final = received[1], received[2]
    assert (interim["is_final"], interim["speech_final"]) == (False, False)
    assert (final["is_final"], final["speech_final"], final["from_finalize"]) == (True, True, False)
    assert final["metadata"]["model_info"]["name"] == "simulated-nova-3"
    assert final["metadata"]["request_id"] == received[-1]["request_id"]
    assert final["start"] == pytest.approx(0.8, abs=0.15)  # a little before the sound
    words = final["channel"]["alternatives"][0]["words"]
    assert [(w["word"], w["punctuated_word"]) for w in words] == [("hello", "Hello"), ("there", "there.")]
    assert final["start"] <= words[0]["start"] < words[-1]["end"] <= final["start"] + final["duration"] + 0.001
    assert received[-1]["duration"] == pytest.approx(3.0)


async def test_options_have_an_effect(simulated: Address) -> None:
    received = await conversation(simulated, UTTERANCE, interim_results="", vad_events="", punctuate="false")
    assert [m["type"] for m in received] == ["Results", "Metadata"]
    assert transcript(received[0]) == "hello there"


async def test_short_pauses_do_not_end_an_utterance(simulated: Address) -> None:
    pcm = sounds.tone(0.5) + sounds.silence(0.15) + sounds.tone(0.5) + sounds.silence(0.5)
    assert finals(await conversation(simulated, pcm, endpointing="25")) == ["Hello there."]


async def test_longer_endpointing_waits_longer(simulated: Address) -> None:
    pcm = sounds.tone(0.5) + sounds.silence(0.5) + sounds.tone(0.5) + sounds.silence(1.5)
    assert len(finals(await conversation(simulated, pcm, endpointing="300"))) == 2
    assert len(finals(await conversation(simulated, pcm, endpointing="1000"))) == 1
    received = await conversation(simulated, pcm, endpointing="false")
    assert len(finals(received)) == 1  # and that only for CloseStream


async def test_speech_without_a_pause_is_finalised_in_segments(simulated: Address) -> None:
    received = await conversation(simulated, sounds.tone(30.0), interim_results="")
    results = [(m["is_final"], m["speech_final"]) for m in received if m["type"] == "Results"]
    assert results == [(True, False), (True, True)]


async def test_silence_and_clicks_give_no_result(simulated: Address) -> None:
    received = await conversation(simulated, sounds.silence(1.0) + sounds.tone(0.03) + sounds.silence(1.0))
    assert [m["type"] for m in received] == ["Metadata"]


@pytest.mark.parametrize("options", [{"sample_rate": "48000"}, {"sample_rate": "8000"}])
async def test_other_sample_rates(simulated: Address, options: dict[str, str]) -> None:
    rate = int(options["sample_rate"])
    pcm = sounds.tone(1.0, rate) + sounds.silence(0.5, rate)
    assert finals(await conversation(simulated, pcm, **options)) == ["Hello there."]


TELEPHONE = sounds.tone(1.0, 8_000) + sounds.silence(0.5, 8_000)


@pytest.mark.parametrize(
    ("encoding", "codec"), [("mulaw", "pcm_mulaw"), ("alaw", "pcm_alaw"), ("linear32", "pcm_f32le")]
)
async def test_other_encodings(simulated: Address, encoding: str, codec: str) -> None:
    audio = sounds.encoded(TELEPHONE, codec, 8_000)
    received = await conversation(simulated, audio, encoding=encoding, sample_rate="8000")
    assert finals(received) == ["Hello there."]
    assert received[-1]["duration"] == pytest.approx(1.5, abs=0.05)


async def test_both_channels_are_mixed(simulated: Address) -> None:
    left = np.frombuffer(sounds.tone(1.0) + sounds.silence(0.5), "<i2")
    stereo = np.stack([left, np.zeros_like(left)], axis=1).tobytes()
    received = await conversation(simulated, stereo, channels="2")
    assert finals(received) == ["Hello there."]
    assert received[-1]["duration"] == pytest.approx(1.5, abs=0.05)


@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_mulaw"])
async def test_wav_needs_no_encoding(simulated: Address, codec: str) -> None:
    audio = sounds.encoded(TELEPHONE, codec, 8_000, container="wav")
    received = await conversation(simulated, audio, encoding="", sample_rate="")
    assert finals(received) == ["Hello there."]
    assert received[-1]["duration"] == pytest.approx(1.5, abs=0.05)


@pytest.mark.parametrize(
    "audio",
    [sounds.encoded(TELEPHONE, "flac", 8_000, container="flac"), b"not audio at all"],
    ids=["another container", "text"],
)
async def test_other_containers_are_refused_as_undecodable(simulated: Address, audio: bytes) -> None:
    async with simulated.listen(encoding="", sample_rate="") as socket:
        await socket.send(audio)
        with pytest.raises(ConnectionClosedError) as caught:
            await socket.recv()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1008
    assert caught.value.rcvd.reason.startswith("DATA-0000: ")


@pytest.mark.parametrize("encoding", ["opus", "flac", "g729", "nonsense"])
async def test_refused_encoding_names_those_that_are_possible(simulated: Address, encoding: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with simulated.listen(encoding=encoding):
            pass
    message = json.loads(caught.value.response.body)["err_msg"]
    assert all(name in message for name in (encoding, "linear16", "mulaw", "WAV"))


@pytest.mark.parametrize(
    ("language", "is_taken"), [("en", True), ("en-GB", True), ("de", False), ("es-419", False), ("multi", False)]
)
async def test_language_is_refused_by_a_model_without_it(language: str, is_taken: bool) -> None:
    config = SimulationConfig.model_validate({"stt": {"*": {"languages": ["en"]}}})
    async with server_inside(simulated_backends(config)) as address:
        if is_taken:
            async with address.listen(language=language) as socket:
                await send_message(socket, "CloseStream")
            return
        with pytest.raises(InvalidStatus) as caught:
            async with address.listen(language=language):
                pass
    assert caught.value.response.status_code == 400
    assert "No such model/language" in json.loads(caught.value.response.body)["err_msg"]


async def test_finalize_is_always_answered(simulated: Address) -> None:
    async with simulated.listen(interim_results="") as socket:
        await send_audio(socket, sounds.tone(0.5))
        await send_message(socket, "Finalize")
        await send_message(socket, "KeepAlive")
        await send_message(socket, "Finalize")
        received = messages(socket)
        assert (await anext(received))["type"] == "SpeechStarted"
        spoken, empty = await anext(received), await anext(received)
    assert (transcript(spoken), spoken["from_finalize"], spoken["speech_final"]) == ("Hello there.", True, True)
    assert (transcript(empty), empty["from_finalize"], empty["speech_final"]) == ("", True, False)


async def test_utterance_end_comes_once_after_the_final(simulated: Address) -> None:
    received = await conversation(simulated, UTTERANCE + sounds.silence(3.0), utterance_end_ms="1000")
    assert [m["type"] for m in received][-3:] == ["Results", "UtteranceEnd", "Metadata"]
    words = received[-3]["channel"]["alternatives"][0]["words"]
    assert received[-2]["last_word_end"] == words[-1]["end"]


@pytest.mark.parametrize(
    ("options", "code"),
    [({"model": "nova-9"}, "Bad Request"), ({"encoding": "opus"}, "Bad Request"), ({"sample_rate": ""}, "Bad Request")],
)
async def test_bad_options_are_refused_at_the_handshake(simulated: Address, options: dict[str, str], code: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with simulated.listen(**options):
            pass
    assert caught.value.response.status_code == 400
    assert json.loads(caught.value.response.body)["err_code"] == code


async def test_key_is_checked_for_the_projects(locked: Address) -> None:
    """The worker checks its key by this request."""
    async with aiohttp.ClientSession() as http:
        for key, status in (("a-key", 200), ("wrong", 401)):
            async with http.get(f"{locked.v1}/projects", headers={"Authorization": f"Token {key}"}) as response:
                assert response.status == status


async def test_wrong_key_is_refused_at_the_handshake(locked: Address) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with locked.listen({"Authorization": "Token wrong"}):
            pass
    assert caught.value.response.status_code == 401
    assert json.loads(caught.value.response.body)["err_code"] == "INVALID_AUTH"
    async with locked.listen({"Authorization": "Token a-key"}) as socket:
        await send_message(socket, "CloseStream")


@pytest.mark.parametrize("message", ["{", "[]", '{"type": "Sing"}', b"\0\0\0"])
async def test_unknown_message_ends_the_connection(simulated: Address, message: str | bytes) -> None:
    async with simulated.listen() as socket:
        await socket.send(message)
        with pytest.raises(ConnectionClosedError) as caught:
            await socket.recv()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1008


async def test_silent_client_is_closed_with_net_0001() -> None:
    backends = simulated_backends(SimulationConfig())
    async with server_inside(backends, client_timeout_s=0.05) as address, address.listen() as socket:
        with pytest.raises(ConnectionClosed) as caught:
            await socket.recv()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1011
    assert "NET-0001" in caught.value.rcvd.reason
