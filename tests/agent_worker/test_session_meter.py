"""What an event, a session and a turn add to the metrics."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import (
    AgentSession,
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    ChatMessage,
    ConversationItemAddedEvent,
    llm,
    metrics,
    utils,
)
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from agent_metrics.collector import FolderCollector
from agent_worker.audio.tts_stream import VoiceSilentError
from agent_worker.preresponse.agent import PreResponseAgent
from agent_worker.preresponse.answer import Answer
from agent_worker.preresponse.fast_reply import FastReply, request
from agent_worker.preresponse.first_word import Candidate, FirstWord
from agent_worker.providers.stack import ProviderNames, VoiceStack
from agent_worker.telemetry.metrics import ERROR_REASONS
from agent_worker.telemetry.pricing import LLMPrice, Prices, PriceTable, STTPrice, TTSPrice
from agent_worker.telemetry.record import Playout, SpeechTimestamps, TurnRecord, Usage, turn_record
from agent_worker.telemetry.session_meter import SessionMeter, count_turn
from agent_worker.telemetry.trace import TurnTrace
from agent_worker.telemetry.unreported_usage import UnreportedUsage
from agent_worker.telemetry.usage_meter import UsageMeter
from agent_worker.testing import ScriptedLLM, ScriptedSTT, ScriptedTTS
from agent_worker.turn_taking.transcript_timeout import TranscriptTimeoutError
from tests.agent_worker.museum import museum_agent

LAST_TURN = {
    "livekit_llm_duration_ms",
    "livekit_stt_duration_ms",
    "livekit_tts_duration_ms",
    "livekit_eou_delay_ms",
    "livekit_total_conversation_latency_ms",
}
SUMS = {
    "livekit_llm_tokens_total",
    "livekit_stt_duration_seconds_total",
    "livekit_tts_chars_total",
    "livekit_total_tokens_total",
    "livekit_conversation_turns_total",
    "livekit_active_conversations",
    "livekit_llm_cost_total",
    "livekit_stt_cost_total",
    "livekit_tts_cost_total",
}
HOSTILE = ('"', "\n", "{}", "\\", "a" * 10_000, "🦊", "'; DROP TABLE", "\x00", "}\n# HELP", "é")


def write_as_worker(folder: Path, code: str) -> None:
    """Run code in a process of its own that writes metrics as a worker's job does."""
    folder.mkdir(parents=True)
    env = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    subprocess.run([sys.executable, "-c", f"from agent_worker.telemetry import metrics\n{code}"], env=env, check=True)


def scrape(folder: Path) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(FolderCollector(folder))
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {
        sample.name + json.dumps(sample.labels, sort_keys=True): sample.value
        for family in families
        for sample in family.samples
    }


def test_sums_exist_before_the_first_call_and_gauges_of_the_last_turn_do_not(tmp_path: Path) -> None:
    write_as_worker(tmp_path / "worker-1", "")
    names = {name.split("{")[0] for name in scrape(tmp_path)}
    assert names >= SUMS
    assert not names & LAST_TURN


def test_workers_add_up_and_the_newest_latency_wins(tmp_path: Path) -> None:
    write_as_worker(
        tmp_path / "worker-1",
        "metrics.TURNS.inc(); metrics.LLM_COST.inc(1); metrics.LAST_END_OF_TURN_DELAY_MS.set(500)",
    )
    write_as_worker(
        tmp_path / "worker-2",
        "metrics.TURNS.inc(); metrics.LLM_COST.inc(2); metrics.LAST_END_OF_TURN_DELAY_MS.set(400)",
    )
    values = scrape(tmp_path)
    assert values["livekit_conversation_turns_total{}"] == 2
    assert values["livekit_llm_cost_total{}"] == 3
    assert values["livekit_eou_delay_ms{}"] == 400


class Changes:
    """What the metrics of this process have gained since this was made."""

    def __init__(self) -> None:
        self._before = dict(_samples())

    def __call__(self, name: str, **labels: str) -> float:
        key = (name, tuple(sorted(labels.items())))
        return dict(_samples()).get(key, 0.0) - self._before.get(key, 0.0)


def _samples() -> Iterator[tuple[tuple[str, tuple[tuple[str, str], ...]], float]]:
    for family in REGISTRY.collect():
        if family.name.startswith("livekit_"):
            for sample in family.samples:
                yield (sample.name, tuple(sorted(sample.labels.items()))), sample.value


