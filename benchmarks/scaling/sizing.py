"""Resources for many simultaneous calls, and the providers' price of a call, computed from the measured figures."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from agent_worker.telemetry.pricing import DEFAULT_LLM, DEFAULT_STT, DEFAULT_TTS, LLMPrice, STTPrice, TTSPrice
from benchmarks.harness.markdown import row
from benchmarks.scaling.results import MAX_LOAD, Results

_CALLS = (100, 10_000, 1_000_000)
_CELL_CALLS = 10_000
"""Calls of one LiveKit cluster with its own Redis and Prometheus; more calls need more cells (docs/scaling.md)."""
_POD_CORES = 2
_USED_SHARE = 0.6
"""Share of a worker's calls at which the autoscaler starts another worker."""
_LIVEKIT_NODE_CORES = 8
_CALL_MINUTES = 5
_CALL_BITS_PER_S = 2 * 50_000
"""Of a call through LiveKit in each direction: two voices as Opus, with packet headers."""

_TURNS = 12
_LLM_REQUESTS_PER_TURN = 1.3
"""To the main model: some are made on words that change, and are cancelled and billed."""
_PROMPT_TOKENS = 400
"""Of each request: instructions and the conversation so far, on average over the call."""
_ANSWER_TOKENS = 45
_ANSWER_CHARS = 150


@dataclass(frozen=True)
class Size:
    """Resources for a number of simultaneous calls.

    Attributes:
        starts: Calls that start per second.
        requests: Messages per second by which the nodes of one cluster ask each other for a worker.
        series: Time series in Prometheus, all cells.
    """

    calls: int
    cells: int
    pods: int
    worker_gb: float
    livekit_nodes: int
    gigabits: float
    starts: float
    requests: float
    series: int


def size(results: Results, calls: int) -> Size:
    """Return what a number of simultaneous calls needs."""
    cells = math.ceil(calls / _CELL_CALLS)
    per_pod = max(math.floor(_POD_CORES * results.ours.calls_per_core * _USED_SHARE), 1)
    pods = cells * max(math.ceil(calls / cells / per_pod), 2)
    memory_mb, idle_mb = results.ours.memory("worker")
    livekit_cores = calls / cells * results.ours.cpu("livekit")[0]
    nodes = max(math.ceil(livekit_cores / (MAX_LOAD * _LIVEKIT_NODE_CORES)), 2)
    starts = calls / (_CALL_MINUTES * 60)
    return Size(
        calls=calls,
        cells=cells,
        pods=pods,
        worker_gb=(calls * memory_mb + pods * idle_mb) / 1000,
        livekit_nodes=cells * nodes,
        gigabits=calls * _CALL_BITS_PER_S / 1e9,
        starts=starts,
        requests=starts / cells * nodes,
        series=pods * results.series,
    )


@dataclass(frozen=True)
class Cost:
    """Price of one call, USD."""

    name: str
    llm: float
    stt: float
    tts: float

    @property
    def total(self) -> float:
        """Sum of the three services."""
        return self.llm + self.stt + self.tts


def costs() -> Iterator[Cost]:
    """Yield the price of a call at the default prices, at example prices, and on own hardware."""
    free = LLMPrice(prompt=0, completion=0), STTPrice(per_minute=0), TTSPrice(per_million_characters=0)
    yield _cost("the default prices", DEFAULT_LLM, DEFAULT_STT, DEFAULT_TTS)
    yield _cost(
        "Groq, Deepgram, OpenAI, at the example's prices in [costs.md](../costs.md)",
        LLMPrice(prompt=0.59, completion=0.79),
        STTPrice(per_minute=0.0077),
        TTSPrice(per_million_characters=12),
    )
    yield _cost("Ollama, speaches, Kokoro: your hardware", *free)


def _cost(name: str, llm: LLMPrice, stt: STTPrice, tts: TTSPrice) -> Cost:
    prompt_tokens = _TURNS * _LLM_REQUESTS_PER_TURN * _PROMPT_TOKENS
    return Cost(
        name,
        llm.of(prompt_tokens, _TURNS * _ANSWER_TOKENS),
        stt.of(_CALL_MINUTES * 60),
        tts.of(_TURNS * _ANSWER_CHARS),
    )


def tables(results: Results) -> dict[str, str]:
    """Return the values of the template's second half."""
    sizes = [size(results, calls) for calls in _CALLS]
    sizing = (
        ("clusters (cells)", [f"{each.cells:,}" for each in sizes]),
        (f"workers (pods of {_POD_CORES} cores)", [f"{each.pods:,}" for each in sizes]),
        ("cores of the workers", [f"{each.pods * _POD_CORES:,}" for each in sizes]),
        ("memory of the workers, GB", [f"{each.worker_gb:,.0f}" for each in sizes]),
        (f"LiveKit nodes of {_LIVEKIT_NODE_CORES} cores", [f"{each.livekit_nodes:,}" for each in sizes]),
        ("through LiveKit, Gbit/s in each direction", [f"{each.gigabits:,.2f}" for each in sizes]),
        ("calls that start in a second", [f"{each.starts:,.1f}" for each in sizes]),
        ("requests for a worker in a second, in one Redis", [f"{each.requests:,.1f}" for each in sizes]),
        ("series in Prometheus, all cells", [f"{each.series:,}" for each in sizes]),
    )
    return {
        "size_head": f"| {row(*(f'{calls:,}' for calls in _CALLS))}",
        "size_rows": "\n".join(row(name, *values) for name, values in sizing),
        "cost_rows": "\n".join(
            row(cost.name, *(f"{usd:.3f}" for usd in (cost.llm, cost.stt, cost.tts, cost.total)), f"{a_minute:.3f}")
            for cost in costs()
            for a_minute in [cost.total / _CALL_MINUTES]
        ),
        "spare": f"{_USED_SHARE:.0%}",
        "cell": f"{_CELL_CALLS:,}",
        "minutes": f"{_CALL_MINUTES}",
        "kilobits": f"{_CALL_BITS_PER_S / 1000:.0f}",
        "turns": f"{_TURNS}",
        "attempts": f"{_LLM_REQUESTS_PER_TURN}",
        "prompt": f"{_PROMPT_TOKENS}",
        "completion": f"{_ANSWER_TOKENS}",
        "characters": f"{_ANSWER_CHARS}",
    }
