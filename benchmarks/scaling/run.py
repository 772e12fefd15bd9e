"""Call one worker on one core with more and more callers at once, until it is too slow."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import aiohttp
import psutil
from prometheus_client.parser import text_string_to_metric_families

from agent_worker.topics import TURN_TOPIC
from benchmarks.latency.calls import room_token
from benchmarks.latency.profiles import Latencies, simulation
from benchmarks.latency.speech import clips
from benchmarks.latency.systems import SYSTEMS, environment, worker_service
from benchmarks.scaling.results import Level, is_slower
from benchmarks.scaling.usage import Family, Watch
from caller import CallError, CallOptions, Turn, Wav, call
from demo.processes import DemoError, free_port
from demo.services import Ports, Service, agent_metrics, livekit_server, model_server, running

SYSTEM = SYSTEMS["agent-worker/phrase"]
SETTLE = 5.0
"""Seconds for the processes that a level starts to come to rest."""
STAGGER = 5.0
"""Seconds in which the calls of a level begin to talk."""
PATIENCE = 60.0
MOST_CALLS = "1000"

Say = Callable[[str], None]


@dataclass(frozen=True)
class RunOptions:
    levels: Sequence[int]
    turns: int
    """At least, for each level."""
    seed: int
    folder: Path


async def run(options: RunOptions, say: Say) -> AsyncIterator[tuple[Level, int]]:
    """Each level, until one is too slow or has a call that fails, with the number of agent-metrics' series."""
    core, *others = sorted(os.sched_getaffinity(0))
    if not others:
        raise DemoError("this needs two cores: one for the worker, and one for who calls it")
    os.sched_setaffinity(0, others)  # and so all that is started from here, except the worker
    recordings = await clips()
    ports = Ports(free_port(), free_port(), free_port())
    services = _services(options, ports, core)
    alone: Level | None = None
    async with running(services, options.folder, say) as children:
        names = {"worker": services[-1].name, "livekit": "LiveKit server", "providers": "model server"}
        families = {part: Family(children[name].pid) for part, name in names.items()}
        families["callers"] = _Ourselves(os.getpid())
        chance = random.Random(options.seed)
        for count in options.levels:
            level = Level(count)
            rounds = -(-options.turns // (len(recordings) * count))
            for _ in range(rounds):
                await _talk(level, ports, recordings, families, chance)
            say(_line(level))
            yield level, await _series(ports)
            alone = alone or level
            if level.failed or is_slower(level, alone):
                break


class _Ourselves(Family):
    """The callers are in this process; its children are the other parts."""

    def processes(self) -> list[psutil.Process]:
        return [psutil.Process(self.pid)]


def _services(options: RunOptions, ports: Ports, core: int) -> list[Service]:
    config = options.folder / "simulation.json"
    config.write_text(json.dumps(simulation(Latencies(), options.seed)))
    metrics = options.folder / "metrics"
    metrics.mkdir()
    env = environment(SYSTEM, ports, options.folder, simulated=True) | {"WORKER_MAX_CALLS": MOST_CALLS}
    worker = worker_service(SYSTEM, env)
    pinned = ["taskset", "--cpu-list", str(core), *worker.command]
    return [
        livekit_server(ports.livekit),
        model_server(ports.models, "--simulated", str(config)),
        agent_metrics(ports.metrics, metrics),
        Service(worker.name, pinned, worker.timeout, ready_line=worker.ready_line, env=worker.env),
    ]


async def _talk(
    level: Level, ports: Ports, recordings: Sequence[Path], families: dict[str, Family], chance: random.Random
) -> None:
    """One round of a level. What it uses is measured from when all have had a turn until the first one is through."""
    turns: list[list[Turn]] = [[] for _ in range(level.calls)]
    starts = [SETTLE + chance.uniform(0, STAGGER) for _ in turns]
    calls = [asyncio.create_task(_call(ports, recordings, *each)) for each in zip(turns, starts, strict=True)]
    while not all(turns) and not any(task.done() for task in calls):
        await asyncio.sleep(0.1)
    watch = Watch(families)
    while not any(len(each) >= len(recordings) - 1 for each in turns) and not any(task.done() for task in calls):
        await asyncio.sleep(0.1)
    level.cores = dict(watch.cores())
    level.memory_mb = {name: family.memory_mb() for name, family in families.items()}
    level.failed += [error for error in await asyncio.gather(*calls) if error]
    records = [_record(turn) for each in turns for turn in each]
    level.gaps += [gap for record in records if (gap := record.get("response_gap")) is not None]
    level.answers += [gap for record in records if (gap := record.get("answer_gap")) is not None]


async def _call(ports: Ports, recordings: Sequence[Path], turns: list[Turn], start: float) -> str | None:
    options = CallOptions(
        url=ports.livekit_url,
        token=room_token(f"scaling-{uuid4().hex[:8]}", "caller", SYSTEM.agent_name),
        utterances=[Wav(path) for path in recordings],
        topics=[TURN_TOPIC],
        greeting_wait=start,
        connect_timeout=PATIENCE,
        agent_timeout=PATIENCE,
    )
    try:
        report = await call(options, turns.append)
    except CallError as error:
        return str(error)
    unanswered = sum(turn.first_heard is None for turn in report.turns)
    return f"{unanswered} turns without an answer" if unanswered else None


def _record(turn: Turn) -> dict[str, float | None]:
    for text in turn.texts:
        with contextlib.suppress(ValueError):
            record: dict[str, float | None] = json.loads(text.text)
            return record
    return {}


async def _series(ports: Ports) -> int:
    async with aiohttp.ClientSession() as http, http.get(ports.metrics_url) as response:
        return sum(len(family.samples) for family in text_string_to_metric_families(await response.text()))


def _line(level: Level) -> str:
    cores = " ".join(f"{name} {used:.2f}" for name, used in level.cores.items())
    return (
        f"{level.calls} calls: first sound p50 {level.percentile(50):.2f} s, p95 {level.percentile(95):.2f} s; "
        f"cores: {cores}; worker {level.memory_mb['worker']:.0f} MB; failed: {level.failed or 'none'}"
    )