def a_stack() -> VoiceStack:
    vad: Any = rtc.EventEmitter[Any]()
    return VoiceStack(
        stt=ScriptedSTT(),
        fast_llm=ScriptedLLM(),
        main_llm=ScriptedLLM(),
        tts=ScriptedTTS(),
        vad=vad,
        voice="voice",
        provider_names=ProviderNames(stt="deepgram", llm="groq", tts="openai"),
    )


@pytest.fixture
def stack() -> VoiceStack:
    return a_stack()


@pytest.fixture
def meter(stack: VoiceStack) -> SessionMeter:
    return SessionMeter(stack, Prices.load())


def llm_event(**fields: Any) -> metrics.LLMMetrics:
    standard = {
        "label": "",
        "request_id": "1",
        "timestamp": 0.0,
        "duration": 0.8,
        "ttft": 0.2,
        "cancelled": False,
        "completion_tokens": 100,
        "prompt_tokens": 1000,
        "prompt_cached_tokens": 0,
        "total_tokens": 1100,
        "tokens_per_second": 100.0,
    }
    return metrics.LLMMetrics(**{**standard, **fields})


def stt_event(**fields: Any) -> metrics.STTMetrics:
    return metrics.STTMetrics(
        **{"label": "", "request_id": "1", "timestamp": 0.0, "duration": 0.0, "streamed": True, **fields}
    )


def tts_event(**fields: Any) -> metrics.TTSMetrics:
    times = {"timestamp": 0.0, "duration": 0.5, "ttfb": 0.3, "audio_duration": 1.0}
    return metrics.TTSMetrics(
        **{"label": "", "request_id": "1", "cancelled": False, "streamed": True, **times, **fields}
    )


def test_both_models_are_counted_together_and_separately(stack: VoiceStack, meter: SessionMeter) -> None:
    gained = Changes()
    stack.main_llm.emit("metrics_collected", llm_event())
    stack.fast_llm.emit("metrics_collected", llm_event(ttft=0.1))
    assert gained("livekit_llm_tokens_total", type="prompt") == 2000
    assert gained("livekit_llm_tokens_total", type="completion") == 200
    assert gained("livekit_total_tokens_total") == 2200
    assert gained("livekit_llm_cost_total") == pytest.approx(0.026)
    model = {"provider": "groq", "model": "unknown"}
    assert gained("livekit_cost_usd_total", component="llm", **model) == pytest.approx(0.026)
    assert gained("livekit_model_tokens_total", role="fast", type="prompt", **model) == 1000
    assert gained("livekit_llm_ttft_seconds_sum", role="fast", **model) == pytest.approx(0.1)
    assert gained("livekit_llm_ttft_seconds_sum", role="main", **model) == pytest.approx(0.2)
    assert gained("livekit_llm_requests_total", role="main", outcome="completed", **model) == 1


def test_price_of_the_operator_is_that_of_all_costs(stack: VoiceStack) -> None:
    prices = Prices(
        own=PriceTable(llm={"*": LLMPrice(prompt=1, completion=2, cached_prompt=0)}),
        listed=PriceTable(llm={"groq/unknown": LLMPrice(prompt=100, completion=100)}),
    )
    SessionMeter(stack, prices)
    gained = Changes()
    stack.main_llm.emit("metrics_collected", llm_event(prompt_cached_tokens=500))
    assert gained("livekit_llm_cost_total") == pytest.approx((500 * 1 + 100 * 2) / 1e6)
    assert gained("livekit_cost_usd_total", component="llm", provider="groq", model="unknown") == pytest.approx(0.0007)


def test_list_prices_change_the_cost_of_models_and_of_the_call_but_not_the_gauges(stack: VoiceStack) -> None:
    prices = Prices(
        listed=PriceTable(
            llm={"groq/unknown": LLMPrice(prompt=1, completion=2)},
            stt={"deepgram/unknown": STTPrice(per_minute=0.6)},
            tts={"openai/unknown": TTSPrice(per_million_characters=50)},
        )
    )
    meter = UsageMeter(stack, prices)
    gained = Changes()
    stack.main_llm.emit("metrics_collected", llm_event())
    stack.stt.emit("metrics_collected", stt_event(audio_duration=10.0))
    stack.tts.emit("metrics_collected", tts_event(characters_count=100))
    assert gained("livekit_llm_cost_total") == pytest.approx(0.01 + 0.003)
    assert gained("livekit_stt_cost_total") == pytest.approx(10 * 0.0001)
    assert gained("livekit_tts_cost_total") == pytest.approx(100 * 0.000015)
    by_model = [
        gained("livekit_cost_usd_total", component=component, provider=provider, model="unknown")
        for component, provider in (("llm", "groq"), ("stt", "deepgram"), ("tts", "openai"))
    ]
    assert by_model == pytest.approx([0.0012, 0.1, 0.005])
    assert meter.usage.cost_usd == pytest.approx(sum(by_model))


