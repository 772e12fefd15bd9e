"""Sounds over the agent's answers: what is heard around them, and what the recogniser delivers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from benchmarks.harness.clips import UTTERANCES
from benchmarks.harness.simulation import LONG_ANSWER_HZ, PRERESPONSE_HZ, Latencies, simulation
from benchmarks.latency.interruptions import Interruption, OverSound, heard_of, scripts
from benchmarks.latency.interruptions_summary import interruptions_section, summarize_interruptions
from benchmarks.latency.phone import with_loss
from benchmarks.latency.summary import DEFAULT_SYSTEM
from benchmarks.turn_taking.caller_sounds import BACKCHANNEL, COUGH, INTERRUPTION
from caller.audio import SAMPLE_RATE
from model_server.simulation import SimulatedLLM, SimulationConfig
from tests.benchmarks.test_latency_tones import frames, silence, tone

ALPHA, BRAVO = LONG_ANSWER_HZ["alpha"], LONG_ANSWER_HZ["bravo"]


def sound(kind: str = BACKCHANNEL, script: Any = None, seconds: float = 0.5) -> OverSound:
    return OverSound(kind, "sound.wav", "clip.wav", 0.1, seconds, script)


def heard(*parts: Any, at: float = 12.0, kind: str = BACKCHANNEL) -> Interruption:
    found = heard_of(sound(kind), frames(*parts), at)
    assert found is not None
    return found


def test_answer_that_pauses_and_goes_on_is_held() -> None:
    found = heard(tone(ALPHA, 2.4), silence(1.0), tone(ALPHA, 1.0), silence(0.2))
    assert found.silent_at() == pytest.approx(0.4, abs=0.02)
    assert found.goes_on()
    assert found.held_s() == pytest.approx(1.0, abs=0.03)


def test_other_answer_does_not_go_on() -> None:
    found = heard(tone(ALPHA, 2.4), silence(1.0), tone(BRAVO, 1.0), silence(0.2))
    assert not found.goes_on()
    assert not heard(tone(ALPHA, 2.4), silence(1.0), tone(PRERESPONSE_HZ, 1.0), silence(0.2)).goes_on()


def test_answer_that_stops_for_good_does_not_go_on() -> None:
    found = heard(tone(ALPHA, 2.3), silence(2.0))
    assert found.silent_at() == pytest.approx(0.3, abs=0.02)
    assert not found.goes_on()


def test_answer_that_is_not_touched_is_not_held() -> None:
    found = heard(tone(PRERESPONSE_HZ, 1.0), silence(0.1), tone(ALPHA, 4.0), silence(0.3))
    assert found.goes_on()
    assert found.held_s() == 0.0
    assert found.silent_at() == pytest.approx(3.1, abs=0.02)


def test_sound_before_which_no_answer_was_heard_is_not_judged() -> None:
    assert heard_of(sound(), frames(silence(3.0), tone(ALPHA, 1.0)), 12.0) is None
    assert heard_of(sound(), frames(tone(PRERESPONSE_HZ, 3.0), silence(1.0)), 12.0) is None


def test_recogniser_delivers_the_question_and_then_the_sound_that_it_hears() -> None:
    okay = {"words": [{"text": "Okay.", "start": 0, "end": 0.3}], "seconds": 0.4}
    delivered = scripts([sound(script=okay), sound(COUGH), sound(script=okay)])
    texts = [words["text"] for utterance in delivered for words in utterance["words"]]
    assert texts == [UTTERANCES[0], "Okay.", UTTERANCES[1], UTTERANCES[2], "Okay."]


def row(system: str, kind: str, heard: Sequence[tuple[float, float, bool]]) -> dict[str, Any]:
    found = asdict(Interruption(kind, 0.5, heard))
    return {"profile": "interruptions", "system": system, "said": "sound.wav", "round": 0, "interruption": found}


def test_summary_counts_yields_and_what_goes_on() -> None:
    rows = [
        row("stock", INTERRUPTION, [(-1.0, 0.6, True), (2.5, 4.0, False)]),
        row("stock", INTERRUPTION, [(-1.0, 3.0, True)]),
        row("stock", BACKCHANNEL, [(-1.0, 0.4, True), (1.4, 4.0, True)]),
        row("stock", COUGH, [(-1.0, 4.0, True)]),
        {"profile": "interruptions", "system": "stock", "said": "x", "round": 0, "failure": "no answer"},
        row(DEFAULT_SYSTEM, COUGH, [(-1.0, 4.0, True)]),
    ]
    ours, stock = summarize_interruptions(rows)
    assert (ours.system, stock.system) == (DEFAULT_SYSTEM, "stock")
    assert (stock.yields.count, stock.yields.of, stock.failures) == (1, 2, 1)
    assert stock.latency is not None
    assert stock.latency.p50 == pytest.approx(0.6)
    assert (stock.backchannels.unmoved.count, stock.backchannels.goes_on.count) == (0, 1)
    assert stock.backchannels.held is not None
    assert stock.backchannels.held.p50 == pytest.approx(1.0)
    assert (stock.coughs.unmoved.count, stock.coughs.goes_on.count) == (1, 1)
    assert "| stock | 2 | 50% [9%, 91%] | 600 | 600 | 1 | 0 |" in interruptions_section(rows)
    assert interruptions_section([]) == ""


def test_long_answers_have_a_tone_of_their_own_each() -> None:
    config = SimulationConfig.model_validate(simulation(Latencies(), 1, long_answers=True))
    voice, model = config.tts["*"], config.llm["backend"]
    tones = [{voice.tone(part) for part in reply.removeprefix(">> ").split(". ")} for reply in model.replies]
    assert tones == [{hertz} for hertz in LONG_ANSWER_HZ.values()]


def test_frontend_repeats_what_the_backend_says() -> None:
    frontend = SimulatedLLM(replies=["One moment."], relays="Backend: ")
    assert frontend.reply(0, "Backend: At nine.\n\n(Relay this.)") == "At nine."
    assert frontend.reply(0, "Backend (working): look_up()") == "One moment."


def test_lost_packets_are_concealed_and_the_same_for_all() -> None:
    pcm = (3000 * np.sin(np.arange(SAMPLE_RATE) / 20)).astype(np.int16)
    lossy = with_loss(pcm, 0.1, "clip")
    packets = (pcm != lossy).reshape(-1, SAMPLE_RATE // 50).any(axis=1)
    assert 0 < packets.sum() < 15
    assert (with_loss(pcm, 0.1, "clip") == lossy).all()
    assert (with_loss(pcm, 0.0, "clip") == pcm).all()
