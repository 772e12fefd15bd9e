"""The end of the caller's turn: when the detector decides, and what livekit-agents makes of it."""

from __future__ import annotations

import asyncio
import math
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from livekit import rtc
from livekit.agents import AgentSession, inference, vad

from agent_worker.core.compat.livekit import is_streaming_detector, is_streaming_detector_stream
from agent_worker.core.settings import (
    BadSettingsError,
    CloudSettings,
    SelfHostedSettings,
    Settings,
    TurnDetectorName,
    load,
)
from agent_worker.testing import ManualAudioOutput, ScriptedLLM, ScriptedSTT, ScriptedTTS, ScriptedVAD, SilentMicrophone
from agent_worker.turn_taking import endpointing, smart_turn
from agent_worker.turn_taking.completeness import completeness
from agent_worker.turn_taking.end_of_turn import EndOfTurnDetector, EndOfTurnStream, FusedPolicy, ThresholdPolicy
from agent_worker.turn_taking.fusion import Evidence, Fusion
from agent_worker.turn_taking.turn_text import TurnText
from tests.agent_worker.museum import museum_agent
from tests.waiting import settle, until

LIVEKIT = {"livekit_url": "ws://localhost:7880", "livekit_api_key": "devkey", "livekit_api_secret": "secret"}
CLOUD = {"groq_api_key": "a", "deepgram_api_key": "b", "openai_api_key": "c"}
CUT_COST_S = 1.0
FUSION = Fusion.load(with_smart_turn=True)


def wait_s(fusion: Fusion = FUSION, **known: Any) -> float:
    """Return the silence after which the fusion ends the turn."""
    fields: dict[str, Any] = {"mini": 0.5, "smart": 0.5, "completeness": 0.5, "text": "a few words"}
    evidence = Evidence(**{**fields, **known})
    return next(at / 100 for at in range(25, 1000) if fusion.is_end(evidence, at / 100, CUT_COST_S))


@pytest.mark.parametrize(
    ("sooner", "later"),
    [
        ({"mini": 0.9}, {"mini": 0.1}),
        ({"smart": 0.97}, {"smart": 0.02}),
        ({"completeness": 0.9}, {"completeness": 0.03}),
        ({"text": "When does it open?"}, {"text": "When does it open"}),
        ({"text": "it is the red one"}, {"text": "it is the red one and..."}),
        ({"text": "it is the red one"}, {"text": "it is the red one,"}),
    ],
)
def test_evidence_of_the_end_shortens_the_wait(sooner: dict[str, Any], later: dict[str, Any]) -> None:
    assert wait_s(**sooner) < wait_s(**later)


def test_the_wait_is_continuous_in_the_evidence() -> None:
    waits = [wait_s(mini=probability / 50, completeness=0.2) for probability in range(1, 50)]
    assert waits == sorted(waits, reverse=True)
    assert len(set(waits)) > 10


@pytest.mark.parametrize("with_smart_turn", [True, False])
def test_unknown_evidence_is_allowed(with_smart_turn: bool) -> None:
    fusion = Fusion.load(with_smart_turn=with_smart_turn)
    assert 0.2 < wait_s(fusion, mini=None, smart=None, completeness=None, text="") < 5


@pytest.mark.parametrize(
    ("whole", "part", "question"),
    [
        ("what time does the museum open", "what time does the", ""),
        ("I want to book a flight to Boston", "I want to book a flight to", ""),
        ("can you tell me the price", "can you tell me", "How can I help you?"),
        ("four one five five five five oh one two three", "four one five", "What's your phone number?"),
        ("it's john dot smith at example dot com", "it's john dot smith", "What's your email address?"),
        ("S M I T H", "S M", "Can you spell your name?"),
        ("ich möchte einen Termin am Montag", "ich möchte einen", ""),
        ("je voudrais une table pour deux", "je voudrais une", ""),
    ],
)
def test_a_beginning_is_less_complete_than_the_whole(whole: str, part: str, question: str) -> None:
    assert completeness(part, question) < 0.35
    assert completeness(part, question) < completeness(whole, question)


def test_no_words_are_neither_complete_nor_incomplete() -> None:
    assert completeness("", None) == completeness("...", "Who?") == 0.5