def test_voice_that_is_billed_by_tokens_costs_its_tokens(stack: VoiceStack) -> None:
    by_tokens = TTSPrice(per_million_characters=15, per_million_text_tokens=0.6, per_million_audio_tokens=12)
    meter = UsageMeter(stack, Prices(listed=PriceTable(tts={"openai/unknown": by_tokens})))
    gained = Changes()
    stack.tts.emit("metrics_collected", tts_event(characters_count=100, input_tokens=25, output_tokens=150))
    assert meter.usage.cost_usd == pytest.approx((25 * 0.6 + 150 * 12) / 1e6)
    assert gained("livekit_tts_cost_total") == pytest.approx(100 * 0.000015)


def test_reasoning_is_counted_apart_and_as_a_part_of_the_completion(stack: VoiceStack, meter: SessionMeter) -> None:
    used: list[Usage] = []
    meter.usage_events.on("usage_changed", used.append)
    gained = Changes()
    stack.main_llm.emit("metrics_collected", llm_event(reasoning_tokens=80))
    model = {"provider": "groq", "model": "unknown"}
    assert gained("livekit_model_tokens_total", role="main", type="reasoning", **model) == 80
    assert gained("livekit_model_tokens_total", role="main", type="completion", **model) == 100
    assert gained("livekit_total_tokens_total") == 1100
    assert (used[-1].completion_tokens, used[-1].reasoning_tokens) == (100, 80)


def test_fast_model_that_answers_is_counted_as_the_fast_model(stack: VoiceStack) -> None:
    answering = ScriptedLLM()
    SessionMeter(dataclasses.replace(stack, answering_fast_llm=answering), Prices.load())
    gained = Changes()
    answering.emit("metrics_collected", llm_event())
    model = {"provider": "groq", "model": "unknown"}
    assert gained("livekit_model_tokens_total", role="fast", type="completion", **model) == 100


async def test_answers_of_the_fast_model_are_counted_by_reason(meter: SessionMeter) -> None:
    agent = museum_agent()
    meter.watch(AgentSession[None](), agent)
    gained = Changes()
    agent.events.emit("answer_replaced", "thinking")
    assert gained("livekit_answers_replaced_total", reason="thinking") == 1


def test_cancelled_request_has_no_duration_and_counts_the_reported_tokens(
    stack: VoiceStack, meter: SessionMeter
) -> None:
    gained = Changes()
    stack.main_llm.emit("metrics_collected", llm_event(cancelled=True))
    model = {"provider": "groq", "model": "unknown"}
    assert gained("livekit_llm_requests_total", role="main", outcome="cancelled", **model) == 1
    assert gained("livekit_llm_duration_seconds_count", role="main", **model) == 0
    assert gained("livekit_total_tokens_total") == 1100


async def test_tokens_of_a_cancelled_request_are_estimated(stack: VoiceStack, meter: SessionMeter) -> None:
    session = AgentSession[None]()
    agent = museum_agent()
    meter.watch(session, agent)
    gained = Changes()
    reached = await cut_off_in_the_answer(agent)
    assert reached == "It opens"
    assert gained("livekit_estimated_tokens_total", type="completion") == 2
    assert gained("livekit_llm_tokens_total", type="completion") == 2
    assert gained("livekit_estimated_tokens_total", type="prompt") == len("How are you doing today?") / 4
    assert gained("livekit_llm_cost_total") > 0


def report_to(agent: PreResponseAgent) -> Callable[[UnreportedUsage], None]:
    return lambda usage: agent.events.emit("usage_unreported", usage)


