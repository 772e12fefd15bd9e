"""The table at the top of the latency report, and the contender that speaks after a timeout."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

from livekit.agents import FlushSentinel

from benchmarks.contenders.stock_timeout_agent import LINE, with_filler
from benchmarks.harness.simulation import Latencies, simulation
from benchmarks.harness.systems import SYSTEMS
from benchmarks.latency.headline import headline
from benchmarks.latency.people import judge
from benchmarks.latency.profiles import PROFILES
from benchmarks.latency.report import CONTENDERS
from benchmarks.latency.results import Results
from caller import Segment
from tests.benchmarks.test_latency_people import REPLY, TURN


def turn(profile: str, system: str, response: float, answer: float) -> dict[str, Any]:
    return {"profile": profile, "system": system, "round": 0, "response_gap": response, "answer_gap": answer}


def person(system: str, *sounds: Segment) -> dict[str, Any]:
    judged = judge([*sounds, REPLY], TURN, [REPLY])
    return {"profile": "people", "system": system, "said": "a.wav", "round": 0, "person": asdict(judged)}


def test_both_numbers_stand_beside_their_cut_offs_and_conditions() -> None:
    people = [person("stock", Segment(2.4, 2.6)), person("stock")]
    page = headline(Results(turns=[turn("typical", "stock-timeout", 1.0, 2.0), *people]))
    of_people, of_typical = page.splitlines()[-2:]
    assert "| stock | 2 | 500 | 500 | 50% [9%, 91%] | 500 | 500 | 0% [0%, 66%] |" in of_people
    assert PROFILES["typical"].about in of_typical
    assert "| stock-timeout | 1 | 1000 | 1000 | 50% [9%, 91%] | 2000 | 2000 | 0% [0%, 66%] |" in of_typical


def test_rate_that_was_not_measured_is_none() -> None:
    page = headline(Results(turns=[turn("flux", "stock-flux", 1.0, 2.0)]))
    assert "| stock-flux | 1 | 1000 | 1000 | - | 2000 | 2000 | - |" in page
    assert headline(Results()) == ""


def test_fairness_is_stated_for_each_contender_with_a_script_or_variant_of_its_own() -> None:
    text = CONTENDERS.read_text(encoding="utf-8")
    contenders = [name for name in SYSTEMS if name.startswith(("stock-", "pipecat")) or name.endswith("flux")]
    older = {"stock-preemptive-tts", "stock-filler", "stock-filler-tuned", "pipecat-speak"}
    assert [name for name in contenders if f"`{name}`" not in text and name not in older] == ["pipecat-backend-tool"]


def test_typical_delays_transcripts_apart_from_the_rest() -> None:
    config = simulation(Latencies(p95_over_median=3, stt_final=26, stt_p95_over_median=2.7), 1)
    assert config["stt"]["*"]["p95_over_median"] == 2.7
    assert config["tts"]["*"]["p95_over_median"] == 3


async def answer(*parts: str, waits: asyncio.Event | None = None) -> AsyncIterator[Any]:
    if waits:
        await waits.wait()
    for part in parts:
        yield part


async def test_answer_in_time_has_no_filler() -> None:
    assert [part async for part in with_filler(answer("It is", " nine."), 60)] == ["It is", " nine."]
    assert [part async for part in with_filler(answer(), 60)] == []


async def test_late_answer_comes_after_the_filler() -> None:
    late = asyncio.Event()
    heard: list[Any] = []
    async for part in with_filler(answer("It is nine.", waits=late), 0.0):
        heard.append(part)
        late.set()
    assert heard[0] == LINE
    assert isinstance(heard[1], FlushSentinel)
    assert heard[2:] == ["It is nine."]