class Clock:
    """A clock that moves when somebody sleeps on it.

    Args:
        models_are_quick_for_s: For so long, it does not move until the models at work have answered.
    """

    def __init__(self, *, models_are_quick_for_s: float = math.inf) -> None:
        self.now_s = 100.0
        self.models_are_quick_until_s = self.now_s + models_are_quick_for_s

    def now(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        await asyncio.sleep(0)
        models = [task for task in asyncio.all_tasks() if task.get_name() in ("end_of_turn_mini", "end_of_turn_smart")]
        if models and self.now_s < self.models_are_quick_until_s:
            await asyncio.wait(models)


def detector(clock: Clock, *, mini: float, smart: float = 0.5, **options: Any) -> EndOfTurnDetector:
    policy = FusedPolicy(FUSION, CUT_COST_S, min_delay_s=0.25, max_delay_s=1.8)
    found = EndOfTurnDetector(
        policy, mini=lambda _: mini, smart=lambda _: smart, now=clock.now, sleep=clock.sleep, **options
    )
    return found


async def decided_after_s(mini: float, smart: float = 0.5, **options: Any) -> float:
    clock = Clock()
    stream = detector(clock, mini=mini, smart=smart, **options).stream()
    began = clock.now_s - 0.256
    await stream.predict()
    await stream.aclose()
    return clock.now_s - began


async def test_the_decision_comes_sooner_when_the_models_are_sure() -> None:
    assert await decided_after_s(0.95, 0.98) < await decided_after_s(0.5, 0.6) < await decided_after_s(0.05, 0.02)


async def test_no_turn_waits_longer_than_the_maximum() -> None:
    assert 1.79 <= await decided_after_s(0.0, 0.0) <= 1.9


@pytest.mark.parametrize(("probability", "is_end"), [(0.98, True), (0.9, True), (0.0, False)])
async def test_end_is_expected_by_the_evidence_and_not_because_the_wait_is_over(
    probability: float, is_end: bool
) -> None:
    found = detector(Clock(), mini=probability, smart=probability)
    stream = found.stream()
    await stream.predict()
    assert found.expects_end is is_end
    stream.cancel_inference()  # the caller speaks
    assert not found.expects_end


async def test_models_that_fail_leave_the_decision_to_the_silence() -> None:
    clock = Clock()

    def broken(_: Any) -> float:
        raise RuntimeError

    policy = FusedPolicy(FUSION, CUT_COST_S, 0.25, 1.8)
    stream = EndOfTurnDetector(policy, mini=broken, smart=broken, now=clock.now, sleep=clock.sleep).stream()
    assert (await stream.predict()).end_of_turn_probability == 0.0


async def test_smart_turn_alone_has_two_waits() -> None:
    for probability, wait in ((0.6, 0.3), (0.4, 1.0)):
        clock = Clock()
        policy = ThresholdPolicy(0.5, 0.3, 1.0)
        answers: Any = {"smart": lambda _, answer=probability: answer}
        detector = EndOfTurnDetector(policy, **answers, waits_for_text=False, now=clock.now, sleep=clock.sleep)
        stream = detector.stream()
        began = clock.now_s - 0.256
        await stream.predict()
        assert wait <= clock.now_s - began < wait + 0.1


def voice_event(silence_s: float, *, probability: float = 0.0, speaking: bool = True) -> vad.VADEvent:
    """Return the event of a window of 32 ms behind so much silence."""
    return vad.VADEvent(
        type=vad.VADEventType.INFERENCE_DONE,
        samples_index=0,
        timestamp=0.0,
        speech_duration=1.0,
        silence_duration=silence_s,
        probability=probability,
        speaking=speaking,
        raw_accumulated_silence=silence_s,
    )


class CountedModel:
    """Answers with the same probability, and counts how often it was asked."""

    def __init__(self, answer: float) -> None:
        self.answer = answer
        self.heard_samples: list[int] = []

    def __call__(self, samples: Any) -> float:
        self.heard_samples.append(len(samples))
        return self.answer


def push_seconds(stream: EndOfTurnStream, seconds: float) -> None:
    for _ in range(round(seconds / 0.02)):
        stream.push_audio(rtc.AudioFrame(np.zeros(320, np.int16).tobytes(), 16_000, 1, 320))


async def test_models_are_asked_before_their_answers_are_needed_and_hear_the_silence_to_come() -> None:
    model = CountedModel(0.99)
    found = detector(Clock(), mini=0.99)
    found.smart = model
    stream = found.stream()
    push_seconds(stream, 1.0)
    for windows in range(8):
        found.on_voice_activity(voice_event(windows * 0.032))
    await until(lambda: len(model.heard_samples) == 1)
    assert model.heard_samples[0] == 16_000 + round(0.128 * 16_000)
    await stream.predict()
    assert len(model.heard_samples) == 1


@pytest.mark.parametrize("resumed", [voice_event(0.0, probability=0.9), voice_event(0.0, probability=0.4)])
async def test_voice_makes_early_answers_worthless(resumed: vad.VADEvent) -> None:
    model = CountedModel(0.99)
    found = detector(Clock(), mini=0.99)
    found.smart = model
    stream = found.stream()
    push_seconds(stream, 1.0)
    found.on_voice_activity(voice_event(0.096))
    await until(lambda: len(model.heard_samples) == 1)
    found.on_voice_activity(resumed)
    push_seconds(stream, 1.0)
    await stream.predict()
    assert model.heard_samples[1:] == [2 * 16_000]


@pytest.mark.parametrize(
    "event",
    [
        voice_event(0.064),  # too short
        voice_event(0.096, probability=0.8),  # the caller goes on in this window
        voice_event(0.192, speaking=False),  # nobody has spoken
    ],
)
async def test_models_are_not_asked_without_a_silence_after_speech(event: vad.VADEvent) -> None:
    model = CountedModel(0.5)
    found = detector(Clock(), mini=0.5)
    found.smart = model
    stream = found.stream()
    found.on_voice_activity(event)
    await stream.aclose()
    assert not model.heard_samples


async def test_model_that_is_at_work_again_does_not_keep_the_decision_waiting() -> None:
    clock, release = Clock(models_are_quick_for_s=0.3), threading.Event()
    asked: list[float] = []

    def smart(_: Any) -> float:
        asked.append(clock.now_s)
        if len(asked) > 1:
            release.wait()
        return 0.02

    policy = FusedPolicy(FUSION, CUT_COST_S, min_delay_s=0.25, max_delay_s=1.8)
    stream = EndOfTurnDetector(policy, mini=lambda _: 0.02, smart=smart, now=clock.now, sleep=clock.sleep).stream()
    began = clock.now_s - 0.256
    try:
        await stream.predict()
        await until(lambda: len(asked) == 2)
        assert 1.79 <= clock.now_s - began <= 1.9
    finally:
        release.set()
        await stream.aclose()


@pytest.mark.parametrize(("mini", "is_waited_for"), [(0.99, False), (0.05, True)])
async def test_slow_smart_turn_is_waited_for_only_where_the_rest_leaves_doubt(mini: float, is_waited_for: bool) -> None:
    clock, release = Clock(models_are_quick_for_s=0.0), threading.Event()
    policy = FusedPolicy(FUSION, CUT_COST_S, 0.25, 1.8, without_smart=Fusion.load(with_smart_turn=False))
    text = TurnText()
    text._finals = ["When do you open?"]
    models: dict[str, Any] = {"mini": lambda _: mini, "smart": lambda _: release.wait() and 0.99}
    stream = EndOfTurnDetector(policy, **models, text=text, now=clock.now, sleep=clock.sleep).stream()
    began = clock.now_s - 0.256
    try:
        await stream.predict()
        assert (clock.now_s - began > 0.5) is is_waited_for
    finally:
        release.set()
        await stream.aclose()


async def test_call_ends_while_a_model_is_at_work() -> None:
    at_work, release = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def stuck(_: Any) -> float:
        loop.call_soon_threadsafe(at_work.set)
        release.wait()
        return 0.5

    found = detector(Clock(), mini=0.5)
    found.smart = stuck
    stream = found.stream()
    found.on_voice_activity(voice_event(0.096))
    await at_work.wait()
    closing = asyncio.create_task(stream.aclose())
    try:
        await until(closing.done)
    finally:
        release.set()
        await closing


async def test_closed_stream_does_not_ask_the_models() -> None:
    model = CountedModel(0.5)
    found = detector(Clock(), mini=0.5)
    found.smart = model
    stream = found.stream()
    await stream.aclose()
    found.on_voice_activity(voice_event(0.096))  # another agent of the call has a detector of its own
    await stream.aclose()
    assert not model.heard_samples


async def test_new_speech_cancels_the_decision() -> None:
    clock = Clock()
    blocked = asyncio.Event()

    async def sleep(_: float) -> None:
        await blocked.wait()

    found = detector(clock, mini=0.05, smart=0.02)
    found.sleep = sleep
    stream = found.stream()
    first = stream.predict()
    await asyncio.sleep(0)
    stream.cancel_inference()
    assert (await first).end_of_turn_probability == 0.0
    second = stream.predict()
    assert not second.done()
    await stream.aclose()
    assert second.done()


async def test_models_hear_the_turn_and_not_what_was_before_it() -> None:
    clock, heard = Clock(), []
    found = detector(clock, mini=0.9)
    found.smart = lambda samples: heard.append(len(samples)) or 0.9  # type: ignore[func-returns-value]
    stream = found.stream()
    silence = np.zeros(320, np.int16).tobytes()
    for _ in range(300):  # 6 s
        stream.push_audio(rtc.AudioFrame(silence, 16_000, 1, 320))
    found.text.started_at = clock.now_s - 2.0
    await stream.predict()
    await until(lambda: bool(heard))
    assert heard[0] == 2.5 * 16_000
    stream.flush("turn committed")
    heard.clear()
    await stream.predict()
    await until(lambda: bool(heard))
    assert max(heard) <= 1


def test_both_have_the_shape_that_livekit_expects() -> None:
    found = EndOfTurnDetector(ThresholdPolicy(0.5, 0.3, 1.0))
    assert is_streaming_detector(found)
    assert is_streaming_detector_stream(EndOfTurnStream(found))


class TurnVAD(ScriptedVAD):
    """Reports silence as the real one does, so that livekit-agents asks the detector."""

    min_silence_duration = 0.25

    def fall_silent(self) -> None:
        done = vad.VADEvent(
            type=vad.VADEventType.INFERENCE_DONE,
            samples_index=0,
            timestamp=0.0,
            speech_duration=1.0,
            silence_duration=0.0,
            raw_accumulated_silence=0.224,
        )
        self.events.put_nowait(done)
        self.end_speech(silence_s=0.256)


async def test_livekit_ends_the_turn_when_the_detector_decides_and_not_before() -> None:
    release = asyncio.Event()

    async def sleep(_: float) -> None:
        await release.wait()

    clock = Clock()
    found = detector(clock, mini=0.05, smart=0.02)
    found.sleep = sleep
    ears, voice_activity, main = ScriptedSTT(), TurnVAD(), ScriptedLLM("Nine.")
    handling: Any = {
        "turn_detection": found,
        "endpointing": {"min_delay": 0.0, "max_delay": 0.0},
        "preemptive_generation": {"enabled": False},
    }
    session = AgentSession[Any](stt=ears, llm=main, tts=ScriptedTTS(), vad=voice_activity, turn_handling=handling)
    found.text.attach(session)
    async with session:
        session.output.audio = ManualAudioOutput(automatic=True)
        session.input.audio = SilentMicrophone()
        await session.start(museum_agent(strategy="off"))
        voice_activity.start_speech()
        await until(lambda: session.user_state == "speaking")
        ears.final("I would like to know")
        await until(lambda: found.text.words == "I would like to know")
        assert found.text.is_settled
        voice_activity.fall_silent()
        await until(lambda: session.user_state == "listening")
        await settle()
        assert not main.requests
        clock.now_s += 2.0
        release.set()
        await until(lambda: len(main.requests) == 1)
        await until(lambda: found.text.words == "")


async def test_a_decision_waits_for_the_words_of_the_latest_speech() -> None:
    clock = Clock()
    found = detector(clock, mini=0.99, smart=0.99)
    found.text._is_current = False
    began = clock.now_s - 0.256
    await found.stream().predict()
    assert 1.0 <= clock.now_s - began < 1.1


def settings(name: TurnDetectorName, **options: Any) -> Settings:
    return load(Settings, {**LIVEKIT, "turn_detector": name, **options})


def test_livekit_mini_is_v1_mini_with_its_own_threshold() -> None:
    found = endpointing.turn_detection(settings("livekit-mini"))
    assert isinstance(found, inference.TurnDetector)
    assert found.model == "turn-detector-v1-mini"
    assert endpointing.turn_handling(settings("livekit-mini"), found)["endpointing"] == {
        "min_delay": 0.25,
        "max_delay": 1.8,
    }


def test_stt_leaves_the_decision_to_the_recogniser() -> None:
    assert endpointing.turn_detection(settings("stt")) == "stt"


def test_fused_works_without_the_weights_of_smart_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_WORKER_CACHE", str(tmp_path))
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    deciders = str(endpointing.check_turn_detector(settings("fused")))
    assert deciders.startswith("v1-mini, the words and the silence (without smart-turn: cannot read ")
    assert smart_turn.REMEDY in deciders
    found = endpointing.turn_detection(settings("fused"))
    assert isinstance(found, EndOfTurnDetector)
    assert found.smart is None
    assert found.mini is not None
    assert found.model == "fused-without-smart-turn"


def test_weights_of_the_image_are_used_unless_the_cache_has_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_WORKER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("sys.prefix", str(tmp_path / "venv"))
    in_cache = smart_turn.weights_path()
    assert in_cache.is_relative_to(tmp_path / "cache")
    in_image = tmp_path / "venv" / "share" / "agent-worker" / in_cache.name
    for path in (in_image, in_cache):
        path.parent.mkdir(parents=True)
        path.touch()
        assert smart_turn.weights_path() == path


@pytest.mark.parametrize("name", ["smart-turn", "fused"])
def test_missing_or_wrong_weights_are_refused_at_start(name: TurnDetectorName, tmp_path: Path) -> None:
    with pytest.raises(BadSettingsError, match=r"scripts/get smart-turn"):
        endpointing.check_turn_detector(settings(name, smart_turn_path=tmp_path / "none.onnx"))
    (tmp_path / "wrong.onnx").write_bytes(b"weights")
    with pytest.raises(BadSettingsError, match=r"is not smart-turn-v3\.2"):
        endpointing.check_turn_detector(settings(name, smart_turn_path=tmp_path / "wrong.onnx"))


@pytest.mark.parametrize(
    ("kind", "given", "problem"),
    [
        (Settings, {"turn_detector": "fusion"}, "TURN_DETECTOR"),
        (Settings, {"turn_detector": "fused", "endpointing_threshold": 0.5}, "ENDPOINTING_CUT_COST"),
        (Settings, {"turn_detector": "livekit-cloud"}, "LIVEKIT_URL"),
        (Settings, {"endpointing_min_delay": 2.0}, "ENDPOINTING_MIN_DELAY"),
        (SelfHostedSettings, {"turn_detector": "stt"}, "Deepgram Flux"),
        (CloudSettings, {**CLOUD, "turn_detector": "stt"}, "DEEPGRAM_MODEL"),
    ],
)
def test_impossible_settings_are_refused(kind: type[Settings], given: dict[str, Any], problem: str) -> None:
    with pytest.raises(BadSettingsError, match=problem):
        load(kind, {**LIVEKIT, **given})


def test_possible_settings_are_accepted() -> None:
    load(CloudSettings, {**LIVEKIT, **CLOUD, "turn_detector": "stt", "deepgram_model": "flux-general-en"})
    load(Settings, {**LIVEKIT, "livekit_url": "wss://example.livekit.cloud", "turn_detector": "livekit-cloud"})


def test_the_spectrogram_has_whispers_shape_and_a_short_turn_is_padded_in_front() -> None:
    tone = (8000 * np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000)).astype(np.int16)
    spectrogram = smart_turn.log_mel(tone)
    assert spectrogram.shape == (80, 800)
    assert spectrogram[:, 100].max() < spectrogram[:, 750].max()
    assert abs(int(spectrogram[:, 750].argmax()) - 26) <= 1  # 1 kHz is 15 mel of 45 in 81 steps