async def cut_off_in_the_answer(agent: PreResponseAgent) -> str:
    """Cancel the main model's answer after its first words, as a barge-in does."""

    async def words() -> Any:
        yield "It opens"
        await asyncio.Event().wait()

    asked = llm.ChatContext.empty()
    asked.add_message(role="user", content="How are you doing today?")
    model = FirstWord([Candidate("main", words)], asked, report_usage=report_to(agent))
    answer = Answer(model.chunks(), TurnTrace("phrase"))
    async for chunk in answer.chunks():
        await utils.aio.cancel_and_wait(answer.task)
        return str(chunk)
    return ""


async def test_tokens_of_a_failed_fast_request_are_estimated(stack: VoiceStack, meter: SessionMeter) -> None:
    agent = museum_agent()
    meter.watch(AgentSession[None](), agent)
    gained = Changes()
    asked = request("Acknowledge.", "How are you?")
    reply = FastReply(ScriptedLLM("Well ", RuntimeError("cut")), asked, TurnTrace("llm"), report_to(agent))
    assert await reply.sentence == ""
    assert gained("livekit_estimated_tokens_total", type="completion") == 1
    assert gained("livekit_estimated_tokens_total", type="prompt") > 0


def test_speech_recognition_and_synthesis_are_counted_and_cost(stack: VoiceStack, meter: SessionMeter) -> None:
    gained = Changes()
    common = {"label": "", "request_id": "1", "timestamp": 0.0, "streamed": True}
    stack.stt.emit("metrics_collected", metrics.STTMetrics(duration=0.0, audio_duration=60.0, **common))
    stack.tts.emit(
        "metrics_collected",
        metrics.TTSMetrics(
            ttfb=0.3, duration=0.5, audio_duration=1.0, cancelled=False, characters_count=1000, **common
        ),
    )
    assert gained("livekit_stt_duration_seconds_total") == 60
    assert gained("livekit_stt_cost_total") == pytest.approx(0.006)
    assert gained("livekit_tts_chars_total") == 1000
    assert gained("livekit_tts_cost_total") == pytest.approx(0.015)
    assert gained("livekit_tts_ttfb_seconds_count", provider="openai", model="unknown") == 1


