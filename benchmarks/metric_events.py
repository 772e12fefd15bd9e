"""``python -m benchmarks.metric_events``: how long does it take to count something?

Writes docs/benchmarks/metric-events.md. Counting happens on the event loop of a call, between two pieces of audio. It
is measured as in a worker: metrics in the files of a process of its own, every write to a memory map.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
from livekit import rtc
from livekit.agents import ChatMessage, metrics
from livekit.agents.voice import io

from agent_metrics import writer
from benchmarks.latency.machine import describe

OUT = Path(__file__).parents[1] / "docs" / "benchmarks" / "metric-events.md"
_LIMIT = 20.0  # microseconds
_TIMES = 20_000
_IN_A_WORKER = "METRIC_EVENTS_IN_A_WORKER"


def main() -> None:
    if _IN_A_WORKER in os.environ:
        _measure()
        return
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, _IN_A_WORKER: "1", "PROMETHEUS_MULTIPROC_DIR": folder}
        command = [sys.executable, "-m", "benchmarks.metric_events"]
        emitter, rows = json.loads(subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE).stdout)
    about = describe([], sys.executable)
    page = _PAGE.format(
        emitter=emitter,
        rows="\n".join(_row(*row) for row in rows),
        times=_TIMES,
        machine=about["machine"],
        commit=about["commit"],
    )
    OUT.write_text(page, encoding="utf-8")
    print(page)


def _row(name: str, p50: float, p95: float, ours: float) -> str:
    return f"| {name} | {p50:.1f} | {p95:.1f} | {ours:.1f} | {'met' if ours <= _LIMIT else '**NOT met**'} |"


_PAGE = """# How long does it take to count something?

Made by `python -m benchmarks.metric_events`; do not edit. Of {times} times each, in a process that does nothing else
and writes its metrics to files, as a worker does. The framework's event emitter takes {emitter:.1f} µs of each but the
last, whoever listens. {machine}, commit {commit}.

| event | p50, µs | p95, µs | p50 without the emitter, µs | at most 20 µs |
| --- | ---: | ---: | ---: | --- |
{rows}
"""


def _measure() -> None:
    """As JSON: the emitter's median, and for each event its name, p50, p95 and p50 of what is ours, microseconds."""
    writer.install()  # before the first metric is made
    idle = _Component()
    idle.on("metrics_collected", lambda _: None)
    emitter, _ = _percentiles(lambda: idle.emit("metrics_collected", _VAD))
    rows = []
    for name, event, emitted in _events():
        p50, p95 = _percentiles(event)
        rows.append([name, p50, p95, p50 - emitter if emitted else p50])
    print(json.dumps([emitter, rows]))


def _percentiles(event: Callable[[], object]) -> tuple[float, float]:
    p50, p95 = np.percentile([_microseconds(event) for _ in range(_TIMES)], (50, 95))
    return float(p50), float(p95)


def _microseconds(event: Callable[[], object]) -> float:
    started = time.perf_counter()
    event()
    return (time.perf_counter() - started) * 1e6


class _Component(rtc.EventEmitter[Any]):
    model = "model"


def _events() -> Iterator[tuple[str, Callable[[], object], bool]]:
    """Name, event, and whether it comes from an emitter."""
    # Imported here, where the metrics go to files.
    from agent_worker.providers.stack import ProviderNames, VoiceStack
    from agent_worker.telemetry.pricing import Prices
    from agent_worker.telemetry.usage_meter import SessionMeter, count_turn
    from agent_worker.turn_taking.audio_input import SpeechEndTracker

    parts: dict[str, Any] = {name: _Component() for name in ("stt", "fast_llm", "main_llm", "tts", "vad")}
    SessionMeter(
        VoiceStack(**parts, voice="", provider_names=ProviderNames("deepgram", "groq", "openai")), Prices.load()
    )
    for name, part, event in _REPORTS:
        yield name, functools.partial(parts[part].emit, "metrics_collected", event), True
    yield "turn with a pre-response is over", functools.partial(count_turn, _turn()), False
    heard, frame = SpeechEndTracker(io.AudioInput(label="")), rtc.AudioFrame(bytes(960), 24_000, 1, 480)
    for number in range(500):
        heard.record(frame, number / 50)
    yield "caller's last sound is looked for", functools.partial(heard.last_audible, 10.0), False
    yield "20 ms of the caller's audio are heard", functools.partial(heard.record, frame, 10.0), False


def _turn() -> Any:
    from agent_worker.telemetry.record import Playout, speech_timestamps, turn_record
    from agent_worker.telemetry.trace import TurnTrace

    caller = ChatMessage(role="user", content=["When?"])
    caller.metrics["stopped_speaking_at"] = time.time() - 10
    caller.metrics["transcription_delay"], caller.metrics["end_of_turn_delay"] = 0.2, 0.4
    reply = ChatMessage(role="assistant", content=["Let me see. At nine."], extra={"preresponse": "Let me see."})
    voice = time.monotonic() - 10
    playouts = [Playout(voice + 0.5, voice + 1.5), Playout(voice + 1.6, voice + 3)]
    timeline = TurnTrace("phrase", outcome="spoken", source="phrase")
    return turn_record(1, caller, [reply], playouts, timeline, speech_timestamps(caller))


_COMMON: dict[str, Any] = {"label": "", "request_id": "", "timestamp": 0.0}
_LLM = metrics.LLMMetrics(
    **_COMMON,
    duration=0.8,
    ttft=0.2,
    cancelled=False,
    completion_tokens=100,
    prompt_tokens=1000,
    prompt_cached_tokens=500,
    total_tokens=1100,
    tokens_per_second=100.0,
)
_TTS = metrics.TTSMetrics(
    **_COMMON, ttfb=0.3, duration=0.5, audio_duration=1.0, cancelled=False, characters_count=100, streamed=False
)
_STT = metrics.STTMetrics(**_COMMON, duration=0.0, audio_duration=5.0, streamed=True)
_VAD = metrics.VADMetrics(label="", timestamp=0.0, idle_time=0.0, inference_duration_total=0.01, inference_count=32)
_REPORTS = cast(
    "list[tuple[str, str, Any]]",
    [
        ("LLM request is over", "main_llm", _LLM),
        ("TTS request is over", "tts", _TTS),
        ("STT reports audio", "stt", _STT),
        ("VAD reports a second", "vad", _VAD),
    ],
)


if __name__ == "__main__":
    main()
