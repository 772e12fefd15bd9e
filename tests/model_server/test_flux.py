"""Deepgram's protocol by turns (Flux), used by LiveKit's plugin and directly."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import aiohttp
import numpy as np
import pytest
from livekit import rtc
from livekit.agents import stt
from livekit.plugins import deepgram
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from model_server.backends import TurnPause
from model_server.simulation import SimulationConfig, simulated_backends
from tests.model_server import sounds
from tests.model_server.servers import Address
from tests.model_server.test_deepgram import send_audio, send_message

SPEECH = sounds.tone(1.0)
SHORT_PAUSE, LONG_PAUSE = sounds.silence(0.25), sounds.silence(0.6)
END = sounds.silence(1.0)


async def conversation(address: Address, pcm: bytes, **options: object) -> list[dict[str, Any]]:
    """Return every message of the server after this audio and a CloseStream."""
    async with address.listen_flux(**options) as socket:
        await send_audio(socket, pcm)
        await send_message(socket, "CloseStream")
        return [json.loads(message) async for message in socket]


def changes(received: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return the events that change a turn, each with its transcript."""
    told = [message for message in received if message["type"] == "TurnInfo" and message["event"] != "Update"]
    return [(message["event"], message["transcript"]) for message in told]


def turn_of(received: list[dict[str, Any]], event: str) -> dict[str, Any]:
    return next(message for message in received if message.get("event") == event)


async def test_turn_starts_is_told_early_to_be_over_and_ends(flux: Address) -> None:
    received = await conversation(flux, SPEECH + LONG_PAUSE + SPEECH + END, eager_eot_threshold=0.5)
    both = "I would like to book, a table for two."
    assert changes(received) == [
        ("StartOfTurn", "I"),
        ("EagerEndOfTurn", "I would like to book,"),
        ("TurnResumed", "I would like to book, a"),
        ("EagerEndOfTurn", both),
        ("EndOfTurn", both),
    ]


async def test_pause_that_is_short_for_the_threshold_is_not_told(flux: Address) -> None:
    received = await conversation(flux, SPEECH + SHORT_PAUSE + SPEECH + END, eager_eot_threshold=0.5)
    assert [event for event, _ in changes(received)] == ["StartOfTurn", "EagerEndOfTurn", "EndOfTurn"]


async def test_without_the_eager_threshold_there_is_only_a_start_and_an_end(flux: Address) -> None:
    received = await conversation(flux, SPEECH + LONG_PAUSE + SPEECH + END)
    assert [event for event, _ in changes(received)] == ["StartOfTurn", "EndOfTurn"]


async def test_messages_have_the_shape_of_deepgram(flux: Address) -> None:
    received = await conversation(flux, sounds.silence(0.5) + SPEECH + LONG_PAUSE + SPEECH + END + SPEECH + END)
    assert received[0]["type"] == "Connected"
    assert [message["sequence_id"] for message in received] == list(range(len(received)))
    assert len({message["request_id"] for message in received}) == 1
    turns = [message for message in received if message["type"] == "TurnInfo"]
    assert [turn["turn_index"] for turn in turns if turn["event"] == "EndOfTurn"] == [0, 1]
    first = turn_of(received, "EndOfTurn")
    assert first["trigger"] == "model"
    assert first["end_of_turn_confidence"] >= 0.7
    assert first["audio_window_start"] == pytest.approx(0.3, abs=0.1)  # a little before the sound
    assert [word["word"] for word in first["words"]] == first["transcript"].split()
    times = [time for word in first["words"] for time in (word["start"], word["end"])]
    assert times == sorted(times)
    assert times[-1] <= first["audio_window_end"]


async def test_turn_is_reported_every_quarter_of_a_second_of_audio(flux: Address) -> None:
    received = await conversation(flux, sounds.tone(2.0) + sounds.silence(2.0))
    ends = [message["audio_window_end"] for message in received if message["type"] == "TurnInfo"]
    gaps = [later - earlier for earlier, later in pairwise(ends)]
    assert max(gaps) < 0.3
    interim = [message["transcript"] for message in received if message.get("event") == "Update"]
    assert interim[0] in interim[1]
    assert interim[-1] == "I would like to book,"