def test_errors_are_counted_by_component(stack: VoiceStack, meter: SessionMeter) -> None:
    gained = Changes()
    for component in (stack.stt, stack.fast_llm, stack.main_llm, stack.main_llm, stack.tts):
        component.emit("error", object())
    found = {
        name: gained("livekit_errors_total", component=name, reason="other")
        for name in ("stt", "fast_llm", "main_llm", "tts")
    }
    assert found == {"stt": 1, "fast_llm": 1, "main_llm": 2, "tts": 1}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (APIStatusError("too many", status_code=429), "rate_limited"),
        (APIStatusError("who are you?", status_code=401), "denied"),
        (APIStatusError("pay first", status_code=402), "denied"),
        (APIStatusError("too slow", status_code=504), "timeout"),
        (APITimeoutError(), "timeout"),
        (VoiceSilentError(), "timeout"),
        (TranscriptTimeoutError("nothing came"), "timeout"),
        (APIStatusError("overloaded", status_code=503), "unavailable"),
        (APIConnectionError(), "unavailable"),
        (APIStatusError("closed", status_code=-1), "other"),
        (APIStatusError("what?", status_code=400), "other"),
        (ValueError("a mistake of ours"), "other"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_errors_are_counted_by_what_an_operator_does_about_them(
    stack: VoiceStack, meter: SessionMeter, error: Exception, reason: str
) -> None:
    gained = Changes()
    stack.main_llm.emit("error", llm.LLMError(timestamp=0.0, label="main", error=error, recoverable=True))
    counts = {name: gained("livekit_errors_total", component="main_llm", reason=name) for name in ERROR_REASONS}
    assert {name for name, count in counts.items() if count} == {reason}


async def test_turn_is_counted_once_however_often_its_message_is_added(meter: SessionMeter) -> None:
    session = AgentSession[None]()
    meter.watch(session, museum_agent())
    gained = Changes()
    message = ChatMessage(role="user", content=["When?"])
    for _ in range(2):
        session.emit("conversation_item_added", ConversationItemAddedEvent(item=message))
    assert gained("livekit_conversation_turns_total") == 1


async def test_handoff_is_the_same_conversation(meter: SessionMeter) -> None:
    gained = Changes()
    first, second = museum_agent(), museum_agent()
    async with AgentSession[None](llm=ScriptedLLM("Nine."), turn_handling={"turn_detection": None}) as session:
        meter.watch(session, first)
        await session.start(first)
        await session.generate_reply(user_input="When does it open?")
        session.update_agent(second)
        await session.generate_reply(user_input="When does it close?")
        assert gained("livekit_active_conversations") == 1
        second.events.emit("usage_unreported", UnreportedUsage("main", 400, 40))
        assert gained("livekit_estimated_tokens_total", type="prompt") == 100
    assert gained("livekit_active_conversations") == 0
    assert gained("livekit_conversations_total") == 1
    assert gained("livekit_conversation_turns_total") == 2


def record(meter: SessionMeter, **turn: Any) -> None:
    """Let a turn end. Playouts are in seconds after the caller's last voice."""
    caller = ChatMessage(role="user", content=[turn.get("words", "When?")])
    last_voice = 100.0
    speech = SpeechTimestamps(last_voice, stt_final=last_voice + 0.2, end_of_turn=last_voice + 0.4)
    playouts = [Playout(last_voice + start, last_voice + end) for start, end in turn["playouts"]]
    source = turn.get("source", "phrase")
    trace = TurnTrace(turn.get("strategy", "phrase"), outcome=turn.get("outcome", "spoken"), source=source)
    interrupted = turn.get("interrupted", False)
    said = ChatMessage(role="assistant", content=[turn["said"]], interrupted=interrupted)
    if trace.outcome == "spoken":
        said.extra["preresponse"] = "Let me see."
    count_turn(turn_record(1, caller, [said], playouts, trace, speech, interrupted))


def test_turn_with_a_preresponse_counts_both_gaps_and_the_inter_segment_gap(meter: SessionMeter) -> None:
    gained = Changes()
    record(meter, said="Let me see. At nine.", playouts=[(0.5, 1.5), (1.75, 3.0)])
    assert gained("livekit_response_gap_seconds_sum", reply="preresponse") == pytest.approx(0.5)
    assert gained("livekit_answer_gap_seconds_sum", reply="preresponse") == pytest.approx(1.75)
    assert gained("livekit_seam_seconds_sum") == pytest.approx(0.25)
    assert gained("livekit_preresponses_total", strategy="phrase", source="phrase", outcome="spoken") == 1
    assert gained("livekit_end_of_turn_delay_seconds_sum") == pytest.approx(0.4)


def test_turn_without_a_preresponse_counts_the_answer_as_first_audio(meter: SessionMeter) -> None:
    gained = Changes()
    record(meter, said="At nine.", playouts=[(1.2, 3.0)], outcome="answer_first")
    assert gained("livekit_response_gap_seconds_sum", reply="answer") == pytest.approx(1.2)
    assert gained("livekit_seam_seconds_count") == 0


def test_interrupted_preresponse_counts_as_an_interruption(meter: SessionMeter) -> None:
    gained = Changes()
    record(meter, said="Let me", playouts=[(0.5, 0.8)], interrupted=True)
    assert gained("livekit_preresponses_total", strategy="phrase", source="phrase", outcome="interrupted") == 1
    assert gained("livekit_interruptions_total", during="preresponse") == 1


def test_ten_thousand_hostile_callers_create_no_series(meter: SessionMeter) -> None:
    record(meter, said="Let me see. At nine.", playouts=[(0.5, 1.5), (1.75, 3.0)], strategy="x", source="x")
    before = len(dict(_samples()))
    for number in range(10_000):
        name = f"{HOSTILE[number % len(HOSTILE)]}{number}"
        spoken = {"said": f"Let me see. {name}", "words": name, "strategy": name, "source": name}
        record(meter, playouts=[(0.5, 1.5), (1.75, 3.0)], **spoken)
    assert len(dict(_samples())) == before


async def test_call_of_the_canary_counts_by_its_usage_only(meter: SessionMeter) -> None:
    gained, agent, records = Changes(), museum_agent(), list[TurnRecord]()
    async with AgentSession[None](llm=ScriptedLLM("Nine."), turn_handling={"turn_detection": None}) as session:
        meter.watch(session, agent, records.append, is_counted=False)
        await session.start(agent)
        await session.generate_reply(user_input="When does it open?")
        assert gained("livekit_active_conversations") == 0
        agent.events.emit("usage_unreported", UnreportedUsage("main", 400, 40))
    assert gained("livekit_conversations_total") == 0
    assert gained("livekit_conversation_turns_total") == 0
    assert gained("livekit_estimated_tokens_total", type="prompt") == 100
    assert [record.caller for record in records] == ["When does it open?"]
