"""What is needed for so many calls at once, and what does a call cost?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from agent_worker.telemetry.pricing import LLMPrice, Prices, STTPrice, TTSPrice
from benchmarks.scaling.results import BUSY, Results

CALLS = (100, 10_000, 1_000_000)
CELL = 10_000
"""Calls of one LiveKit cluster, with its own Redis and Prometheus. Beyond that, another one: docs/scaling.md."""
POD_CORES = 2
SPARE = 0.6
"""The share of a worker's calls at which the autoscaler starts another one."""
LIVEKIT_CORES = 8
"""Of one LiveKit node."""
CALL_MINUTES = 5
BITS = 2 * 50_000
"""Of a call, each second, through LiveKit in each direction: two voices as Opus, with their packets' heads."""


@dataclass(frozen=True)
class Size:
    calls: int
    cells: int
    pods: int
    worker_cores: int
    worker_gb: float
    livekit_nodes: int
    gigabits: float
    starts: float
    """Calls that begin in a second."""
    asked: float
    """Messages in a second by which one cluster's nodes ask each other for a worker."""
    series: int


def size(results: Results, calls: int) -> Size:
    cells = math.ceil(calls / CELL)
    in_cell = calls / cells
    per_pod = max(math.floor(POD_CORES * results.ours.calls_per_core * SPARE), 1)
    pods = cells * max(math.ceil(in_cell / per_pod), 2)
    memory, base = results.ours.memory("worker")
    nodes = max(math.ceil(in_cell * results.ours.cpu("livekit")[0] / (BUSY * LIVEKIT_CORES)), 2)
    starts = calls / (CALL_MINUTES * 60)
    return Size(
        calls,
        cells,
        pods,
        pods * POD_CORES,
        (calls * memory + pods * base) / 1000,
        cells * nodes,
        calls * BITS / 1e9,
        starts,
        starts / cells * nodes,
        pods * results.series,
    )


TURNS = 12
ATTEMPTS = 1.3
"""Requests to the main model for each turn: some are made on words that change, and are cancelled and billed."""
PROMPT = 400
"""Tokens of each: instructions, and what was said so far, on average over the call."""
COMPLETION = 45
CHARACTERS = 150


@dataclass(frozen=True)
class Cost:
    """Of one call, USD."""

    name: str
    llm: float
    stt: float
    tts: float

    @property
    def total(self) -> float:
        return self.llm + self.stt + self.tts


def costs() -> Iterator[Cost]:
    defaults = Prices.load()
    yield _cost("the defaults, with no prices of your own", defaults.llm["*"], defaults.stt["*"], defaults.tts["*"])
    yield _cost(
        "Groq, Deepgram, OpenAI, at the example's prices in [metrics.md](../metrics.md)",
        LLMPrice(prompt=0.59, completion=0.79),
        STTPrice(per_minute=0.0077),
        TTSPrice(per_million_characters=12),
    )
    free = LLMPrice(prompt=0, completion=0), STTPrice(per_minute=0), TTSPrice(per_million_characters=0)
    yield _cost("Ollama, speaches, Kokoro: your hardware", *free)


def _cost(name: str, llm: LLMPrice, stt: STTPrice, tts: TTSPrice) -> Cost:
    return Cost(
        name,
        llm.of(TURNS * ATTEMPTS * PROMPT, TURNS * COMPLETION),
        stt.of(CALL_MINUTES * 60),
        tts.of(TURNS * CHARACTERS),
    )


def tables(results: Results) -> dict[str, str]:
    """For the report, by the name of its place."""
    sizes = [size(results, calls) for calls in CALLS]
    rows = (
        ("clusters (cells)", [f"{each.cells:,}" for each in sizes]),
        (f"workers (pods of {POD_CORES} cores)", [f"{each.pods:,}" for each in sizes]),
        ("cores of the workers", [f"{each.worker_cores:,}" for each in sizes]),
        ("memory of the workers, GB", [f"{each.worker_gb:,.0f}" for each in sizes]),
        (f"LiveKit nodes of {LIVEKIT_CORES} cores", [f"{each.livekit_nodes:,}" for each in sizes]),
        ("through LiveKit, Gbit/s in each direction", [f"{each.gigabits:,.2f}" for each in sizes]),
        ("calls that begin in a second", [f"{each.starts:,.1f}" for each in sizes]),
        ("requests for a worker in a second, in one Redis", [f"{each.asked:,.1f}" for each in sizes]),
        ("series in Prometheus, all cells", [f"{each.series:,}" for each in sizes]),
    )
    return {
        "size_head": f"| | {' | '.join(f'{each.calls:,}' for each in sizes)} |",
        "size_rows": "\n".join(f"| {name} | {' | '.join(values)} |" for name, values in rows),
        "cost_rows": "\n".join(
            f"| {cost.name} | {cost.llm:.3f} | {cost.stt:.3f} | {cost.tts:.3f} | {cost.total:.3f} "
            f"| {cost.total / CALL_MINUTES:.3f} |"
            for cost in costs()
        ),
        "spare": f"{SPARE:.0%}",
        "cell": f"{CELL:,}",
        "minutes": f"{CALL_MINUTES}",
        "kilobits": f"{BITS / 1000:.0f}",
        "turns": f"{TURNS}",
        "attempts": f"{ATTEMPTS}",
        "prompt": f"{PROMPT}",
        "completion": f"{COMPLETION}",
        "characters": f"{CHARACTERS}",
    }