@pytest.mark.parametrize(("timeout_ms", "ends"), [(1000, 1), (3000, 0)])
async def test_pause_inside_a_turn_ends_it_only_by_the_timeout(flux: Address, timeout_ms: int, ends: int) -> None:
    async with flux.listen_flux(eot_timeout_ms=timeout_ms) as socket:
        await send_audio(socket, SPEECH + sounds.silence(2.0))
        await socket.send(json.dumps({"type": "Configure"}))  # is answered after the audio
        received = []
        while not received or received[-1]["type"] != "ConfigureSuccess":
            received.append(json.loads(await socket.recv()))
    assert [event for event, _ in changes(received)].count("EndOfTurn") == ends


@pytest.mark.parametrize(("error_rate", "expected"), [(0.0, 0.6), (1.0, 0.95)])
def test_pause_is_taken_for_the_other_kind_at_the_error_rate(error_rate: float, expected: float) -> None:
    config = SimulationConfig.model_validate({"stt": {"*": {"turn_error_rate": error_rate}}})
    model = simulated_backends(config).stt
    assert model.turn_pause("any", "I would like to book,").level == expected
    assert model.turn_pause("any", "a table for two.").level == pytest.approx(1.55 - expected)


@pytest.mark.parametrize("text", ["Well\u2026", "Well...", "Well, uh -", "Well \u2014", "Well, "])
def test_open_end_of_a_transcript_is_a_pause_inside_the_turn(text: str) -> None:
    model = simulated_backends(SimulationConfig()).stt
    assert model.turn_pause("any", text).level < model.turn_pause("any", "Well.").level


def test_confidence_rises_with_the_silence_and_at_the_pace_of_the_seed() -> None:
    def pauses(seed: int) -> list[TurnPause]:
        config = SimulationConfig.model_validate({"seed": seed, "stt": {"*": {"sigma": 0.5}}})
        model = simulated_backends(config).stt
        return [model.turn_pause("any", "Well.") for _ in range(3)]

    first = pauses(1)
    assert first == pauses(1)
    assert first != pauses(2)
    assert len(set(first)) == 3
    rising = [first[0].confidence(silence_s) for silence_s in (0.0, 0.2, 0.4, 4.0)]
    assert rising == sorted(rising)
    assert rising[0] == 0.0
    assert rising[-1] == pytest.approx(first[0].level, abs=0.05)


@pytest.mark.parametrize("pauses", [1, 2])
async def test_turns_do_not_change_the_latencies_of_transcripts(pauses: int) -> None:
    async def latency(pauses: int) -> list[float]:
        waited: list[float] = []

        async def sleep(seconds: float) -> None:
            waited.append(seconds)

        config = SimulationConfig.model_validate({"stt": {"*": {"final_ms": 100, "sigma": 0.5}}})
        model = simulated_backends(config, sleep).stt
        for _ in range(pauses):
            model.turn_pause("any", "Well.")
        await model.transcribe("any", np.zeros(16_000, np.float32), segment=0, final=True)
        return waited

    assert await latency(pauses) == await latency(0)


async def test_client_can_end_a_turn(flux: Address) -> None:
    async with flux.listen_flux(eot_threshold=1.0) as socket:
        await send_audio(socket, SPEECH + END + SPEECH)
        await send_message(socket, "ForceEndTurn")
        await send_message(socket, "ForceEndTurn")  # without a turn: ignored
        await send_message(socket, "CloseStream")
        received = [json.loads(message) async for message in socket]
    assert changes(received)[-1] == ("EndOfTurn", "I would like to book, a table for two.")
    assert [event for event, _ in changes(received)].count("EndOfTurn") == 1
    assert turn_of(received, "EndOfTurn")["trigger"] == "manual"


async def test_thresholds_change_in_the_call(flux: Address) -> None:
    async with flux.listen_flux(keyterm=["museum", "atlas"]) as socket:
        await socket.recv()
        await socket.send(json.dumps({"type": "Configure", "thresholds": {"eager_eot_threshold": 0.4}}))
        changed = json.loads(await socket.recv())
        await socket.send(json.dumps({"type": "Configure", "thresholds": {"eot_threshold": 0.2}}))
        refused = json.loads(await socket.recv())
        await send_audio(socket, SPEECH + LONG_PAUSE)
        await send_message(socket, "CloseStream")
        received = [json.loads(message) async for message in socket]
    assert changed["type"] == "ConfigureSuccess"
    assert changed["thresholds"] == {"eot_threshold": 0.7, "eager_eot_threshold": 0.4, "eot_timeout_ms": 5000}
    assert changed["keyterms"] == ["museum", "atlas"]
    assert refused["type"] == "ConfigureFailure"
    assert "EagerEndOfTurn" in [event for event, _ in changes(received)]


async def test_multilingual_model_names_the_languages(flux: Address) -> None:
    options = {"model": "flux-general-multi", "language_hint": ["de", "en"]}
    received = await conversation(flux, SPEECH + END, **options)
    ended = turn_of(received, "EndOfTurn")
    assert (ended["languages"], ended["languages_hinted"]) == (["de"], ["de", "en"])


async def test_silence_and_clicks_are_no_turn(flux: Address) -> None:
    received = await conversation(flux, sounds.silence(1.0) + sounds.tone(0.03) + sounds.silence(1.0))
    assert [message["type"] for message in received] == ["Connected"]


@pytest.mark.parametrize(
    "options",
    [
        {"model": "nova-3"},
        {"eot_threshold": "0.2"},
        {"eager_eot_threshold": "0.8", "eot_threshold": "0.7"},
        {"eot_timeout_ms": "20"},
        {"encoding": "opus"},
        {"sample_rate": ""},
    ],
)
async def test_bad_options_are_refused_at_the_handshake(flux: Address, options: dict[str, str]) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with flux.listen_flux(**options):
            pass
    assert caught.value.response.status_code == 400
    assert json.loads(caught.value.response.body)["err_code"] == "Bad Request"


async def test_flux_is_refused_by_the_first_version(flux: Address) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with flux.listen(model="flux-general-en"):
            pass
    assert "No such model" in json.loads(caught.value.response.body)["err_msg"]


@pytest.mark.parametrize("message", ["{", "[]", '{"type": "Finalize"}', '{"type": 5}'])
async def test_unknown_message_gets_an_error_and_ends_the_connection(flux: Address, message: str) -> None:
    async with flux.listen_flux() as socket:
        await socket.recv()
        await socket.send(message)
        error = json.loads(await socket.recv())
        with pytest.raises(ConnectionClosedError):
            await socket.recv()
    assert (error["type"], error["code"], error["sequence_id"]) == ("Error", "UNPARSABLE_CLIENT_MESSAGE", 1)


async def test_livekit_plugin_gets_a_preflight_and_a_final_transcript(flux: Address) -> None:
    async with aiohttp.ClientSession() as session:
        plugin = deepgram.STTv2(
            base_url=f"{flux.url}/v2/listen", api_key="any", eager_eot_threshold=0.5, http_session=session
        )
        events = []
        async with plugin.stream() as stream:
            pcm = SPEECH + LONG_PAUSE + SPEECH + END
            stream.push_frame(rtc.AudioFrame(pcm, 16_000, 1, len(pcm) // 2))
            async for event in stream:
                events.append(event)
                if event.type is stt.SpeechEventType.END_OF_SPEECH:
                    break
    texts = [(event.type, event.alternatives[0].text) for event in events if event.alternatives]
    kinds = [event.type for event in events if event.type is not stt.SpeechEventType.RECOGNITION_USAGE]
    both = "I would like to book, a table for two."
    assert kinds[0] is stt.SpeechEventType.START_OF_SPEECH
    assert kinds[-2:] == [stt.SpeechEventType.FINAL_TRANSCRIPT, stt.SpeechEventType.END_OF_SPEECH]
    preflight = [text for kind, text in texts if kind is stt.SpeechEventType.PREFLIGHT_TRANSCRIPT]
    assert preflight == ["I would like to book,", both]
    assert (stt.SpeechEventType.INTERIM_TRANSCRIPT, "I would like to book, a") in texts
    assert texts[-1] == (stt.SpeechEventType.FINAL_TRANSCRIPT, both)
